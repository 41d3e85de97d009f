"""The dispatch service as its peers see it."""

from datetime import date, datetime

from huaxiao.shared.clients.base import FakeFeed
from huaxiao.shared.clients.erasing import ErasingClient
from huaxiao.shared.clients.plans import PlansClient
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.pages import Page
from huaxiao.shared.wire.appointments import (
    Appointment,
    AppointmentIn,
    AppointmentRules,
    AppointmentRulesIn,
    Leave,
    LeaveIn,
    MoveIn,
    ReleaseIn,
    Shifts,
    ShiftsIn,
    Slot,
)
from huaxiao.shared.wire.appraisals import (
    AppealAnswerIn,
    AppealDecisionIn,
    AppealIn,
    AppraisalDraft,
    AppraisalExplanation,
    AppraisalHistory,
    AppraisalMonth,
    CorrectionIn,
    CountedOrder,
    FinalDraftIn,
    HorizontalDraftIn,
)
from huaxiao.shared.wire.assets import Asset, AssetIn, RoundCoverage
from huaxiao.shared.wire.dispatch import (
    Appraisal,
    FinalIn,
    FinishedOrder,
    HorizontalIn,
    Order,
    OrderKind,
    OrderState,
    OrderStepIn,
    PublishedScore,
    WorkDone,
)
from huaxiao.shared.wire.earnings import Earnings
from huaxiao.shared.wire.fairness import FairnessReport
from huaxiao.shared.wire.orders import (
    Attachment,
    AttachmentKind,
    Crew,
    CrewIn,
    MaterialIn,
    NoteIn,
    OrderDetail,
    OrderIn,
    PredecessorsIn,
    SerialIn,
    TaskDoneIn,
    TaskIn,
)
from huaxiao.shared.wire.personal import (
    FullViewIn,
    OrderContact,
    TicketPlace,
)
from huaxiao.shared.wire.reverse import (
    ReverseAnswerIn,
    ReverseAppraisal,
    ReverseDecisionIn,
    Vote,
    VoteIn,
)
from huaxiao.shared.wire.scorecards import Scorecard, ScorecardIn, ScorecardInForceIn
from huaxiao.shared.wire.service_levels import (
    ClockWarning,
    Escalation,
    InForceIn,
    OrderClock,
    ServiceLevels,
    ServiceLevelsIn,
)
from huaxiao.shared.wire.tickets import (
    CategoryActivationIn,
    CategorySet,
    CategorySetIn,
    Ticket,
    TicketDetail,
    TicketIn,
    TicketReport,
    TicketState,
    TicketStepIn,
    UnitKind,
)


class DispatchClient(PlansClient, ErasingClient):
    """Asks the dispatch service."""

    async def orders(
        self,
        branch_id: int,
        *,
        state: OrderState | None = None,
        centre_id: str | None = None,
        engineer_id: str | None = None,
        crew_id: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Order]:
        """Return a page of orders by identifier."""
        params = {
            "state": state,
            "centre_id": centre_id,
            "engineer_id": engineer_id,
            "crew_id": crew_id,
            "cursor": cursor,
            "limit": limit,
        }
        page: Page[Order] = await self._get(
            Page[Order], f"/v1/branches/{branch_id}/orders", params=params
        )
        return page

    async def ask_for_order(self, branch_id: int, given: OrderIn) -> OrderDetail:
        """Ask for work; the same source and reference again is the same order."""
        made: OrderDetail = await self._post(OrderDetail, f"/v1/branches/{branch_id}/orders", given)
        return made

    async def order(self, branch_id: int, order_id: str) -> OrderDetail:
        """Return an order with its steps and all that belongs to it."""
        found: OrderDetail = await self._get(
            OrderDetail, f"/v1/branches/{branch_id}/orders/{order_id}"
        )
        return found

    async def see_order_contact(
        self, branch_id: int, order_id: str, given: FullViewIn
    ) -> OrderContact:
        """Return whom an order is for, and where; the view goes on record."""
        seen: OrderContact = await self._post(
            OrderContact, f"/v1/branches/{branch_id}/orders/{order_id}/full-views", given
        )
        return seen

    async def see_ticket_place(
        self, branch_id: int, ticket_id: str, given: FullViewIn
    ) -> TicketPlace:
        """Show where what a ticket is about is."""
        seen: TicketPlace = await self._post(
            TicketPlace, f"/v1/branches/{branch_id}/tickets/{ticket_id}/full-views", given
        )
        return seen

    async def step(self, branch_id: int, order_id: str, step: OrderStepIn) -> OrderDetail:
        """Take a step of an order."""
        moved: OrderDetail = await self._post(
            OrderDetail, f"/v1/branches/{branch_id}/orders/{order_id}/steps", step
        )
        return moved

    async def put_task(
        self, branch_id: int, order_id: str, task_id: str, given: TaskIn
    ) -> OrderDetail:
        """Add a task to an order, or change it."""
        return await self._put_part(branch_id, order_id, f"tasks/{task_id}", given)

    async def finish_task(
        self, branch_id: int, order_id: str, task_id: str, given: TaskDoneIn
    ) -> OrderDetail:
        """Say that a task is done."""
        return await self._put_part(branch_id, order_id, f"tasks/{task_id}/done", given)

    async def put_material(
        self, branch_id: int, order_id: str, material_id: str, given: MaterialIn
    ) -> OrderDetail:
        """Say what is planned or was used of a material."""
        return await self._put_part(branch_id, order_id, f"materials/{material_id}", given)

    async def put_serial(
        self, branch_id: int, order_id: str, serial_number: str, given: SerialIn
    ) -> OrderDetail:
        """Say what an order does with a device."""
        return await self._put_part(branch_id, order_id, f"serials/{serial_number}", given)

    async def put_predecessors(
        self, branch_id: int, order_id: str, given: PredecessorsIn
    ) -> OrderDetail:
        """Say which orders come before an order."""
        return await self._put_part(branch_id, order_id, "predecessors", given)

    async def _put_part(
        self,
        branch_id: int,
        order_id: str,
        part: str,
        given: TaskIn | TaskDoneIn | MaterialIn | SerialIn | PredecessorsIn,
    ) -> OrderDetail:
        changed: OrderDetail = await self._put(
            OrderDetail, f"/v1/branches/{branch_id}/orders/{order_id}/{part}", given
        )
        return changed

    async def add_note(self, branch_id: int, order_id: str, given: NoteIn) -> OrderDetail:
        """Write a note on an order."""
        noted: OrderDetail = await self._post(
            OrderDetail, f"/v1/branches/{branch_id}/orders/{order_id}/notes", given
        )
        return noted

    async def upload_attachment(
        self, branch_id: int, order_id: str, name: str, kind: AttachmentKind, content: bytes
    ) -> Attachment:
        """Upload a photo or a signature."""
        response = await self._send(
            "PUT",
            f"/v1/branches/{branch_id}/orders/{order_id}/attachments/{name}",
            params={"kind": kind},
            content=content,
            headers={"Idempotency-Key": str(new_id())},
        )
        return Attachment.model_validate_json(response.content)

    async def attachments(self, branch_id: int, order_id: str) -> list[Attachment]:
        """Return an order's attachments by name."""
        found: list[Attachment] = await self._get(
            list[Attachment], f"/v1/branches/{branch_id}/orders/{order_id}/attachments"
        )
        return found

    async def attachment(self, branch_id: int, order_id: str, name: str) -> bytes:
        """Return an attachment's content."""
        response = await self._send(
            "GET", f"/v1/branches/{branch_id}/orders/{order_id}/attachments/{name}"
        )
        return response.content

    async def put_crew(self, branch_id: int, crew_id: str, given: CrewIn) -> Crew:
        """Register a crew, or change it."""
        crew: Crew = await self._put(Crew, f"/v1/branches/{branch_id}/crews/{crew_id}", given)
        return crew

    async def crew(self, branch_id: int, crew_id: str) -> Crew:
        """Return a crew."""
        found: Crew = await self._get(Crew, f"/v1/branches/{branch_id}/crews/{crew_id}")
        return found

    async def crews(
        self, branch_id: int, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Crew]:
        """Return a page of crews."""
        page: Page[Crew] = await self._get(
            Page[Crew],
            f"/v1/branches/{branch_id}/crews",
            params={"cursor": cursor, "limit": limit},
        )
        return page

    async def appraise_horizontal(self, branch_id: int, given: HorizontalIn) -> Appraisal:
        """Rate a regional centre as the enterprise centre."""
        made: Appraisal = await self._post(
            Appraisal, f"/v1/branches/{branch_id}/appraisals/horizontal", given
        )
        return made

    async def confirm_appraisal(self, branch_id: int, appraisal_id: str) -> Appraisal:
        """Confirm a horizontal appraisal as its ratee."""
        confirmed: Appraisal = await self._post(
            Appraisal, f"/v1/branches/{branch_id}/appraisals/{appraisal_id}/confirm", None
        )
        return confirmed

    async def appraise_final(self, branch_id: int, given: FinalIn) -> Appraisal:
        """Rate an engineer as the engineer's centre."""
        made: Appraisal = await self._post(
            Appraisal, f"/v1/branches/{branch_id}/appraisals/final", given
        )
        return made

    async def appraisals(
        self,
        branch_id: int,
        *,
        period: int | None = None,
        kind: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Appraisal]:
        """Return a page of appraisals."""
        page: Page[Appraisal] = await self._get(
            Page[Appraisal],
            f"/v1/branches/{branch_id}/appraisals",
            params={"period": period, "kind": kind, "cursor": cursor, "limit": limit},
        )
        return page

    async def appraisal(self, branch_id: int, appraisal_id: str) -> Appraisal:
        """Return a card."""
        found: Appraisal = await self._get(Appraisal, _card(branch_id, appraisal_id))
        return found

    async def explanation(self, branch_id: int, appraisal_id: str) -> AppraisalExplanation:
        """Return why a score is what it is."""
        found: AppraisalExplanation = await self._get(
            AppraisalExplanation, f"{_card(branch_id, appraisal_id)}/explanation"
        )
        return found

    async def counted_orders(
        self,
        branch_id: int,
        appraisal_id: str,
        item: str,
        *,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[CountedOrder]:
        """Return a page of the orders that count on an item of a card."""
        page: Page[CountedOrder] = await self._get(
            Page[CountedOrder],
            f"{_card(branch_id, appraisal_id)}/orders",
            params={"item": item, "cursor": cursor, "limit": limit},
        )
        return page

    async def appraisal_history(self, branch_id: int, appraisal_id: str) -> AppraisalHistory:
        """Return everything that happened to a card."""
        found: AppraisalHistory = await self._get(
            AppraisalHistory, f"{_card(branch_id, appraisal_id)}/history"
        )
        return found

    async def appeal(
        self, branch_id: int, appraisal_id: str, item: str, given: AppealIn
    ) -> AppraisalHistory:
        """Appeal against an item of a card."""
        made: AppraisalHistory = await self._put(
            AppraisalHistory, f"{_card(branch_id, appraisal_id)}/appeals/{item}", given
        )
        return made

    async def answer_appeal(
        self, branch_id: int, appraisal_id: str, item: str, given: AppealAnswerIn
    ) -> AppraisalHistory:
        """Answer an appeal as the rater."""
        made: AppraisalHistory = await self._post(
            AppraisalHistory, f"{_card(branch_id, appraisal_id)}/appeals/{item}/answer", given
        )
        return made

    async def decide_appeal(
        self, branch_id: int, appraisal_id: str, item: str, given: AppealDecisionIn
    ) -> AppraisalHistory:
        """Decide an appeal."""
        made: AppraisalHistory = await self._post(
            AppraisalHistory, f"{_card(branch_id, appraisal_id)}/appeals/{item}/decision", given
        )
        return made

    async def correct_appraisal(
        self, branch_id: int, appraisal_id: str, given: CorrectionIn
    ) -> AppraisalHistory:
        """Correct a published card."""
        made: AppraisalHistory = await self._post(
            AppraisalHistory, f"{_card(branch_id, appraisal_id)}/corrections", given
        )
        return made

    async def draft_horizontal(
        self, branch_id: int, rater: str, ratee: str, period: int, given: HorizontalDraftIn
    ) -> AppraisalDraft:
        """Keep what is judged so far of a horizontal card."""
        kept: AppraisalDraft = await self._put(
            AppraisalDraft,
            f"/v1/branches/{branch_id}/appraisals/drafts/horizontal/{rater}/{ratee}/{period}",
            given,
        )
        return kept

    async def submit_horizontal(
        self, branch_id: int, rater: str, ratee: str, period: int
    ) -> Appraisal:
        """Submit a horizontal card as it was drafted."""
        made: Appraisal = await self._post(
            Appraisal,
            f"/v1/branches/{branch_id}/appraisals/drafts/horizontal/{rater}/{ratee}/{period}/submit",
            None,
        )
        return made

    async def draft_final(
        self, branch_id: int, person_id: str, period: int, given: FinalDraftIn
    ) -> AppraisalDraft:
        """Keep what is judged so far of an engineer's final card."""
        kept: AppraisalDraft = await self._put(
            AppraisalDraft,
            f"/v1/branches/{branch_id}/appraisals/drafts/final/{person_id}/{period}",
            given,
        )
        return kept

    async def submit_final(self, branch_id: int, person_id: str, period: int) -> Appraisal:
        """Submit a final card as it was drafted."""
        made: Appraisal = await self._post(
            Appraisal,
            f"/v1/branches/{branch_id}/appraisals/drafts/final/{person_id}/{period}/submit",
            None,
        )
        return made

    async def appraisal_month(self, branch_id: int, period: int) -> AppraisalMonth:
        """Return a month's calendar, and how far it has come."""
        found: AppraisalMonth = await self._get(
            AppraisalMonth, f"/v1/branches/{branch_id}/appraisal-months/{period}"
        )
        return found

    async def fairness(self, branch_id: int, *, period_from: int, period_to: int) -> FairnessReport:
        """Return the marks that deserve the county's look."""
        found: FairnessReport = await self._get(
            FairnessReport,
            f"/v1/branches/{branch_id}/appraisal-fairness",
            params={"period_from": period_from, "period_to": period_to},
        )
        return found

    async def scorecards(self, branch_id: int, *, period: int | None = None) -> Scorecard:
        """Return the scorecards in force in a month."""
        found: Scorecard = await self._get(
            Scorecard, f"/v1/branches/{branch_id}/scorecards", params={"period": period}
        )
        return found

    async def draft_scorecards(self, branch_id: int, version: int, given: ScorecardIn) -> Scorecard:
        """Draft a version of the scorecards."""
        drafted: Scorecard = await self._put(
            Scorecard, f"/v1/branches/{branch_id}/scorecards/versions/{version}", given
        )
        return drafted

    async def put_scorecards_in_force(
        self, branch_id: int, version: int, given: ScorecardInForceIn
    ) -> Scorecard:
        """Let a version be in force from a month on."""
        held: Scorecard = await self._post(
            Scorecard,
            f"/v1/branches/{branch_id}/scorecards/versions/{version}/put-in-force",
            given,
        )
        return held

    async def work_done(
        self,
        branch_id: int,
        *,
        period_from: int,
        period_to: int,
        known_at: datetime | None = None,
    ) -> WorkDone:
        """Return finished orders and confirmed scores of some months, as known at a moment."""
        found: WorkDone = await self._get(
            WorkDone,
            f"/v1/branches/{branch_id}/work-done",
            params={
                "period_from": period_from,
                "period_to": period_to,
                "known_at": known_at and known_at.isoformat(),
            },
        )
        return found

    async def published_scores(
        self,
        branch_id: int,
        *,
        period: int,
        kind: str | None = None,
        known_at: datetime | None = None,
    ) -> list[PublishedScore]:
        """Return the scores of a month's published cards, as was told of them by a moment."""
        return await self._all(
            PublishedScore,
            f"/v1/branches/{branch_id}/published-scores",
            params={
                "period": period,
                "kind": kind,
                "known_at": known_at and known_at.isoformat(),
            },
        )

    async def finished_orders(
        self,
        branch_id: int,
        *,
        period: int,
        centre_id: str | None = None,
        known_at: datetime | None = None,
    ) -> list[FinishedOrder]:
        """Return every order finished in a month, as known at a moment."""
        return await self._all(
            FinishedOrder,
            f"/v1/branches/{branch_id}/finished-orders",
            params={
                "period": period,
                "centre_id": centre_id,
                "known_at": known_at and known_at.isoformat(),
            },
        )

    async def raise_ticket(self, branch_id: int, ticket: TicketIn) -> TicketDetail:
        """Ask for support as a centre."""
        raised: TicketDetail = await self._post(
            TicketDetail, f"/v1/branches/{branch_id}/tickets", ticket
        )
        return raised

    async def tickets(
        self,
        branch_id: int,
        *,
        state: TicketState | None = None,
        category: str | None = None,
        owner_kind: UnitKind | None = None,
        owner_centre_id: str | None = None,
        overdue: bool | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Ticket]:
        """Return a page of support tickets, oldest first."""
        page: Page[Ticket] = await self._get(
            Page[Ticket],
            f"/v1/branches/{branch_id}/tickets",
            params={
                "state": state,
                "category": category,
                "owner_kind": owner_kind,
                "owner_centre_id": owner_centre_id,
                "overdue": overdue,
                "cursor": cursor,
                "limit": limit,
            },
        )
        return page

    async def ticket(self, branch_id: int, ticket_id: str) -> TicketDetail:
        """Return a support ticket with its clocks and steps."""
        found: TicketDetail = await self._get(
            TicketDetail, f"/v1/branches/{branch_id}/tickets/{ticket_id}"
        )
        return found

    async def step_ticket(self, branch_id: int, ticket_id: str, step: TicketStepIn) -> TicketDetail:
        """Take a step of a support ticket."""
        moved: TicketDetail = await self._post(
            TicketDetail, f"/v1/branches/{branch_id}/tickets/{ticket_id}/steps", step
        )
        return moved

    async def ticket_report(self, branch_id: int, *, period: int) -> TicketReport:
        """Return a period's tickets by category and owing unit."""
        found: TicketReport = await self._get(
            TicketReport, f"/v1/branches/{branch_id}/ticket-report", params={"period": period}
        )
        return found

    async def ticket_categories(self, branch_id: int) -> CategorySet:
        """Return the categories of support tickets in force today."""
        found: CategorySet = await self._get(
            CategorySet, f"/v1/branches/{branch_id}/ticket-categories"
        )
        return found

    async def draft_ticket_categories(
        self, branch_id: int, version: int, given: CategorySetIn
    ) -> CategorySet:
        """Draft a version of the categories."""
        drafted: CategorySet = await self._put(
            CategorySet, f"/v1/branches/{branch_id}/ticket-category-sets/{version}", given
        )
        return drafted

    async def activate_ticket_categories(
        self, branch_id: int, version: int, given: CategoryActivationIn
    ) -> CategorySet:
        """Put a drafted version in force, as a second person."""
        active: CategorySet = await self._post(
            CategorySet,
            f"/v1/branches/{branch_id}/ticket-category-sets/{version}/activate",
            given,
        )
        return active

    async def reverse_appraisal(
        self, branch_id: int, ratee_centre_id: str, period: int
    ) -> ReverseAppraisal:
        """Return the card of a support unit."""
        found: ReverseAppraisal = await self._get(
            ReverseAppraisal, _reverse(branch_id, ratee_centre_id, period)
        )
        return found

    async def vote(self, branch_id: int, ratee_centre_id: str, period: int, given: VoteIn) -> Vote:
        """Rate a support unit for one's centre."""
        cast: Vote = await self._post(
            Vote, f"{_reverse(branch_id, ratee_centre_id, period)}/votes", given
        )
        return cast

    async def votes(self, branch_id: int, ratee_centre_id: str, period: int) -> list[Vote]:
        """Return one's own vote, or all to those who watch over the county."""
        found: list[Vote] = await self._get(
            list[Vote], f"{_reverse(branch_id, ratee_centre_id, period)}/votes"
        )
        return found

    async def answer_reverse(
        self, branch_id: int, ratee_centre_id: str, period: int, given: ReverseAnswerIn
    ) -> ReverseAppraisal:
        """Agree with one's card as its ratee, or object to it."""
        answered: ReverseAppraisal = await self._post(
            ReverseAppraisal, f"{_reverse(branch_id, ratee_centre_id, period)}/answer", given
        )
        return answered

    async def decide_reverse(
        self, branch_id: int, ratee_centre_id: str, period: int, given: ReverseDecisionIn
    ) -> ReverseAppraisal:
        """Decide whether a card stands."""
        decided: ReverseAppraisal = await self._post(
            ReverseAppraisal, f"{_reverse(branch_id, ratee_centre_id, period)}/decision", given
        )
        return decided

    # --- service levels and clocks --------------------------------------------------------------

    async def service_levels(self, branch_id: int, *, on: date | None = None) -> ServiceLevels:
        """Return the service levels in force on a day."""
        found: ServiceLevels = await self._get(
            ServiceLevels,
            f"/v1/branches/{branch_id}/service-levels",
            params={"on": on and on.isoformat()},
        )
        return found

    async def draft_service_levels(
        self, branch_id: int, version: int, given: ServiceLevelsIn
    ) -> ServiceLevels:
        """Draft a version of the service levels."""
        drafted: ServiceLevels = await self._put(
            ServiceLevels, f"/v1/branches/{branch_id}/service-levels/versions/{version}", given
        )
        return drafted

    async def put_service_levels_in_force(
        self, branch_id: int, version: int, given: InForceIn
    ) -> ServiceLevels:
        """Let a version be in force from a day on."""
        held: ServiceLevels = await self._post(
            ServiceLevels,
            f"/v1/branches/{branch_id}/service-levels/versions/{version}/put-in-force",
            given,
        )
        return held

    async def order_clock(self, branch_id: int, order_id: str) -> OrderClock:
        """Return the service clock of an order."""
        found: OrderClock = await self._get(
            OrderClock, f"/v1/branches/{branch_id}/orders/{order_id}/clock"
        )
        return found

    async def clock_warnings(
        self,
        branch_id: int,
        *,
        escalated_to: Escalation | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[ClockWarning]:
        """Return a page of the warnings that clocks have given."""
        page: Page[ClockWarning] = await self._get(
            Page[ClockWarning],
            f"/v1/branches/{branch_id}/clock-warnings",
            params={"escalated_to": escalated_to, "cursor": cursor, "limit": limit},
        )
        return page

    # --- assets and rounds ----------------------------------------------------------------------

    async def put_asset(self, branch_id: int, asset_id: str, given: AssetIn) -> Asset:
        """Register an asset, or change it."""
        held: Asset = await self._put(Asset, f"/v1/branches/{branch_id}/assets/{asset_id}", given)
        return held

    async def assets(self, branch_id: int) -> list[Asset]:
        """Return the assets that the caller may see."""
        return await self._all(Asset, f"/v1/branches/{branch_id}/assets")

    async def round_coverage(self, branch_id: int, *, period: int) -> RoundCoverage:
        """Return what has become of the rounds of a period."""
        found: RoundCoverage = await self._get(
            RoundCoverage, f"/v1/branches/{branch_id}/rounds/coverage", params={"period": period}
        )
        return found

    # --- shifts, leave and appointments ---------------------------------------------------------

    async def put_shifts(self, branch_id: int, person_id: str, given: ShiftsIn) -> Shifts:
        """Say what a person works on some days."""
        held: Shifts = await self._put(
            Shifts, f"/v1/branches/{branch_id}/people/{person_id}/shifts", given
        )
        return held

    async def put_leave(
        self, branch_id: int, person_id: str, leave_id: str, given: LeaveIn
    ) -> Leave:
        """Say when a person is away."""
        held: Leave = await self._put(
            Leave, f"/v1/branches/{branch_id}/people/{person_id}/leaves/{leave_id}", given
        )
        return held

    async def cancel_leave(self, branch_id: int, person_id: str, leave_id: str) -> Leave:
        """Take a leave back."""
        held: Leave = await self._post(
            Leave, f"/v1/branches/{branch_id}/people/{person_id}/leaves/{leave_id}/cancel", None
        )
        return held

    async def set_appointment_rules(
        self, branch_id: int, given: AppointmentRulesIn
    ) -> AppointmentRules:
        """Set how the county makes appointments."""
        held: AppointmentRules = await self._put(
            AppointmentRules, f"/v1/branches/{branch_id}/appointment-rules", given
        )
        return held

    async def slots(
        self, branch_id: int, *, centre_id: str, kind: OrderKind, from_day: date, days: int = 7
    ) -> list[Slot]:
        """Return the slots in which a centre still has time for a kind of work."""
        found: list[Slot] = await self._get(
            list[Slot],
            f"/v1/branches/{branch_id}/slots",
            params={
                "centre_id": centre_id,
                "kind": kind,
                "from_day": from_day.isoformat(),
                "days": days,
            },
        )
        return found

    async def hold_slot(self, branch_id: int, given: AppointmentIn) -> Appointment:
        """Keep a slot for an order for some minutes."""
        held: Appointment = await self._post(
            Appointment, f"/v1/branches/{branch_id}/appointments", given
        )
        return held

    async def book_appointment(self, branch_id: int, appointment_id: str) -> Appointment:
        """Promise a held slot to the customer."""
        booked: Appointment = await self._post(
            Appointment, f"/v1/branches/{branch_id}/appointments/{appointment_id}/book", None
        )
        return booked

    async def move_appointment(
        self, branch_id: int, appointment_id: str, given: MoveIn
    ) -> Appointment:
        """Promise another slot in place of the one that was booked."""
        moved: Appointment = await self._post(
            Appointment, f"/v1/branches/{branch_id}/appointments/{appointment_id}/move", given
        )
        return moved

    async def release_appointment(
        self, branch_id: int, appointment_id: str, given: ReleaseIn
    ) -> Appointment:
        """Give an appointment up."""
        released: Appointment = await self._post(
            Appointment, f"/v1/branches/{branch_id}/appointments/{appointment_id}/release", given
        )
        return released

    async def appointments(
        self, branch_id: int, *, staffed: bool | None = None
    ) -> list[Appointment]:
        """Return the appointments that the caller may see; those nobody can make, if so asked."""
        return await self._all(
            Appointment, f"/v1/branches/{branch_id}/appointments", params={"staffed": staffed}
        )

    # --- earnings -------------------------------------------------------------------------------

    async def earnings(self, branch_id: int, *, period: int) -> Earnings:
        """Return what people earned of the orders finished in a period."""
        found: Earnings = await self._get(
            Earnings, f"/v1/branches/{branch_id}/earnings", params={"period": period}
        )
        return found


def _reverse(branch_id: int, ratee_centre_id: str, period: int) -> str:
    return f"/v1/branches/{branch_id}/reverse-appraisals/{ratee_centre_id}/{period}"


class FakeDispatch(FakeFeed):
    """Stands in for the dispatch service's feed."""


def _card(branch_id: int, appraisal_id: str) -> str:
    return f"/v1/branches/{branch_id}/appraisals/{appraisal_id}"
