"""Asks the contracts service, and reads its feed."""

from collections.abc import Sequence
from datetime import date, datetime

from huaxiao.shared.clients.base import FakeFeed
from huaxiao.shared.clients.erasing import ErasingClient
from huaxiao.shared.wire.contracts import (
    AddressUnitIn,
    AddressUnitsAdded,
    Branch,
    BranchIn,
    BranchSummary,
    Centre,
    CentreIn,
    CentrePay,
    Channel,
    ChannelIn,
    Contract,
    ContractIn,
    ContractSummary,
    Coverage,
    CoverageDeclaration,
    Division,
    DivisionIn,
    DivisionsAdded,
    DocumentFormat,
    FieldIn,
    FieldSummary,
    PayComparison,
    PayIn,
    PersonIn,
    PersonPay,
    PlacedPerson,
    RefusedChange,
    RefusedChangeSummary,
    RenewalIn,
    ResponsibilityField,
)
from huaxiao.shared.wire.leads import (
    Lead,
    LeadConversionIn,
    LeadDecisionIn,
    LeadIn,
    LeadState,
    LeadSummary,
)
from huaxiao.shared.wire.negative_list import (
    ActivationIn,
    DecisionIn,
    MayIAnswer,
    NegativeList,
    NegativeListIn,
    ProposalIn,
    StatementIn,
    Violation,
    ViolationIn,
    ViolationSummary,
)
from huaxiao.shared.wire.organisation import (
    ApplyIn,
    CentreHistory,
    ChannelHistory,
    CloseIn,
    LeaveIn,
    MoveIn,
    Organisation,
    RenameIn,
    Reorganisation,
    ReorganisationIn,
    ReorganisationPreview,
)
from huaxiao.shared.wire.personal import FullViewIn, LeadCustomer
from huaxiao.shared.wire.settlement import (
    AnswerIn,
    ConfirmationIn,
    Correction,
    CorrectionIn,
    DepositMovement,
    DepositMovementIn,
    ObjectionIn,
    SettlementIn,
    SettlementOutcome,
    SettlementStatement,
    SettlementSummary,
    SettlementVerification,
    SettlementWhatIf,
    SettlementWhatIfIn,
    StatementFormat,
)
from huaxiao.shared.wire.shares import (
    CapTable,
    Company,
    CompanyIn,
    ShareMovement,
    ShareMovementIn,
)
from huaxiao.shared.wire.sheets import SheetFormat, SheetKind, SheetReport
from huaxiao.shared.wire.signing import (
    ContractReview,
    ContractStep,
    ReasonIn,
    Suspension,
    SuspensionEndIn,
    SuspensionIn,
)
from huaxiao.shared.wire.supplements import (
    ContractStanding,
    Exit,
    ExitIn,
    SignatureIn,
    Supplement,
    SupplementIn,
)
from huaxiao.shared.wire.verification import SealVerification


class ContractsClient(ErasingClient):
    """A typed connection to the contracts service."""

    async def branches(self) -> list[int]:
        """Return every branch the service knows and this caller may enter, page by page."""
        return [branch.branch_id for branch in await self._all(BranchSummary, "/v1/branches")]

    async def register_branch(self, branch_id: int, given: BranchIn) -> Branch:
        """Register a county branch."""
        made: Branch = await self._put(Branch, f"/v1/branches/{branch_id}", given)
        return made

    async def divisions(self, branch_id: int) -> list[Division]:
        """Return the statistical divisions of a branch, and those that contain it."""
        return await self._all(Division, f"/v1/branches/{branch_id}/divisions")

    async def add_divisions(self, branch_id: int, given: Sequence[DivisionIn]) -> DivisionsAdded:
        """Add statistical divisions; known ones change nothing."""
        added: DivisionsAdded = await self._post(
            DivisionsAdded, f"/v1/branches/{branch_id}/divisions", given
        )
        return added

    async def put_centre(self, branch_id: int, centre_id: str, given: CentreIn) -> Centre:
        """Register a centre."""
        made: Centre = await self._put(
            Centre, f"/v1/branches/{branch_id}/centres/{centre_id}", given
        )
        return made

    async def centre(self, branch_id: int, centre_id: str) -> CentreHistory:
        """Return a centre as it is called today, with its history."""
        found: CentreHistory = await self._get(
            CentreHistory, f"/v1/branches/{branch_id}/centres/{centre_id}"
        )
        return found

    async def rename_centre(self, branch_id: int, centre_id: str, given: RenameIn) -> CentreHistory:
        """Call a centre otherwise from a day on."""
        renamed: CentreHistory = await self._post(
            CentreHistory, f"/v1/branches/{branch_id}/centres/{centre_id}/rename", given
        )
        return renamed

    async def close_centre(self, branch_id: int, centre_id: str, given: CloseIn) -> CentreHistory:
        """Close a centre from a day on."""
        closed: CentreHistory = await self._post(
            CentreHistory, f"/v1/branches/{branch_id}/centres/{centre_id}/close", given
        )
        return closed

    async def put_person(self, branch_id: int, person_id: str, given: PersonIn) -> PlacedPerson:
        """Register a person, or move one from a later day on."""
        made: PlacedPerson = await self._put(
            PlacedPerson, f"/v1/branches/{branch_id}/people/{person_id}", given
        )
        return made

    async def leave(self, branch_id: int, person_id: str, given: LeaveIn) -> PlacedPerson:
        """Let a person leave from a day on."""
        left: PlacedPerson = await self._post(
            PlacedPerson, f"/v1/branches/{branch_id}/people/{person_id}/leave", given
        )
        return left

    async def people(self, branch_id: int) -> list[PlacedPerson]:
        """Return people at their latest places, page by page."""
        return await self._all(PlacedPerson, f"/v1/branches/{branch_id}/people")

    async def organisation(
        self, branch_id: int, *, on: date | None = None, known_at: datetime | None = None
    ) -> Organisation:
        """Return the organisation on a day; with a moment, people as they were known by then."""
        found: Organisation = await self._get(
            Organisation,
            f"/v1/branches/{branch_id}/organisation",
            params={
                "on": on and on.isoformat(),
                "known_at": known_at and known_at.isoformat(),
            },
        )
        return found

    async def put_reorganisation(
        self, branch_id: int, plan_id: str, given: ReorganisationIn
    ) -> Reorganisation:
        """Draft a re-organisation, or rewrite it until it is applied."""
        drafted: Reorganisation = await self._put(
            Reorganisation, f"/v1/branches/{branch_id}/reorganisations/{plan_id}", given
        )
        return drafted

    async def reorganisation_preview(self, branch_id: int, plan_id: str) -> ReorganisationPreview:
        """Return the difference that a re-organisation makes."""
        found: ReorganisationPreview = await self._get(
            ReorganisationPreview,
            f"/v1/branches/{branch_id}/reorganisations/{plan_id}/preview",
        )
        return found

    async def apply_reorganisation(
        self, branch_id: int, plan_id: str, digest: str
    ) -> Reorganisation:
        """Apply a re-organisation as a second person, as it was previewed."""
        applied: Reorganisation = await self._post(
            Reorganisation,
            f"/v1/branches/{branch_id}/reorganisations/{plan_id}/apply",
            ApplyIn(digest=digest),
        )
        return applied

    async def put_channel(self, branch_id: int, channel_id: str, given: ChannelIn) -> Channel:
        """Register a channel."""
        made: Channel = await self._put(
            Channel, f"/v1/branches/{branch_id}/channels/{channel_id}", given
        )
        return made

    async def channel(self, branch_id: int, channel_id: str) -> ChannelHistory:
        """Return a channel in the centre it belongs to today, with its history."""
        found: ChannelHistory = await self._get(
            ChannelHistory, f"/v1/branches/{branch_id}/channels/{channel_id}"
        )
        return found

    async def move_channel(self, branch_id: int, channel_id: str, given: MoveIn) -> ChannelHistory:
        """Let a channel belong to another centre from a day on."""
        moved: ChannelHistory = await self._post(
            ChannelHistory, f"/v1/branches/{branch_id}/channels/{channel_id}/move", given
        )
        return moved

    async def close_channel(
        self, branch_id: int, channel_id: str, given: CloseIn
    ) -> ChannelHistory:
        """Close a channel from a day on."""
        closed: ChannelHistory = await self._post(
            ChannelHistory, f"/v1/branches/{branch_id}/channels/{channel_id}/close", given
        )
        return closed

    async def put_field(self, branch_id: int, field_id: str, given: FieldIn) -> ResponsibilityField:
        """Draw a field, or redraw it while it is a draft."""
        drawn: ResponsibilityField = await self._put(
            ResponsibilityField, f"/v1/branches/{branch_id}/fields/{field_id}", given
        )
        return drawn

    async def put_contract(self, branch_id: int, contract_id: str, given: ContractIn) -> Contract:
        """Draft a contract, or rewrite it while it is a draft."""
        drafted: Contract = await self._put(
            Contract, f"/v1/branches/{branch_id}/contracts/{contract_id}", given
        )
        return drafted

    async def submit(self, branch_id: int, contract_id: str) -> ContractReview:
        """Lay a contract before both sides; again changes nothing."""
        submitted: ContractReview = await self._post(
            ContractReview, f"/v1/branches/{branch_id}/contracts/{contract_id}/review", None
        )
        return submitted

    async def review(self, branch_id: int, contract_id: str) -> ContractReview:
        """Return the latest round of review: the digest to sign, and who has signed."""
        found: ContractReview = await self._get(
            ContractReview, f"/v1/branches/{branch_id}/contracts/{contract_id}/review"
        )
        return found

    async def withdraw(self, branch_id: int, contract_id: str, reason: str) -> ContractReview:
        """Take a contract out of review."""
        withdrawn: ContractReview = await self._post(
            ContractReview,
            f"/v1/branches/{branch_id}/contracts/{contract_id}/withdraw",
            ReasonIn(reason=reason),
        )
        return withdrawn

    async def sign(self, branch_id: int, contract_id: str, digest: str) -> Contract:
        """Sign for one's side what is in review; the second signature seals the fields."""
        signed: Contract = await self._post(
            Contract,
            f"/v1/branches/{branch_id}/contracts/{contract_id}/sign",
            SignatureIn(digest=digest),
        )
        return signed

    async def history(self, branch_id: int, contract_id: str) -> list[ContractStep]:
        """Return every step in the life of a contract, page by page."""
        return await self._all(
            ContractStep, f"/v1/branches/{branch_id}/contracts/{contract_id}/history"
        )

    async def coverage_at_signature(self, branch_id: int, contract_id: str) -> Coverage:
        """Return how all fields covered the county when its contract was signed."""
        found: Coverage = await self._get(
            Coverage, f"/v1/branches/{branch_id}/contracts/{contract_id}/coverage"
        )
        return found

    async def suspend(self, branch_id: int, contract_id: str, given: SuspensionIn) -> Suspension:
        """Propose to suspend a contract."""
        proposed: Suspension = await self._post(
            Suspension, f"/v1/branches/{branch_id}/contracts/{contract_id}/suspensions", given
        )
        return proposed

    async def suspensions(self, branch_id: int, contract_id: str) -> list[Suspension]:
        """Return a contract's suspensions, page by page."""
        return await self._all(
            Suspension, f"/v1/branches/{branch_id}/contracts/{contract_id}/suspensions"
        )

    async def end_suspension(
        self, branch_id: int, contract_id: str, number: int, given: SuspensionEndIn
    ) -> Suspension:
        """Propose the last period of a suspension."""
        proposed: Suspension = await self._post(
            Suspension,
            f"/v1/branches/{branch_id}/contracts/{contract_id}/suspensions/{number}/end",
            given,
        )
        return proposed

    async def approve_suspension(self, branch_id: int, contract_id: str, number: int) -> Suspension:
        """Approve a suspension, or its end, as a second person."""
        approved: Suspension = await self._post(
            Suspension,
            f"/v1/branches/{branch_id}/contracts/{contract_id}/suspensions/{number}/approve",
            None,
        )
        return approved

    async def record_payroll(self, branch_id: int, given: Sequence[PayIn]) -> list[CentrePay]:
        """Record pay; return what each centre and period that was named stands at."""
        recorded: list[CentrePay] = await self._post(
            list[CentrePay], f"/v1/branches/{branch_id}/payroll", given
        )
        return recorded

    async def payroll(
        self,
        branch_id: int,
        *,
        period: int,
        centre_id: str | None = None,
        known_at: datetime | None = None,
    ) -> list[PersonPay]:
        """Return what people were paid in a period, as it was recorded by a moment."""
        return await self._all(
            PersonPay,
            f"/v1/branches/{branch_id}/payroll",
            params={
                "period": period,
                "centre_id": centre_id,
                "known_at": known_at and known_at.isoformat(),
            },
        )

    async def pay_comparison(
        self, branch_id: int, contract_id: str, *, period: int
    ) -> PayComparison:
        """Return a contractor's pay of the contract year so far beside the team's."""
        found: PayComparison = await self._get(
            PayComparison,
            f"/v1/branches/{branch_id}/contracts/{contract_id}/pay-comparison",
            params={"period": period},
        )
        return found

    async def coverage(
        self, branch_id: int, *, period: int | None = None, sealed: bool = False
    ) -> Coverage:
        """Return gaps and overlaps; of the newest term when no period is named."""
        found: Coverage = await self._get(
            Coverage,
            f"/v1/branches/{branch_id}/coverage",
            params={"period": period, "sealed": sealed},
        )
        return found

    async def declare_coverage(self, branch_id: int, period: int) -> CoverageDeclaration:
        """Declare that a term's sealed fields cover everything once; again changes nothing."""
        declared: CoverageDeclaration = await self._put(
            CoverageDeclaration, f"/v1/branches/{branch_id}/coverage-declarations/{period}", None
        )
        return declared

    async def coverage_declaration(self, branch_id: int, period: int) -> CoverageDeclaration:
        """Return what was declared of a term's coverage."""
        found: CoverageDeclaration = await self._get(
            CoverageDeclaration, f"/v1/branches/{branch_id}/coverage-declarations/{period}"
        )
        return found

    async def add_address_units(
        self, branch_id: int, given: Sequence[AddressUnitIn]
    ) -> AddressUnitsAdded:
        """Add address units below villages; known ones change nothing."""
        added: AddressUnitsAdded = await self._post(
            AddressUnitsAdded, f"/v1/branches/{branch_id}/address-units", given
        )
        return added

    async def verify_seals(
        self, branch_id: int, contract_id: str | None = None
    ) -> SealVerification:
        """Have every seal computed again and held against what stands for it."""
        found: SealVerification = await self._get(
            SealVerification,
            f"/v1/branches/{branch_id}/verification",
            params={"contract_id": contract_id},
        )
        return found

    async def fields(self, branch_id: int) -> list[FieldSummary]:
        """Return the branch's fields that this caller may see, page by page."""
        return await self._all(FieldSummary, f"/v1/branches/{branch_id}/fields")

    async def field(self, branch_id: int, field_id: str) -> ResponsibilityField:
        """Return a field and what it covers."""
        found: ResponsibilityField = await self._get(
            ResponsibilityField, f"/v1/branches/{branch_id}/fields/{field_id}"
        )
        return found

    async def contract(self, branch_id: int, contract_id: str) -> Contract:
        """Return a contract and what was agreed."""
        found: Contract = await self._get(
            Contract, f"/v1/branches/{branch_id}/contracts/{contract_id}"
        )
        return found

    async def contracts(self, branch_id: int) -> list[ContractSummary]:
        """Return the branch's contracts that this caller may see, page by page."""
        return await self._all(ContractSummary, f"/v1/branches/{branch_id}/contracts")

    async def refused_changes(self, branch_id: int) -> list[RefusedChangeSummary]:
        """Return the attempts to change what is sealed that this caller may see, page by page."""
        return await self._all(RefusedChangeSummary, f"/v1/branches/{branch_id}/refused-changes")

    async def refused_change(self, branch_id: int, number: int) -> RefusedChange:
        """Return an attempt to change what is sealed, and all that it asked for."""
        found: RefusedChange = await self._get(
            RefusedChange, f"/v1/branches/{branch_id}/refused-changes/{number}"
        )
        return found

    async def settle(
        self, branch_id: int, period: int, contract_ids: Sequence[str] | None = None
    ) -> list[SettlementOutcome]:
        """Draft the statements of a period; of all its contracts when none is named."""
        named = None if contract_ids is None else list(contract_ids)
        outcomes: list[SettlementOutcome] = await self._post(
            list[SettlementOutcome],
            f"/v1/branches/{branch_id}/settlements",
            SettlementIn(period=period, contract_ids=named),
        )
        return outcomes

    async def settlement_statements(
        self, branch_id: int, *, period: int | None = None, contract_id: str | None = None
    ) -> list[SettlementSummary]:
        """Return the statements that this caller may see, page by page."""
        return await self._all(
            SettlementSummary,
            f"/v1/branches/{branch_id}/statements",
            params={"period": period, "contract_id": contract_id},
        )

    async def settlement_statement(
        self, branch_id: int, contract_id: str, period: int
    ) -> SettlementStatement:
        """Return a statement line by line."""
        found: SettlementStatement = await self._get(
            SettlementStatement, _statement(branch_id, contract_id, period)
        )
        return found

    async def settlement_sheet(
        self,
        branch_id: int,
        contract_id: str,
        period: int,
        wanted: StatementFormat = StatementFormat.XLSX,
    ) -> bytes:
        """Return a statement as a file."""
        path = _statement(branch_id, contract_id, period) + "/sheet"
        return (await self._send("GET", path, params={"format": wanted})).content

    async def contract_document(
        self,
        branch_id: int,
        contract_id: str,
        wanted: DocumentFormat = DocumentFormat.DOCX,
    ) -> bytes:
        """Return a contract as a document to be signed."""
        path = f"/v1/branches/{branch_id}/contracts/{contract_id}/document"
        return (await self._send("GET", path, params={"format": wanted})).content

    async def verify_settlement(
        self, branch_id: int, contract_id: str, period: int
    ) -> SettlementVerification:
        """Have a statement computed again from its inputs."""
        found: SettlementVerification = await self._get(
            SettlementVerification, _statement(branch_id, contract_id, period) + "/verification"
        )
        return found

    async def confirm_settlement(
        self, branch_id: int, contract_id: str, period: int, digest: str
    ) -> SettlementStatement:
        """Confirm a statement's figures for one's side."""
        confirmed: SettlementStatement = await self._post(
            SettlementStatement,
            _statement(branch_id, contract_id, period) + "/confirm",
            ConfirmationIn(digest=digest),
        )
        return confirmed

    async def object_to_settlement(
        self, branch_id: int, contract_id: str, period: int, given: ObjectionIn
    ) -> SettlementStatement:
        """Object to a line."""
        objected: SettlementStatement = await self._post(
            SettlementStatement, _statement(branch_id, contract_id, period) + "/objections", given
        )
        return objected

    async def answer_objection(
        self, branch_id: int, contract_id: str, period: int, number: int, given: AnswerIn
    ) -> SettlementStatement:
        """Answer an objection."""
        answered: SettlementStatement = await self._put(
            SettlementStatement,
            _statement(branch_id, contract_id, period) + f"/objections/{number}/answer",
            given,
        )
        return answered

    async def settle_what_if(
        self, branch_id: int, contract_id: str, given: SettlementWhatIfIn
    ) -> SettlementWhatIf:
        """Settle past months under other terms, base or fields."""
        found: SettlementWhatIf = await self._post(
            SettlementWhatIf,
            f"/v1/branches/{branch_id}/contracts/{contract_id}/settlement-what-if",
            given,
        )
        return found

    async def draft_correction(
        self, branch_id: int, contract_id: str, given: CorrectionIn
    ) -> Correction:
        """Draft a correction of a closed statement."""
        drafted: Correction = await self._post(
            Correction, f"/v1/branches/{branch_id}/contracts/{contract_id}/corrections", given
        )
        return drafted

    async def approve_correction(self, branch_id: int, contract_id: str, number: int) -> Correction:
        """Approve a correction as a second person."""
        approved: Correction = await self._post(
            Correction,
            f"/v1/branches/{branch_id}/contracts/{contract_id}/corrections/{number}/approve",
            None,
        )
        return approved

    async def corrections(self, branch_id: int, contract_id: str) -> list[Correction]:
        """Return a contract's corrections, page by page."""
        return await self._all(
            Correction, f"/v1/branches/{branch_id}/contracts/{contract_id}/corrections"
        )

    async def record_deposit(
        self, branch_id: int, contract_id: str, given: DepositMovementIn
    ) -> DepositMovement:
        """Record risk deposit paid in or paid back."""
        recorded: DepositMovement = await self._post(
            DepositMovement,
            f"/v1/branches/{branch_id}/contracts/{contract_id}/deposit-movements",
            given,
        )
        return recorded

    async def deposit_movements(self, branch_id: int, contract_id: str) -> list[DepositMovement]:
        """Return the movements of a contract's deposit, page by page."""
        return await self._all(
            DepositMovement,
            f"/v1/branches/{branch_id}/contracts/{contract_id}/deposit-movements",
        )

    async def negative_list(self, branch_id: int, *, on: date | None = None) -> NegativeList:
        """Return the negative list in force."""
        found: NegativeList = await self._get(
            NegativeList,
            f"/v1/branches/{branch_id}/negative-list",
            params={"on": on and on.isoformat()},
        )
        return found

    async def put_negative_list(
        self, branch_id: int, version: int, given: NegativeListIn
    ) -> NegativeList:
        """Draft a version of the negative list, or rewrite it while it is a draft."""
        drafted: NegativeList = await self._put(
            NegativeList, f"/v1/branches/{branch_id}/negative-lists/{version}", given
        )
        return drafted

    async def activate_negative_list(
        self, branch_id: int, version: int, from_day: date
    ) -> NegativeList:
        """Let a version be in force from a day on, as a second person."""
        activated: NegativeList = await self._post(
            NegativeList,
            f"/v1/branches/{branch_id}/negative-lists/{version}/activate",
            ActivationIn(from_day=from_day),
        )
        return activated

    async def may_i(self, branch_id: int, given: ProposalIn) -> MayIAnswer:
        """Ask whether an action is allowed."""
        answer: MayIAnswer = await self._post(MayIAnswer, f"/v1/branches/{branch_id}/may-i", given)
        return answer

    async def answers(self, branch_id: int) -> list[MayIAnswer]:
        """Return what was asked and answered, page by page."""
        return await self._all(MayIAnswer, f"/v1/branches/{branch_id}/may-i")

    async def report_violation(self, branch_id: int, given: ViolationIn) -> Violation:
        """Report a violation of the negative list."""
        reported: Violation = await self._post(
            Violation, f"/v1/branches/{branch_id}/violations", given
        )
        return reported

    async def violations(
        self, branch_id: int, *, centre_id: str | None = None
    ) -> list[ViolationSummary]:
        """Return the violations that this caller may see, page by page."""
        return await self._all(
            ViolationSummary,
            f"/v1/branches/{branch_id}/violations",
            params={"centre_id": centre_id},
        )

    async def violation(self, branch_id: int, number: int) -> Violation:
        """Return a violation and everything said of it."""
        found: Violation = await self._get(
            Violation, f"/v1/branches/{branch_id}/violations/{number}"
        )
        return found

    async def hear_violation(self, branch_id: int, number: int, text: str) -> Violation:
        """Say something on a report as the centre concerned."""
        return await self._violation(branch_id, number, "hear", StatementIn(text=text))

    async def decide_violation(self, branch_id: int, number: int, given: DecisionIn) -> Violation:
        """Uphold or dismiss a report."""
        return await self._violation(branch_id, number, "decide", given)

    async def appeal_violation(self, branch_id: int, number: int, text: str) -> Violation:
        """Appeal as the centre concerned."""
        return await self._violation(branch_id, number, "appeal", StatementIn(text=text))

    async def decide_violation_appeal(
        self, branch_id: int, number: int, given: DecisionIn
    ) -> Violation:
        """Decide on an appeal."""
        return await self._violation(branch_id, number, "decide-appeal", given)

    async def _violation(
        self, branch_id: int, number: int, step: str, given: StatementIn | DecisionIn
    ) -> Violation:
        said: Violation = await self._post(
            Violation, f"/v1/branches/{branch_id}/violations/{number}/{step}", given
        )
        return said

    async def bring_lead(self, branch_id: int, given: LeadIn) -> Lead:
        """Bring a lead."""
        brought: Lead = await self._post(Lead, f"/v1/branches/{branch_id}/leads", given)
        return brought

    async def leads(
        self, branch_id: int, *, state: LeadState | None = None, centre_id: str | None = None
    ) -> list[LeadSummary]:
        """Return the leads that this caller may see, page by page."""
        return await self._all(
            LeadSummary,
            f"/v1/branches/{branch_id}/leads",
            params={"state": state, "centre_id": centre_id},
        )

    async def lead(self, branch_id: int, lead_id: str) -> Lead:
        """Return a lead and everything that was done with it."""
        found: Lead = await self._get(Lead, f"/v1/branches/{branch_id}/leads/{lead_id}")
        return found

    async def see_lead_customer(
        self, branch_id: int, lead_id: str, given: FullViewIn
    ) -> LeadCustomer:
        """Return whom a lead is about; the view goes on record."""
        seen: LeadCustomer = await self._post(
            LeadCustomer, f"/v1/branches/{branch_id}/leads/{lead_id}/full-views", given
        )
        return seen

    async def decide_lead(self, branch_id: int, lead_id: str, given: LeadDecisionIn) -> Lead:
        """Approve or reject a lead."""
        decided: Lead = await self._put(
            Lead, f"/v1/branches/{branch_id}/leads/{lead_id}/decision", given
        )
        return decided

    async def convert_lead(self, branch_id: int, lead_id: str, given: LeadConversionIn) -> Lead:
        """Say which subscriptions an approved lead became."""
        converted: Lead = await self._post(
            Lead, f"/v1/branches/{branch_id}/leads/{lead_id}/conversion", given
        )
        return converted

    async def put_company(self, branch_id: int, given: CompanyIn) -> Company:
        """Register the operating company."""
        made: Company = await self._put(Company, f"/v1/branches/{branch_id}/company", given)
        return made

    async def move_shares(self, branch_id: int, given: ShareMovementIn) -> ShareMovement:
        """Record a movement of shares."""
        moved: ShareMovement = await self._post(
            ShareMovement, f"/v1/branches/{branch_id}/share-movements", given
        )
        return moved

    async def share_movements(
        self, branch_id: int, *, person_id: str | None = None
    ) -> list[ShareMovement]:
        """Return the share register, page by page, or a person's part of it."""
        return await self._all(
            ShareMovement,
            f"/v1/branches/{branch_id}/share-movements",
            params={"person_id": person_id},
        )

    async def cap_table(self, branch_id: int, *, on: date | None = None) -> CapTable:
        """Return who holds the company on a day."""
        found: CapTable = await self._get(
            CapTable,
            f"/v1/branches/{branch_id}/cap-table",
            params={"on": on and on.isoformat()},
        )
        return found

    async def renew(self, branch_id: int, contract_id: str, given: RenewalIn) -> Contract:
        """Draft the next term from a signed contract."""
        drafted: Contract = await self._post(
            Contract, f"/v1/branches/{branch_id}/contracts/{contract_id}/renewal", given
        )
        return drafted

    async def draft_supplement(
        self, branch_id: int, contract_id: str, given: SupplementIn
    ) -> Supplement:
        """Draft a supplement to a signed contract."""
        drafted: Supplement = await self._post(
            Supplement, f"/v1/branches/{branch_id}/contracts/{contract_id}/supplements", given
        )
        return drafted

    async def sign_supplement(
        self, branch_id: int, contract_id: str, number: int, digest: str
    ) -> Supplement:
        """Sign a supplement for one's side."""
        signed: Supplement = await self._post(
            Supplement,
            f"/v1/branches/{branch_id}/contracts/{contract_id}/supplements/{number}/sign",
            SignatureIn(digest=digest),
        )
        return signed

    async def supplements(self, branch_id: int, contract_id: str) -> list[Supplement]:
        """Return a contract's supplements, page by page."""
        return await self._all(
            Supplement, f"/v1/branches/{branch_id}/contracts/{contract_id}/supplements"
        )

    async def standing_of(self, branch_id: int, contract_id: str, period: int) -> ContractStanding:
        """Return what binds the sides of a contract in a period."""
        found: ContractStanding = await self._get(
            ContractStanding,
            f"/v1/branches/{branch_id}/contracts/{contract_id}/standing",
            params={"period": period},
        )
        return found

    async def put_exit(self, branch_id: int, contract_id: str, given: ExitIn) -> Exit:
        """Draft an end before the term."""
        drafted: Exit = await self._put(
            Exit, f"/v1/branches/{branch_id}/contracts/{contract_id}/exit", given
        )
        return drafted

    async def approve_exit(self, branch_id: int, contract_id: str, digest: str) -> Exit:
        """Approve an early exit as a second person, as it was read."""
        approved: Exit = await self._post(
            Exit,
            f"/v1/branches/{branch_id}/contracts/{contract_id}/exit/approve",
            SignatureIn(digest=digest),
        )
        return approved

    async def export_sheet(
        self,
        branch_id: int,
        kind: SheetKind,
        wanted: SheetFormat = SheetFormat.XLSX,
        *,
        on: date | None = None,
    ) -> bytes:
        """Return people, listed customers or fields as a file; of a day, or as of last."""
        response = await self._send(
            "GET",
            f"/v1/branches/{branch_id}/sheets/{kind}",
            params={"format": wanted, "on": on and on.isoformat()},
        )
        return response.content

    async def import_sheet(
        self, branch_id: int, kind: SheetKind, content: bytes, *, preview: bool = False
    ) -> SheetReport:
        """Import a file, or only try it; all of it is taken, or nothing."""
        response = await self._send(
            "POST",
            f"/v1/branches/{branch_id}/sheets/{kind}",
            params={"preview": preview},
            content=content,
            headers={"Content-Type": "application/octet-stream"},
        )
        return SheetReport.model_validate_json(response.content)


def _statement(branch_id: int, contract_id: str, period: int) -> str:
    return f"/v1/branches/{branch_id}/contracts/{contract_id}/statements/{period}"


class FakeContracts(FakeFeed):
    """Stands in for the contracts service: a branch is registered by what is published of it."""

    async def branches(self) -> list[int]:
        """Return the branches in order."""
        return sorted(self._entries)
