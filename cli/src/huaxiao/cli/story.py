"""The sample county's month, step by step, over HTTP: what the demo shows and the journeys test."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self, TypeVar

from huaxiao.cli.sample import lead as sample_lead
from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM, County
from huaxiao.cli.sample.generator import Event, Sample
from huaxiao.cli.sample.registration import record_pay, register_county, sign_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.periods import Period, ends_at
from huaxiao.shared.provision import SERVICES
from huaxiao.shared.wire.attribution import (
    Explanation,
    HeldState,
    IntakeReport,
    Outcome,
    Reconciliation,
    Shortfall,
    UnresolvedShare,
)
from huaxiao.shared.wire.contracts import Coverage
from huaxiao.shared.wire.dispatch import (
    Appraisal,
    AppraisalKind,
    Evidence,
    FinalIn,
    HorizontalIn,
    Order,
    OrderState,
    OrderStepIn,
    StepName,
)
from huaxiao.shared.wire.kpi import Target, TargetReport, TargetsOf
from huaxiao.shared.wire.settlement import SettlementStatement
from huaxiao.shared.wire.shares import CapTable
from huaxiao.shared.wire.verification import SealVerification

BATCH = 1_000
PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.2
_ENGINEERS_AT_WORK = 4
_ENTERPRISE, _SERVED, _ENGINEER = "G1", "C1", "W01"
_MONTH_END = ends_at(Period(TERM_FROM)).date() - timedelta(days=1)
_OWN_SCORE = "92"
"""What the centre gives its engineer for the items it judges itself."""
_NEXT = {
    OrderState.DISPATCHED: StepName.ACCEPT,
    OrderState.REASSIGNED: StepName.ACCEPT,
    OrderState.ACCEPTED: StepName.START,
    OrderState.IN_PROGRESS: StepName.FINISH,
    OrderState.DONE: StepName.CONFIRM,
}
_HOURS = {StepName.ACCEPT: 1, StepName.START: 3, StepName.FINISH: 6, StepName.CONFIRM: 8}
_LATE_HOURS = 100
_LATE_SHARE = 0.06
Answer = TypeVar("Answer")
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Endpoints:
    """Where the suite's services are, and who signs tokens for them."""

    contracts: str
    attribution: str
    dispatch: str
    kpi: str
    issuer: Issuer
    gateway: str

    @classmethod
    def behind(cls, gateway: str, issuer: Issuer) -> Self:
        """Name the services of a suite behind one address."""
        services = {service: f"{gateway}/{service}" for service in SERVICES}
        return cls(gateway=gateway, issuer=issuer, **services)

    def token(
        self, role: Role, *, centre_ids: Sequence[str] | None = None, person: str | None = None
    ) -> Callable[[], str]:
        """Return a source of tokens for a part in the story."""
        return lambda: self.issuer.token(
            f"demo:{person or role}",
            roles=[role],
            branch_ids=[BRANCH_ID],
            centre_ids=None if centre_ids is None else list(centre_ids),
            person_id=person,
        )


class NotSeenError(RuntimeError):
    """A service did not come to know in time what another one had published."""


@dataclass
class Taken:
    """What became of everything that was posted."""

    received: int = 0
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    """Events that were not booked just now, by code."""

    def add(self, report: IntakeReport) -> None:
        """Add a batch."""
        self.received += report.received
        self.outcomes[Outcome.BOOKED] += report.booked
        for one in report.outcomes:
            self.outcomes[one.outcome] += 1
            self.codes[one.code] += 1


@dataclass(frozen=True)
class Story:
    """The month's steps, each safe to take again."""

    suite: Endpoints
    county: County
    sample: Sample
    contracts: ContractsClient
    attribution: AttributionClient
    billing: AttributionClient
    dispatch: DispatchClient
    kpi: KpiClient

    def speaker(self, role: Role, centre_id: str | None) -> ContractsClient:
        """Connect to contracts as somebody of a role, of a centre or of none."""
        centre_ids = None if centre_id is None else [centre_id]
        return ContractsClient(
            self.suite.contracts,
            self.suite.token(
                role, centre_ids=centre_ids, person=centre_id and f"{role}-{centre_id}"
            ),
        )

    async def register(self) -> Coverage:
        """Register the county, sign its contracts, record the month's pay; return the coverage."""
        async with self.speaker(Role.PROVINCE, None) as province:
            await register_county(self.contracts, self.county, second=province)
        await sign_contracts(self.speaker, self.county, self.sample.base)
        await record_pay(self.contracts, self.county, self.sample.payroll)
        return await self.contracts.coverage(BRANCH_ID, period=TERM_FROM)

    async def wait_for_attribution(self) -> None:
        """Wait until attribution has followed everything contracts has published."""
        published = 0
        while entries := await self.contracts.feed(BRANCH_ID, after=published):
            published = entries[-1].position

        async def followed() -> bool:
            try:
                standing = await self.attribution.standing(BRANCH_ID)
            except PeerProblem:
                return False
            return standing.contracts_position >= published

        await until(followed, "attribution follows contracts")

    async def post(self, events: Sequence[Event], progress: Progress) -> Taken:
        """Post events in batches, as a billing system would."""
        taken = Taken()
        for start in range(0, len(events), BATCH):
            batch = events[start : start + BATCH]
            taken.add(await self.billing.post_events(batch))
            progress(len(batch))
        return taken

    async def mend(self) -> IntakeReport:
        """Find the first event of a wrong form in quarantine, and replay it in its right form.

        When it was mended before, its wrong form is known by now, and the right one is sent again.
        """
        wanted = self.sample.mended["id"]
        cursor: str | None = None
        while True:
            page = await self.attribution.quarantine(BRANCH_ID, state=HeldState.HELD, cursor=cursor)
            for held in page.items:
                if held.event_id == wanted:
                    return await self.attribution.replay(
                        BRANCH_ID, held.held_id, self.sample.mended
                    )
            cursor = page.next_cursor
            if cursor is None:
                return await self.billing.post_events([self.sample.mended])

    async def books(self) -> Reconciliation:
        """Return the month's books against their events."""
        return await self.attribution.reconciliation(BRANCH_ID, TERM_FROM)

    async def settle(self) -> list[SettlementStatement]:
        """Draft the month's statements, and return them line by line."""
        await self.contracts.settle(BRANCH_ID, TERM_FROM)
        return [
            await self.contracts.settlement_statement(BRANCH_ID, one.contract_id, TERM_FROM)
            for one in await self.contracts.settlement_statements(BRANCH_ID, period=TERM_FROM)
        ]

    async def recomputed(self, statements: Sequence[SettlementStatement]) -> bool:
        """Have every statement computed again from its inputs; true when all agree."""
        found = [
            await self.contracts.verify_settlement(BRANCH_ID, one.contract_id, one.period)
            for one in statements
        ]
        return all(one.agrees for one in found)

    async def sealed(self) -> SealVerification:
        """Have every seal computed again."""
        return await self.contracts.verify_seals(BRANCH_ID)

    async def shareholders(self) -> CapTable:
        """Return who holds the operating company at the month's end."""
        return await self.contracts.cap_table(BRANCH_ID, on=_MONTH_END)

    async def lead_earns(self) -> dict[str, int]:
        """Bring a lead, convert it, have its line paid; return what its people have of it (R16)."""
        token = self.suite.token(Role.ENGINEER, person=sample_lead.BRINGER)
        async with ContractsClient(self.suite.contracts, token) as bringer:
            brought = await bringer.leads(BRANCH_ID)
            lead = (
                brought[0] if brought else await bringer.bring_lead(BRANCH_ID, sample_lead.PROSPECT)
            )
        await self.contracts.decide_lead(BRANCH_ID, lead.lead_id, sample_lead.APPROVAL)
        lead = await self.contracts.convert_lead(BRANCH_ID, lead.lead_id, sample_lead.CONVERSION)
        if lead.approved_on is None:
            raise NotSeenError(f"lead {lead.lead_id} has no day of approval")
        await self.wait_for_attribution()
        await self.billing.post_events(sample_lead.line_events(lead.approved_on))
        period = sample_lead.earned_in(lead.approved_on)
        earned: Counter[str] = Counter()
        for one in await self.attribution.commissions(BRANCH_ID, period=period):
            if one.lead_id == lead.lead_id:
                earned[one.person_id] += one.amount_fen
        return dict(earned)

    async def unresolved(self) -> UnresolvedShare:
        """Return how much of the month nobody owns."""
        found = (await self.attribution.period(BRANCH_ID, TERM_FROM)).unresolved
        if found is None:
            raise NotSeenError(f"what is unresolved of {TERM_FROM} is not shown")
        return found

    async def cash_in_fen(self) -> int:
        """Return what was paid in the month."""
        balances = await self.attribution.balances(BRANCH_ID, period=TERM_FROM)
        return sum(one.amount_fen for one in balances if one.account == "cash.in")

    async def shortfalls(self) -> list[Shortfall]:
        """Return the month's payments that did not reach the bank whole (NL-05)."""
        return await self.attribution.shortfalls(BRANCH_ID, period=TERM_FROM)

    async def explain_planted(self) -> dict[str, list[Explanation]]:
        """Ask why each planted case belongs where it does."""
        return {
            case: [
                await self.attribution.explanation(BRANCH_ID, one, period=TERM_FROM)
                for one in subscription_ids
            ]
            for case, subscription_ids in self.sample.expected.planted.items()
        }

    # --- work -----------------------------------------------------------------------------------

    async def orders(self) -> list[Order]:
        """Wait until every order that BSS requested has its engineer; return them."""
        requested = {
            event["data"]["order_id"]
            for event in self.sample.events
            if event.get("type") == "work.requested"
        }
        found: list[Order] = []

        async def given_out() -> bool:
            found[:] = [one for one in await self.orders_now() if one.order_id in requested]
            given = [one for one in found if one.state is not OrderState.NEW]
            return len(given) == self.sample.expected.orders

        await until(given_out, "dispatch gives every requested order to an engineer")
        return found

    async def orders_now(self) -> list[Order]:
        """Return every order, whoever asked for it."""
        found: list[Order] = []
        cursor: str | None = None
        while True:
            page = await self.dispatch.orders(BRANCH_ID, cursor=cursor, limit=500)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def work(self, orders: Sequence[Order], progress: Progress) -> list[Order]:
        """Take every order to its end, some late, one reported done with its ONU offline (NL-15)."""
        at_work = asyncio.Semaphore(_ENGINEERS_AT_WORK)
        async with AsyncExitStack() as stack:
            engineers = {
                person: await stack.enter_async_context(self.somebody(Role.ENGINEER, person))
                for person in sorted({one.engineer_id for one in orders if one.engineer_id})
            }

            async def work_one(order: Order, *, offline: bool) -> Order:
                async with at_work:
                    done = await self.work_one(order, engineers, offline=offline)
                progress(1)
                return done

            return await asyncio.gather(
                *(work_one(one, offline=one is orders[0]) for one in orders)
            )

    async def work_one(
        self, order: Order, engineers: Mapping[str, DispatchClient], *, offline: bool
    ) -> Order:
        """Take an order to its end, each step by whoever it is with."""
        # The same order goes the same way in every run.
        chance = random.Random(order.order_id)  # noqa: S311 - reproducible, not secret
        late = chance.random() < _LATE_SHARE
        satisfaction = chance.randrange(85, 101)
        while order.state in _NEXT:
            step = _NEXT[order.state]
            hours = _HOURS[step] + (_LATE_HOURS if late and step is not StepName.ACCEPT else 0)
            evidence = Evidence()
            if step is StepName.FINISH:
                evidence = Evidence(
                    onu_online=not offline,
                    photo=True,
                    first_contact_at=order.requested_at + timedelta(minutes=10),
                    appointment_kept=not late,
                    satisfaction=satisfaction,
                )
            given = OrderStepIn(
                step=step, at=order.requested_at + timedelta(hours=hours), evidence=evidence
            )
            by = self.dispatch
            if step is not StepName.CONFIRM and order.engineer_id is not None:
                by = engineers[order.engineer_id]
            order = await by.step(BRANCH_ID, order.order_id, given)
        return order

    async def appraise(self) -> tuple[Appraisal, Appraisal]:
        """Let the enterprise centre rate the town centre, and the town centre its engineer."""
        async with (
            self.contractor(_ENTERPRISE) as rater,
            self.contractor(_SERVED) as served,
        ):
            horizontal = await _made_or_found(
                rater,
                AppraisalKind.HORIZONTAL,
                rater.appraise_horizontal(
                    BRANCH_ID,
                    HorizontalIn(
                        period=TERM_FROM,
                        rater_centre_id=_ENTERPRISE,
                        ratee_centre_id=_SERVED,
                        cooperation_stars=4,
                    ),
                ),
            )
            horizontal = await served.confirm_appraisal(BRANCH_ID, horizontal.appraisal_id)
            final = await _made_or_found(
                served,
                AppraisalKind.FINAL,
                served.appraise_final(
                    BRANCH_ID,
                    FinalIn(period=TERM_FROM, person_id=_ENGINEER, own_score=_OWN_SCORE),
                ),
            )
        return horizontal, final

    def contractor(self, centre_id: str) -> DispatchClient:
        """Connect to dispatch as a centre's contractor."""
        (contract,) = (one for one in self.county.contracts if one.centre_id == centre_id)
        token = self.suite.token(
            Role.CONTRACTOR, centre_ids=[centre_id], person=contract.contractor_id
        )
        return DispatchClient(self.suite.dispatch, token)

    def somebody(self, role: Role, person: str) -> DispatchClient:
        """Connect to dispatch as a person in a role."""
        return DispatchClient(self.suite.dispatch, self.suite.token(role, person=person))

    # --- targets --------------------------------------------------------------------------------

    async def targets(self) -> TargetReport:
        """Wait until kpi has followed all of it: the books, the pay, the orders; return its judgement."""
        booked = (await self.books()).booked_fen
        pay = sum(one.pay_fen for one in self.sample.payroll)
        report: list[TargetReport] = []

        async def followed() -> bool:
            try:
                report[:] = [await self.kpi.targets(BRANCH_ID, period=TERM_FROM)]
            except PeerProblem:
                return False
            county = report[0].county
            done = sum(
                one.amount
                for one in await self.kpi.measures(BRANCH_ID, period=TERM_FROM)
                if one.measure == "orders.done"
            )
            return (
                county is not None
                and component(county, "revenue") == booked
                and component(county, "pay") == pay
                and done == self.sample.expected.orders
            )

        await until(followed, "kpi follows the other three")
        return report[0]


@asynccontextmanager
async def telling(suite: Endpoints, county: County, sample: Sample) -> AsyncIterator[Story]:
    """Connect to the services, each as somebody who may do that part."""
    manager, billing = suite.token(Role.COUNTY_MANAGER), suite.token(Role.BSS_SOURCE)
    async with (
        ContractsClient(suite.contracts, manager) as contracts,
        AttributionClient(suite.attribution, manager) as attribution,
        AttributionClient(suite.attribution, billing) as source,
        DispatchClient(suite.dispatch, manager) as dispatch,
        KpiClient(suite.kpi, manager) as kpi,
    ):
        yield Story(suite, county, sample, contracts, attribution, source, dispatch, kpi)


def component(of: TargetsOf, name: str) -> int | None:
    """Return a component of any of the targets, by name."""
    for target in of.targets:
        for one in target.components:
            if one.name == name:
                return one.amount
    return None


def target_of(of: TargetsOf, name: str) -> Target:
    """Return one of the three targets."""
    return next(one for one in of.targets if one.target == name)


async def until(
    holds: Callable[[], Awaitable[bool]], what: str, *, patience: float = PATIENCE_SECONDS
) -> None:
    """Wait for what another process will do, for so many seconds.

    Raises:
        NotSeenError: it was not done in time.

    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while not await holds():
        if loop.time() > deadline:
            raise NotSeenError(f"waited {patience:.0f} s in vain until {what}")
        await asyncio.sleep(_POLL_SECONDS)


async def _made_or_found(
    client: DispatchClient, kind: AppraisalKind, making: Awaitable[Appraisal]
) -> Appraisal:
    """Make an appraisal, or return the one that was made before."""
    try:
        return await making
    except PeerProblem as problem:
        if problem.code != "conflict":
            raise
    page = await client.appraisals(BRANCH_ID)
    return next(one for one in page.items if one.kind is kind and one.period == TERM_FROM)
