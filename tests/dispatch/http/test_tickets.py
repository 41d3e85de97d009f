"""Support tickets over HTTP: who may do what, what is refused, and what happens by itself."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from support.work import centre, entry, person, work

from huaxiao.dispatch.domain.level_table import DEFAULT_TABLE
from huaxiao.dispatch.domain.ticket_categories import DEFAULT_CATEGORIES
from huaxiao.dispatch.settings import Settings
from huaxiao.dispatch.tables import tickets
from huaxiao.dispatch.tickets import histories, timing
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.database import Database
from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.appointments import AppointmentRulesIn
from huaxiao.shared.wire.service_levels import InForceIn
from huaxiao.shared.wire.tickets import (
    TICKET_CLOSED,
    TICKET_ESCALATED,
    TICKET_RAISED,
    TICKET_REOPENED,
    Boundary,
    CategoryActivationIn,
    CategorySetIn,
    ClosedHow,
    OwnerClause,
    OwnerRule,
    Supervisor,
    TicketCategory,
    TicketIn,
    TicketState,
    TicketStepIn,
    TicketStepName,
    TimerName,
    Unit,
    UnitKind,
)

S, N = TicketState, TicketStepName
MONDAY = datetime(2017, 11, 6, 10, tzinfo=BUSINESS_ZONE)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LISTED = {
    "field_id": "F2",
    "kind": "customer",
    "centre_id": "G1",
    "name_zh": "名单",
    "term_from": 201711,
    "term_to": 201810,
    "scope": {"customers": [{"customer_id": "K9", "segment": "key_account"}]},
    "digest": "d",
}


@pytest.fixture
def clock(app: Any) -> Iterator[Callable[[datetime], None]]:
    """Let the service's clock stand at a moment, and move it."""
    real = app.state.clock

    def to(moment: datetime) -> None:
        app.state.clock = lambda: moment

    to(MONDAY)
    yield to
    app.state.clock = real


@pytest.fixture
async def branch(app: Any, county: Any, clock: Any) -> Any:
    """Return a county with a support centre, a second town and a list of customers."""
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(
            connection,
            county,
            [
                centre(county, "SS", "support"),
                centre(county, "C2", "township"),
                person(county, "P01", "C1"),
                entry(county, "contracts.field.sealed", LISTED),
            ],
        )
    return county


class People:
    """Everybody who has to do with a ticket, by what they do."""

    def __init__(self, caller_of: Any, branch: Any) -> None:
        self._caller_of, self.branch = caller_of, branch
        self.town = self.of(Role.CONTRACTOR, ["C1"])
        self.other_town = self.of(Role.CONTRACTOR, ["C2"])
        self.enterprise = self.of(Role.CONTRACTOR, ["G1"])
        self.support = self.of(Role.SUPPORT_CENTRE)
        self.manager = self.of(Role.COUNTY_MANAGER)

    def of(self, role: Any, centre_ids: Any = None) -> Any:
        return self._caller_of(self.branch, role, centre_ids)

    async def raised(self, by: Any = None, **given: Any) -> Any:
        ticket = {
            "raiser_centre_id": "C1",
            "category": "it_coordination",
            "title": "系统报错",
            "text": "开户页面报错",
        }
        return await (by or self.town).raise_ticket(
            self.branch, TicketIn.model_validate(ticket | given)
        )

    async def step(self, by: Any, ticket: Any, name: Any, **said: Any) -> Any:
        given = TicketStepIn.model_validate({"step": name} | said)
        return await by.step_ticket(self.branch, ticket.ticket_id, given)

    async def answered(self) -> Any:
        ticket = await self.raised()
        await self.step(self.support, ticket, N.ACCEPT)
        return await self.step(self.support, ticket, N.ANSWER, text="已修复")

    async def facts(self) -> list[tuple[str, dict[str, Any]]]:
        feed = await self.manager.feed(self.branch, after=0)
        return [(one.type, one.data) for one in feed if ".ticket." in one.type]


@pytest.fixture
def people(caller_of: Any, branch: Any) -> People:
    return People(caller_of, branch)


async def refusal(of: Any) -> tuple[int, str]:
    with pytest.raises(PeerProblem) as refused:
        await of
    return refused.value.status, refused.value.code


# --- the way of a ticket ------------------------------------------------------------------------


async def test_a_ticket_goes_from_its_raiser_to_the_support_centre_and_back(
    people: Any, clock: Any
) -> None:
    raised = await people.raised()
    assert (raised.state, raised.owner, raised.owner_found) == (
        S.RAISED,
        Unit(centre_id="SS"),
        True,
    )
    assert raised.due_at == MONDAY + 48 * HOUR
    assert {one.timer: one.due_at for one in raised.timers} == {
        TimerName.FIRST_REPLY: MONDAY + 2 * HOUR,
        TimerName.TARGET: MONDAY + 48 * HOUR,
        TimerName.LIMIT: MONDAY + 168 * HOUR,
    }
    clock(MONDAY + HOUR)
    await people.step(people.support, raised, N.ACCEPT)
    clock(MONDAY + 3 * HOUR)
    answered = await people.step(people.support, raised, N.ANSWER, text="已修复")
    target = next(one for one in answered.timers if one.timer is TimerName.TARGET)
    assert (target.used_seconds, target.running, target.stopped_because) == (
        3 * 3600,
        False,
        "answered",
    )
    clock(MONDAY + 4 * HOUR)
    closed = await people.step(people.town, raised, N.CLOSE)
    assert (closed.state, closed.closed_how, closed.on_time) == (S.CLOSED, ClosedHow.RAISER, True)
    assert [(one.step, one.at - MONDAY, one.by) for one in closed.steps] == [
        ("raise", 0 * HOUR, "test:contractor"),
        ("accept", HOUR, "test:support_centre"),
        ("answer", 3 * HOUR, "test:support_centre"),
        ("close", 4 * HOUR, "test:contractor"),
    ]
    assert [kind for kind, _ in await people.facts()] == [TICKET_RAISED, TICKET_CLOSED]


async def test_the_unit_that_owes_a_ticket_cannot_close_it(people: Any) -> None:
    answered = await people.answered()
    both = people.of(Role.CONTRACTOR)  # a token of every centre speaks for the owing one as well
    member = people.of(Role.ENGINEER, ["SS"])
    for owing in (people.support, both, member):
        refused = await refusal(people.step(owing, answered, N.CLOSE, reason="done"))
        assert refused == (403, "owing-unit-may-not-close")
    # What a centre owes to itself is not for it to close either.
    own = await people.raised(
        category="retention",
        about={"customer_id": "K9", "customer_is_vip": False},
        raiser_centre_id="G1",
        by=people.enterprise,
    )
    assert own.owner == Unit(centre_id="G1")
    assert await refusal(people.step(people.enterprise, own, N.CLOSE, reason="done")) == (
        403,
        "owing-unit-may-not-close",
    )
    refused = await refusal(people.step(people.manager, own, N.CLOSE))
    assert refused == (422, "malformed")
    closed = await people.step(people.manager, own, N.CLOSE, reason="重复提单")
    assert closed.closed_how is ClosedHow.COUNTY_MANAGER


async def test_returned_and_resubmitted_the_clock_stops_with_its_reason(
    people: Any, clock: Any
) -> None:
    ticket = await people.raised(urgency="urgent")
    clock(MONDAY + HOUR)
    returned = await people.step(people.support, ticket, N.RETURN, reason="缺少截图")
    target = next(one for one in returned.timers if one.timer is TimerName.TARGET)
    assert (target.due_at, target.running, target.stopped_because) == (None, False, "缺少截图")
    assert returned.due_at is None
    clock(MONDAY + 2 * DAY)
    assert not (await people.town.ticket(people.branch, ticket.ticket_id)).overdue
    again = await people.step(people.town, ticket, N.RESUBMIT, text="截图见附件")
    assert (again.state, again.due_at) == (S.ACCEPTED, MONDAY + 2 * DAY + 3 * HOUR)
    assert await refusal(people.step(people.town, ticket, N.RESUBMIT, text="x")) == (
        409,
        "ticket-step-not-allowed",
    )


async def test_handed_over_another_unit_owes_it_and_the_clock_goes_on(
    people: Any, clock: Any
) -> None:
    ticket = await people.raised()
    moved = await people.step(
        people.support, ticket, N.HAND_OVER, reason="属建维职责", to={"centre_id": "B1"}
    )
    assert (moved.state, moved.owner, moved.due_at) == (
        S.HANDED_OVER,
        Unit(centre_id="B1"),
        ticket.due_at,
    )
    assert await refusal(people.step(people.support, ticket, N.ACCEPT)) == (403, "not-your-ticket")
    build = people.of(Role.CONTRACTOR, ["B1"])
    assert (await people.step(build, ticket, N.ACCEPT)).state is S.ACCEPTED
    away = await people.step(
        build, ticket, N.HAND_OVER, reason="市公司系统", to={"kind": "city_company"}
    )
    assert away.owner == Unit(kind=UnitKind.CITY_COMPANY)
    # Who is no unit of the branch is spoken for at the one point of entry.
    assert (await people.step(people.support, ticket, N.ACCEPT)).state is S.ACCEPTED


async def test_a_closed_ticket_is_reopened_by_its_raiser_within_seven_days(
    people: Any, clock: Any
) -> None:
    answered = await people.answered()
    await people.step(people.town, answered, N.CLOSE)
    clock(MONDAY + 7 * DAY)
    assert await refusal(people.step(people.support, answered, N.REOPEN, reason="x")) == (
        403,
        "not-your-ticket",
    )
    again = await people.step(people.town, answered, N.REOPEN, reason="又报错")
    assert (again.state, again.closed_at, again.closed_how) == (S.REOPENED, None, None)
    assert [kind for kind, _ in await people.facts()] == [
        TICKET_RAISED,
        TICKET_CLOSED,
        TICKET_REOPENED,
    ]
    await people.step(people.town, answered, N.CLOSE, reason="自行恢复")
    clock(MONDAY + 15 * DAY)
    assert await refusal(people.step(people.town, answered, N.REOPEN, reason="x")) == (
        409,
        "ticket-step-not-allowed",
    )


async def test_a_complaint_keeps_whose_it_is_and_who_said_so(people: Any, clock: Any) -> None:
    ticket = await people.raised(category="complaint", about={"customer_id": "K9"})
    assert (ticket.owner, ticket.boundary) == (Unit(centre_id="SS"), None)
    await people.step(people.support, ticket, N.ACCEPT)
    refused = await refusal(people.step(people.support, ticket, N.ANSWER, text="好"))
    assert refused == (409, "boundary-open")
    refused = await refusal(
        people.step(people.town, ticket, N.DECIDE_BOUNDARY, reason="x", boundary="centre")
    )
    assert refused == (403, "not-your-ticket")
    decided = await people.step(
        people.support, ticket, N.DECIDE_BOUNDARY, reason="名单客户", boundary="centre"
    )
    assert (decided.owner, decided.state) == (Unit(centre_id="G1"), S.HANDED_OVER)
    assert (decided.boundary, decided.boundary_decided_by) == (
        Boundary.CENTRE,
        "test:support_centre",
    )
    assert decided.boundary_decided_at == MONDAY
    company = await people.step(
        people.manager,
        ticket,
        N.DECIDE_BOUNDARY,
        reason="资费政策",
        boundary="company_service",
    )
    assert company.owner == Unit(kind=UnitKind.COMPANY_SERVICE)
    assert company.boundary_decided_by == "test:county_manager"


async def test_retention_goes_by_vip_by_list_by_address_and_to_the_manager_else(
    people: Any, request_work: Any
) -> None:
    await request_work(work(people.branch, "O1"))

    async def owner(**about: Any) -> Any:
        ticket = await people.raised(category="retention", about=about)
        return ticket.owner.kind, ticket.owner.centre_id, ticket.owner_found

    assert await owner(customer_id="K9", customer_is_vip=True) == ("city_company", None, True)
    assert await owner(customer_id="K9", customer_is_vip=False) == ("centre", "G1", True)
    assert await owner(customer_id="K1", customer_is_vip=False) == ("centre", "C1", True)
    assert await owner(customer_id="X", customer_is_vip=False, standard_address="130123100201") == (
        "centre",
        "C1",
        True,
    )
    assert await owner(customer_id="X", customer_is_vip=False) == ("support_manager", "SS", False)


# --- who sees what, and what is refused ---------------------------------------------------------


async def test_a_contractor_sees_what_its_centre_raised_or_owes_and_support_sees_all(
    people: Any,
) -> None:
    mine = await people.raised()
    owed = await people.raised(
        category="retention", about={"customer_id": "K9", "customer_is_vip": False}
    )

    async def seen(by: Any, **filters: Any) -> list[str]:
        return [one.ticket_id for one in (await by.tickets(people.branch, **filters)).items]

    both = [mine.ticket_id, owed.ticket_id]
    assert await seen(people.town) == both
    assert await seen(people.support) == both
    assert await seen(people.of(Role.SUPPORT_CENTRE, ["SS"])) == both
    assert await seen(people.manager) == both
    assert await seen(people.enterprise) == [owed.ticket_id]
    assert await seen(people.other_town) == []
    assert (await refusal(people.other_town.ticket(people.branch, mine.ticket_id)))[0] == 404
    assert (await refusal(people.step(people.other_town, mine, N.ACCEPT)))[0] == 404
    assert (await people.other_town.ticket_report(people.branch, period=201711)).lines == []

    assert await seen(people.support, category="retention") == [owed.ticket_id]
    assert await seen(people.support, owner_centre_id="SS") == [mine.ticket_id]
    assert await seen(people.support, owner_kind=UnitKind.CITY_COMPANY) == []
    assert await seen(people.support, state=S.ACCEPTED) == []
    assert await seen(people.support, overdue=True) == []
    assert await seen(people.support, overdue=False) == both
    first = await people.support.tickets(people.branch, limit=1)
    assert await seen(people.support, cursor=first.next_cursor) == [owed.ticket_id]


async def test_what_is_overdue_is_found(people: Any, clock: Any) -> None:
    late = await people.raised(urgency="urgent")
    await people.raised()
    clock(MONDAY + 4 * HOUR)
    assert (await people.support.tickets(people.branch, overdue=True)).items == []
    clock(MONDAY + 4 * HOUR + timedelta(seconds=1))
    overdue = (await people.support.tickets(people.branch, overdue=True)).items
    assert [(one.ticket_id, one.overdue) for one in overdue] == [(late.ticket_id, True)]


async def test_nobody_raises_a_ticket_for_a_centre_that_is_not_theirs(people: Any) -> None:
    for by, centre_id in (
        (people.town, "C2"),
        (people.support, "C1"),
        (people.of(Role.CONTRACTOR, ["X9"]), "X9"),
    ):
        assert await refusal(people.raised(by=by, raiser_centre_id=centre_id)) == (
            404,
            "not-found",
        )
    assert await refusal(people.raised(by=people.manager)) == (403, "forbidden")
    own = await people.raised(by=people.support, raiser_centre_id="SS")
    assert own.raiser_centre_id == "SS"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"category": "nothing"}, "/category"),
        ({"category": "Not A Code"}, "/category"),
        ({"category": "retention"}, "/about/customer_id"),
        ({"category": "retention", "about": {"customer_id": "K1"}}, "/about/customer_is_vip"),
        ({"about": {"order_id": "O404"}}, "/about/order_id"),
        ({"about": {"colour": "red"}}, "/about/colour"),
        ({"about": {"customer_is_vip": "yes"}}, "/about/customer_is_vip"),
        ({"title": ""}, "/title"),
        ({"text": "\x00"}, "/text"),
        ({"urgency": "soon"}, "/urgency"),
        ({"text": "x" * 4001}, "/text"),
    ],
)
async def test_bad_tickets_are_refused_where_they_are_bad(
    people: Any, http: Any, token: Any, changes: Any, pointer: Any
) -> None:
    given = {"raiser_centre_id": "C1", "category": "it_coordination", "title": "t", "text": "t"}
    answer = await http.post(
        f"/v1/branches/{people.branch}/tickets",
        json=given | changes,
        headers={"Authorization": f"Bearer {token(Role.CONTRACTOR, people.branch, ['C1'])}"},
    )
    assert answer.status_code == 422
    pointers = [one["pointer"].removeprefix("/body") for one in answer.json()["errors"]]
    assert pointer in pointers


async def test_an_order_of_others_cannot_be_asked_about(people: Any, request_work: Any) -> None:
    await request_work(work(people.branch, "O1"))
    assert (await people.raised(about={"order_id": "O1"})).about.order_id == "O1"
    refused = await refusal(
        people.raised(by=people.other_town, raiser_centre_id="C2", about={"order_id": "O1"})
    )
    assert refused == (422, "malformed")


async def test_bad_steps_are_refused(people: Any) -> None:
    ticket = await people.raised()
    for said in (
        {"reason": "x"},
        {"reason": "x", "to": {"centre_id": "X9"}},
        {"to": {"centre_id": "B1"}},
    ):
        refused = await refusal(people.step(people.support, ticket, N.HAND_OVER, **said))
        assert refused == (422, "malformed")
    for said in ({"to": {"centre_id": "B1"}}, {"boundary": "centre"}):
        assert await refusal(people.step(people.support, ticket, N.ACCEPT, **said)) == (
            422,
            "malformed",
        )
    for to in ("SS", "C1"):
        refused = await refusal(
            people.step(people.support, ticket, N.HAND_OVER, reason="x", to={"centre_id": to})
        )
        assert refused == (409, "ticket-step-not-allowed")
    assert await refusal(people.step(people.of(Role.AUDITOR), ticket, N.ACCEPT)) == (
        403,
        "forbidden",
    )
    missing = ticket.model_copy(update={"ticket_id": "T404"})
    assert await refusal(people.step(people.support, missing, N.ACCEPT)) == (404, "not-found")


# --- what happens by itself ---------------------------------------------------------------------


def escalations(facts: Any) -> list[tuple[str, int, float, Any]]:
    return [
        (
            data["timer"],
            data["percent"],
            (datetime.fromisoformat(data["at"]) - MONDAY) / HOUR,
            data["supervisor"],
        )
        for kind, data in facts
        if kind == TICKET_ESCALATED
    ]


WHOLE_WAY = [
    ("first_reply", 100, 2.0, None),
    ("target", 80, 31.2, None),
    ("target", 100, 48.0, "support_manager"),
    ("target", 150, 72.0, "general_manager"),
    ("limit", 100, 168.0, "general_manager"),
]


async def test_what_passes_its_target_is_supervised_and_each_mark_is_told_once(
    people: Any, app: Any, clock: Any
) -> None:
    ticket = await people.raised()
    for hours in (1, 2.5, 40, 47.9, 50, 50, 75, 200, 400):
        now = MONDAY + hours * HOUR
        clock(now)
        await timing.catch_up(app.state.database, now=now)
        await timing.catch_up(app.state.database, now=now)
    assert escalations(await people.facts()) == WHOLE_WAY
    found = await people.manager.ticket(people.branch, ticket.ticket_id)
    assert (found.supervisor, found.supervised_at) == (
        Supervisor.GENERAL_MANAGER,
        MONDAY + 48 * HOUR,
    )
    assert (found.overdue, found.state) == (True, S.RAISED)
    assert [(one.timer, one.percent) for one in found.escalations] == [
        (timer, percent) for timer, percent, _, _ in WHOLE_WAY
    ]


async def test_who_supervises_is_never_somebody_lower_than_before(
    people: Any, app: Any, clock: Any
) -> None:
    ticket = await people.raised()
    clock(MONDAY + 75 * HOUR)
    await people.step(people.support, ticket, N.RETURN, reason="缺少截图")
    await timing.catch_up(app.state.database, now=MONDAY + 30 * DAY)
    found = await people.manager.ticket(people.branch, ticket.ticket_id)
    last = found.escalations[-1]
    assert (last.timer, last.supervisor) == (TimerName.RAISER, Supervisor.SUPPORT_MANAGER)
    assert found.supervisor is Supervisor.GENERAL_MANAGER


async def test_a_service_that_was_down_records_the_same_moments_when_it_is_up_again(
    people: Any, app: Any, clock: Any, settings_for: Any
) -> None:
    ticket = await people.raised()
    answered = await people.answered()
    settings = Settings(**settings_for("dispatch") | {"follow": True})

    async def up_until(told: int) -> None:
        """Run the loop of a service that has just started, until so much is told."""
        database = Database(
            settings.database_url.get_secret_value(), service="dispatch", pool_size=2
        )
        async with timing.keeping_time(settings, database)(app):
            for _ in range(1000):
                if len(await people.facts()) >= told:
                    break
                await asyncio.sleep(0.02)
        await database.close()

    clock(MONDAY + 30 * DAY)
    await up_until(8)  # two were raised; five marks and a closure happened since
    clock(MONDAY + 60 * DAY)
    await asyncio.gather(
        *(timing.catch_up(app.state.database, now=MONDAY + 60 * DAY) for _ in "123")
    )
    facts = await people.facts()
    assert escalations(facts) == WHOLE_WAY
    closed = [data for kind, data in facts if kind == TICKET_CLOSED]
    assert [(one["ticket_id"], one["how"]) for one in closed] == [(answered.ticket_id, "forced")]
    found = await people.town.ticket(people.branch, answered.ticket_id)
    # Answered on Monday at ten: three working days end on Thursday at ten.
    assert (found.closed_at, found.closed_how) == (MONDAY + 72 * HOUR, ClosedHow.FORCED)
    assert (found.steps[-1].step, found.steps[-1].by) == ("force_close", "system")
    assert found.steps[-1].reason
    late = await people.town.ticket(people.branch, ticket.ticket_id)
    assert late.state is S.RAISED


async def test_a_running_service_tells_a_mark_when_its_moment_comes(
    people: Any, app: Any, settings_for: Any
) -> None:
    await people.raised()
    began = asyncio.get_running_loop().time()

    def soon() -> datetime:
        ran = timedelta(seconds=asyncio.get_running_loop().time() - began)
        return MONDAY + 2 * HOUR - timedelta(seconds=0.4) + ran

    app.state.clock = soon
    settings = Settings(**settings_for("dispatch") | {"follow": True})
    async with timing.keeping_time(settings, app.state.database)(app):
        await asyncio.sleep(0.1)
        assert escalations(await people.facts()) == []
        for _ in range(200):
            if escalations(await people.facts()):
                break
            await asyncio.sleep(0.02)
    assert escalations(await people.facts()) == WHOLE_WAY[:1]


async def test_whoever_comes_before_the_loop_finds_what_has_happened(
    people: Any, app: Any, clock: Any
) -> None:
    """A step first records what the clocks have brought about, in the order of the moments."""
    late = await people.raised()
    silent = await people.answered()
    clock(MONDAY + 50 * HOUR)
    await people.step(people.support, late, N.ACCEPT)
    assert escalations(await people.facts()) == WHOLE_WAY[:3]
    clock(MONDAY + 80 * HOUR)
    again = await people.step(people.town, silent, N.REOPEN, reason="仍未解决")
    assert [one.step for one in again.steps] == [
        "raise",
        "accept",
        "answer",
        "force_close",
        "reopen",
    ]
    await timing.catch_up(app.state.database, now=MONDAY + 80 * HOUR)
    assert escalations(await people.facts()) == WHOLE_WAY[:4]


async def test_many_at_once_tell_each_mark_once(people: Any, app: Any, clock: Any) -> None:
    raised = [await people.raised() for _ in range(4)]
    now = MONDAY + 30 * DAY
    clock(now)
    await asyncio.gather(
        *(timing.catch_up(app.state.database, now=now) for _ in range(4)),
        *(people.step(people.support, one, N.ACCEPT) for one in raised),
    )
    facts = [data for kind, data in await people.facts() if kind == TICKET_ESCALATED]
    for ticket in raised:
        told = [
            (one["timer"], one["percent"]) for one in facts if one["ticket_id"] == ticket.ticket_id
        ]
        assert told == [(timer, percent) for timer, percent, _, _ in WHOLE_WAY]


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_people_do_and_whenever_the_loop_runs_what_is_kept_follows_from_the_history(
    people: Any, app: Any, clock: Any, seed: Any
) -> None:
    choose = random.Random(seed)
    now = MONDAY
    ticket = await people.raised(urgency=choose.choice(["normal", "urgent"]), category="complaint")
    said = {"reason": "因故", "text": "说明"}
    moves: list[Any] = [
        (people.support, N.DECIDE_BOUNDARY, said | {"boundary": "company_service"}),
        (people.support, N.HAND_OVER, said | {"to": {"kind": "support_manager"}}),
        (people.support, N.HAND_OVER, said | {"to": {"centre_id": "SS"}}),
        *((people.support, name, said) for name in (N.ACCEPT, N.ACCEPT, N.ANSWER, N.RETURN)),
        *((people.town, name, said) for name in (N.RESUBMIT, N.RESUBMIT, N.REOPEN, N.REOPEN)),
    ]
    closings: list[Any] = [(people.town, N.CLOSE, said), (people.manager, N.CLOSE, said)]
    taken = 0
    for _ in range(40):
        now += choose.choice([1, 60, 500, 2000]) * timedelta(minutes=1)
        clock(now)
        if choose.random() < 0.3:
            await timing.catch_up(app.state.database, now=now)
        by, name, given = choose.choice(closings if choose.random() < 0.05 else moves)
        with contextlib.suppress(PeerProblem):
            await people.step(by, ticket, name, **given)
            taken += 1
    now += 60 * DAY
    clock(now)
    await timing.catch_up(app.state.database, now=now)
    assert taken > 3
    async with app.state.database.read(EVERYTHING) as connection:
        rows = await connection.execute(
            select(tickets).where(tickets.c.ticket_id == ticket.ticket_id)
        )
        row = rows.mappings().one()
        (record,) = await histories.records(connection, people.branch, [row])
    assert [one.at for one in record.history] == sorted(one.at for one in record.history)
    # All was told that follows from the history, once, at the moments that follow from it.
    marks = record.standing(set(), now=now).marks
    facts = [data for kind, data in await people.facts() if kind == TICKET_ESCALATED]
    told = {(one["timer"], one["percent"], datetime.fromisoformat(one["at"])) for one in facts}
    assert len(facts) == len(marks)
    assert told == {(one.timer, one.percent, one.at) for one in marks}
    kept = histories.cached(record)
    assert {name: row[name] for name in kept} == kept
    assert row["next_at"] is None
    # It is closed, or somebody above watches over it.
    assert record.last.state is S.CLOSED or row["supervisor"] is not None


async def test_a_ticket_that_cannot_be_settled_keeps_no_other_waiting(
    people: Any, app: Any, clock: Any, monkeypatch: Any
) -> None:
    first, second = await people.raised(urgency="urgent"), await people.raised()
    settle = histories.settle

    async def failing(connection: Any, branch_id: Any, row: Any, *, now: Any) -> None:
        if row["ticket_id"] == first.ticket_id:
            raise RuntimeError("the disk is full")
        await settle(connection, branch_id, row, now=now)

    monkeypatch.setattr(histories, "settle", failing)
    await timing.catch_up(app.state.database, now=MONDAY + 30 * DAY)
    told = {data["ticket_id"] for kind, data in await people.facts() if kind == TICKET_ESCALATED}
    assert told == {second.ticket_id}
    monkeypatch.undo()
    await timing.catch_up(app.state.database, now=MONDAY + 30 * DAY)
    facts = [data for kind, data in await people.facts() if kind == TICKET_ESCALATED]
    assert len(facts) == 2 * len(WHOLE_WAY)


async def test_moments_worked_out_by_an_older_calendar_are_worked_out_again(
    people: Any, app: Any, tamper: Any
) -> None:
    ticket = await people.raised()
    await tamper(
        "UPDATE dispatch.tickets SET calendar = 'older', next_at = '2030-01-01', due_at = NULL"
        f" WHERE branch_id = {people.branch}"
    )
    await timing.catch_up(app.state.database, now=MONDAY + HOUR, starting=True)
    found = await people.town.ticket(people.branch, ticket.ticket_id)
    assert found.due_at == ticket.due_at
    await timing.catch_up(app.state.database, now=MONDAY + 3 * HOUR)
    assert escalations(await people.facts()) == WHOLE_WAY[:1]


async def test_years_whose_holidays_nobody_has_announced_are_said(people: Any, clock: Any) -> None:
    clock(datetime(2098, 12, 30, 10, tzinfo=BUSINESS_ZONE))
    ticket = await people.raised()
    assert ticket.assumed_years == [2098, 2099]


# --- the report ---------------------------------------------------------------------------------


async def test_the_report_counts_by_category_and_owing_unit(
    people: Any, app: Any, clock: Any
) -> None:
    answered = await people.answered()
    await people.step(people.town, answered, N.CLOSE)
    await people.answered()  # the raiser will be silent
    await people.raised(category="joint_marketing")
    clock(MONDAY + 10 * DAY)
    await timing.catch_up(app.state.database, now=MONDAY + 10 * DAY)
    report = await people.support.ticket_report(people.branch, period=201711)
    assert report.as_of == MONDAY + 10 * DAY
    lines = {one.category: one for one in report.lines}
    done, open_ = lines["it_coordination"], lines["joint_marketing"]
    assert (done.raised, done.closed, done.closed_on_time, done.forced_closures) == (2, 2, 2, 1)
    assert (done.owner, done.median_first_reply_seconds) == (Unit(centre_id="SS"), 0)
    assert (open_.raised, open_.overdue_open, open_.median_first_reply_seconds) == (1, 1, None)
    assert (await people.support.ticket_report(people.branch, period=201710)).lines == []
    assert await refusal(
        people.of(Role.BSS_SOURCE).ticket_report(people.branch, period=201711)
    ) == (
        403,
        "forbidden",
    )


# --- categories ---------------------------------------------------------------------------------

OWN = CategorySetIn(
    name_zh="本县",
    categories=[
        TicketCategory(
            code="vehicles",
            name="Vehicles",
            name_zh="车辆",
            clauses=[OwnerClause(owner=OwnerRule.BUILD_MAINTAIN_CENTRE)],
        )
    ],
)


async def test_a_county_puts_its_own_categories_in_force_by_two_people(
    people: Any, clock: Any
) -> None:
    branch, province = people.branch, people.of(Role.PROVINCE)
    held = await people.town.ticket_categories(branch)
    assert (held.version, len(held.categories)) == (0, len(DEFAULT_CATEGORIES.categories))
    today = CategoryActivationIn(from_day=date(2017, 11, 6))
    assert (await people.manager.draft_ticket_categories(branch, 1, OWN)).from_day is None
    assert await refusal(people.support.draft_ticket_categories(branch, 1, OWN)) == (
        403,
        "forbidden",
    )
    assert await refusal(people.manager.activate_ticket_categories(branch, 1, today)) == (
        409,
        "two-people",
    )
    past = CategoryActivationIn(from_day=date(2017, 11, 5))
    assert await refusal(province.activate_ticket_categories(branch, 1, past)) == (
        409,
        "categories-out-of-order",
    )
    before = await people.raised()
    active = await province.activate_ticket_categories(branch, 1, today)
    assert active.activated_by == "test:province"
    other = OWN.model_copy(update={"name_zh": "改"})
    assert await refusal(people.manager.draft_ticket_categories(branch, 1, other)) == (
        409,
        "categories-active",
    )
    ticket = await people.raised(category="vehicles")
    assert (ticket.owner, ticket.category_version) == (Unit(centre_id="B1"), 1)
    assert await refusal(people.raised()) == (422, "malformed")
    # What was raised before goes on by the categories it was raised under.
    assert (await people.step(people.support, before, N.ACCEPT)).category_version == 0


async def test_a_bad_set_of_categories_is_refused(people: Any) -> None:
    twice = OWN.model_copy(update={"categories": OWN.categories * 2})
    assert await refusal(people.manager.draft_ticket_categories(people.branch, 1, twice)) == (
        422,
        "malformed",
    )


async def test_nobody_closes_what_a_centre_owes_in_which_they_have_another_post(
    app: Any, people: Any, caller_of: Any
) -> None:
    posts = [person(people.branch, "P07", "C1"), person(people.branch, "P08", "SS")]
    posts.insert(1, person(people.branch, "P07", "SS", primary=False))
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, people.branch, posts)
    answered = await people.answered()
    for role, centre_ids, person_id in (
        (Role.CONTRACTOR, ["C1"], "P07"),
        (Role.COUNTY_MANAGER, None, "P08"),
    ):
        posted = caller_of(people.branch, role, centre_ids, person_id)
        refused = await refusal(people.step(posted, answered, N.CLOSE, reason="done"))
        assert refused == (403, "owing-unit-may-not-close")
    other = caller_of(people.branch, Role.CONTRACTOR, ["C1"], "P01")
    assert (await people.step(other, answered, N.CLOSE)).state is S.CLOSED


async def test_the_manager_of_a_centre_does_not_act_as_the_countys(people: Any) -> None:
    own = await people.raised()
    raised = await people.raised(
        by=people.enterprise,
        raiser_centre_id="G1",
        category="complaint",
        about={"standard_address": "130123100201"},
    )
    decided = {"reason": "theirs", "boundary": Boundary.CENTRE}
    owed = await people.step(people.support, raised, N.DECIDE_BOUNDARY, **decided)
    assert owed.owner == Unit(centre_id="C1")
    bound = people.of(Role.COUNTY_MANAGER, ["C1"])
    for ticket, name, said in (
        (owed, N.CLOSE, {"reason": "done"}),
        (owed, N.HAND_OVER, {"reason": "not ours", "to": {"centre_id": "C2"}}),
        (owed, N.DECIDE_BOUNDARY, decided | {"boundary": Boundary.COMPANY_SERVICE}),
        (own, N.CLOSE, {"reason": "done"}),
    ):
        assert (await refusal(people.step(bound, ticket, name, **said)))[0] == 403


@pytest.mark.parametrize("role", [Role.COUNTY_MANAGER, Role.SUPPORT_CENTRE])
async def test_nobody_bound_to_a_centre_makes_rules_for_the_whole_branch(
    role: Role, people: Any
) -> None:
    bound = people.of(role, ["C1"])
    for doing in (
        bound.draft_ticket_categories(people.branch, 1, DEFAULT_CATEGORIES),
        bound.draft_service_levels(people.branch, 1, DEFAULT_TABLE),
        bound.put_service_levels_in_force(people.branch, 1, InForceIn(from_day=date(2017, 11, 7))),
        bound.set_appointment_rules(people.branch, AppointmentRulesIn()),
    ):
        assert await refusal(doing) == (403, "forbidden")
