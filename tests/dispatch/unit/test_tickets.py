"""Support tickets: whose turn it is, and the clocks that follow from their history."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.dispatch.domain.business_time import Counting, Stretch, running_time
from huaxiao.dispatch.domain.ticket_categories import (
    DEFAULT_CATEGORIES,
    Facts,
    category_faults,
    owing_unit,
)
from huaxiao.dispatch.domain.ticket_report import report_lines
from huaxiao.dispatch.domain.tickets import (
    FIRST_REPLY,
    FORCE_CLOSE,
    LIMIT,
    RAISE,
    RAISER,
    REOPEN_WITHIN,
    TARGET,
    WITH_OWNER,
    Acting,
    BoundaryOpen,
    Happening,
    NotYourTicket,
    OwingUnitMayNotClose,
    Step,
    TicketProgress,
    TicketRecord,
    TicketStepNotAllowed,
    take,
)
from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.problems import Malformed
from huaxiao.shared.wire.tickets import (
    Boundary,
    Circumstance,
    OwnerClause,
    OwnerRule,
    Supervisor,
    TicketCategory,
    TicketState,
    TicketStepName,
    TimerName,
    Unit,
    UnitKind,
    Urgency,
)

S, N = TicketState, TicketStepName
SUPPORT, TOWN = Unit(centre_id="SS"), Unit(centre_id="C1")
MONDAY = datetime(2017, 11, 6, 10, tzinfo=BUSINESS_ZONE)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RAISER_ROLE, OWNER_ROLE = Acting(raiser=True), Acting(owner=True)
MANAGER, SUPPORT_ROLE = Acting(county_manager=True), Acting(owner=True, support=True)


def progress(state: Any, **changes: Any) -> TicketProgress:
    return TicketProgress(
        **({"state": state, "owner": SUPPORT, "raiser_centre_id": "C1"} | changes)
    )


def after(state: Any, name: Any, acting: Any, *, at: Any = MONDAY, **said: Any) -> Any:
    said = {"reason": "because", "text": "so it is"} | said
    return take(progress(state), Step(name, at, acting, **said))


def record(*happenings: Any, urgency: Any = Urgency.NORMAL) -> TicketRecord:
    """Make a history of (step, state, hours after Monday 10:00[, owner]), raised at the start."""
    history = [Happening(1, RAISE, S.RAISED, MONDAY, SUPPORT)]
    for number, (step, state, hours, *owner) in enumerate(happenings, start=2):
        unit = owner[0] if owner else history[-1].owner
        history.append(Happening(number, step, state, MONDAY + hours * HOUR, unit))
    return TicketRecord(urgency, tuple(history))


# --- states -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", TicketState)
@pytest.mark.parametrize("name", TicketStepName)
def test_each_step_leads_from_its_states_and_from_no_other(state: Any, name: Any) -> None:
    acting = {
        N.CLOSE: RAISER_ROLE,
        N.RESUBMIT: RAISER_ROLE,
        N.REOPEN: RAISER_ROLE,
        N.DECIDE_BOUNDARY: SUPPORT_ROLE,
    }.get(name, OWNER_ROLE)
    allowed = {
        N.ACCEPT: {S.RAISED, S.HANDED_OVER, S.REOPENED},
        N.RETURN: WITH_OWNER,
        N.RESUBMIT: {S.RETURNED},
        N.HAND_OVER: WITH_OWNER,
        N.DECIDE_BOUNDARY: WITH_OWNER,
        N.ANSWER: {S.ACCEPTED},
        N.CLOSE: set(S) - {S.CLOSED},
        N.REOPEN: {S.ANSWERED, S.CLOSED},
    }[name]
    ticket = progress(state, needs_boundary=name is N.DECIDE_BOUNDARY)
    step = Step(name, MONDAY, acting, "because", "so it is", Unit(centre_id="B1"), Boundary.CENTRE)
    if state not in allowed:
        with pytest.raises(TicketStepNotAllowed):
            take(ticket, step)
    else:
        assert (
            take(ticket, step)[0]
            in {
                N.ACCEPT: {S.ACCEPTED},
                N.RETURN: {S.RETURNED},
                N.RESUBMIT: {S.ACCEPTED},
                N.HAND_OVER: {S.HANDED_OVER},
                N.DECIDE_BOUNDARY: {S.HANDED_OVER},
                N.ANSWER: {S.ANSWERED},
                N.CLOSE: {S.CLOSED},
                N.REOPEN: {S.REOPENED},
            }[name]
        )


@pytest.mark.parametrize("state", sorted(set(S) - {S.CLOSED}))
@pytest.mark.parametrize(
    "acting", [OWNER_ROLE, Acting(raiser=True, owner=True), Acting(owner=True, county_manager=True)]
)
def test_who_owes_a_ticket_never_closes_it_whatever_else_they_are(state: Any, acting: Any) -> None:
    with pytest.raises(OwingUnitMayNotClose):
        after(state, N.CLOSE, acting)


def test_the_raiser_closes_what_is_answered_without_a_word_and_anything_else_with_a_reason() -> (
    None
):
    assert after(S.ANSWERED, N.CLOSE, RAISER_ROLE, reason=None) == (S.CLOSED, SUPPORT)
    with pytest.raises(Malformed):
        after(S.ACCEPTED, N.CLOSE, RAISER_ROLE, reason=None)
    with pytest.raises(Malformed):
        after(S.ANSWERED, N.CLOSE, MANAGER, reason=None)
    assert after(S.RETURNED, N.CLOSE, MANAGER) == (S.CLOSED, SUPPORT)


@pytest.mark.parametrize(
    ("name", "acting"),
    [
        (N.ACCEPT, RAISER_ROLE),
        (N.ANSWER, MANAGER),
        (N.RETURN, RAISER_ROLE),
        (N.HAND_OVER, RAISER_ROLE),
        (N.RESUBMIT, OWNER_ROLE),
        (N.REOPEN, OWNER_ROLE),
        (N.REOPEN, MANAGER),
        (N.CLOSE, Acting(support=True)),
        (N.DECIDE_BOUNDARY, OWNER_ROLE),
        (N.ACCEPT, Acting()),
    ],
)
def test_a_step_is_taken_by_whose_turn_it_is(name: Any, acting: Any) -> None:
    with pytest.raises(NotYourTicket):
        after(S.RAISED, name, acting)


@pytest.mark.parametrize(
    ("state", "name", "acting", "unsaid"),
    [
        (S.RAISED, N.RETURN, OWNER_ROLE, "reason"),
        (S.RAISED, N.HAND_OVER, OWNER_ROLE, "reason"),
        (S.RAISED, N.HAND_OVER, OWNER_ROLE, "to"),
        (S.ACCEPTED, N.ANSWER, OWNER_ROLE, "text"),
        (S.RETURNED, N.RESUBMIT, RAISER_ROLE, "text"),
        (S.CLOSED, N.REOPEN, RAISER_ROLE, "reason"),
        (S.RAISED, N.DECIDE_BOUNDARY, SUPPORT_ROLE, "boundary"),
        (S.RAISED, N.DECIDE_BOUNDARY, SUPPORT_ROLE, "reason"),
    ],
)
def test_a_step_says_what_it_must(state: Any, name: Any, acting: Any, unsaid: Any) -> None:
    said = {"to": TOWN, "boundary": Boundary.CENTRE} | {unsaid: None}
    with pytest.raises(Malformed) as refused:
        after(state, name, acting, **said)
    assert f"/{unsaid}" in [fault.pointer for fault in refused.value.faults]


def test_a_ticket_is_handed_to_another_unit_but_neither_to_the_same_nor_to_its_raiser() -> None:
    other = Unit(centre_id="B1")
    assert after(S.ACCEPTED, N.HAND_OVER, OWNER_ROLE, to=other) == (S.HANDED_OVER, other)
    for refused in (SUPPORT, TOWN):
        with pytest.raises(TicketStepNotAllowed):
            after(S.ACCEPTED, N.HAND_OVER, OWNER_ROLE, to=refused)


def test_a_closed_ticket_is_reopened_for_seven_days() -> None:
    closed = progress(S.CLOSED, closed_at=MONDAY)
    last = Step(N.REOPEN, MONDAY + REOPEN_WITHIN, RAISER_ROLE, "it broke again")
    assert take(closed, last) == (S.REOPENED, SUPPORT)
    with pytest.raises(TicketStepNotAllowed):
        take(closed, Step(N.REOPEN, last.at + timedelta(microseconds=1), RAISER_ROLE, "late"))


def test_a_complaint_is_answered_after_it_is_decided_whose_it_is() -> None:
    accepted = progress(S.ACCEPTED, needs_boundary=True)
    answer = Step(N.ANSWER, MONDAY, OWNER_ROLE, text="done")
    with pytest.raises(BoundaryOpen):
        take(accepted, answer)
    decided = progress(S.ACCEPTED, needs_boundary=True, boundary=Boundary.CENTRE)
    assert take(decided, answer)[0] is S.ANSWERED
    same = Step(N.DECIDE_BOUNDARY, MONDAY, SUPPORT_ROLE, "ours", None, SUPPORT, Boundary.CENTRE)
    assert take(accepted, same) == (S.ACCEPTED, SUPPORT)
    with pytest.raises(TicketStepNotAllowed):
        take(progress(S.ACCEPTED), same)


# --- clocks -------------------------------------------------------------------------------------


def marks(ticket: Any, hours: Any) -> list[Any]:
    standing = ticket.standing(set(), now=MONDAY + hours * HOUR)
    return [(one.timer, one.percent, (one.at - MONDAY) / HOUR) for one in standing.marks]


def test_an_untouched_ticket_passes_every_mark_at_its_own_moment() -> None:
    assert marks(record(), 24 * 14) == [
        (TimerName.FIRST_REPLY, 100, 2),  # Monday 12:00
        (TimerName.TARGET, 80, 31.2),  # 19.2 of 24 working hours: Tuesday 17:12
        (TimerName.TARGET, 100, 48),  # Wednesday 10:00
        (TimerName.TARGET, 150, 72),  # 36 working hours: Thursday 10:00
        (TimerName.LIMIT, 100, 168),  # the next Monday 10:00
    ]
    urgent = record(urgency=Urgency.URGENT)
    assert marks(urgent, 48)[1:] == [
        (TimerName.TARGET, 80, pytest.approx(3.2)),
        (TimerName.TARGET, 100, 4),
        (TimerName.TARGET, 150, 6),
        (TimerName.LIMIT, 100, 8),
    ]


def test_a_mark_is_passed_behind_its_moment_and_equal_is_on_time() -> None:
    urgent = record(("accept", S.ACCEPTED, 2), ("answer", S.ANSWERED, 4), urgency=Urgency.URGENT)
    assert [one[:2] for one in marks(urgent, 100)] == [(TimerName.TARGET, 80)]
    assert urgent.on_time()
    late = record(("accept", S.ACCEPTED, 2), ("answer", S.ANSWERED, 4.001), urgency=Urgency.URGENT)
    assert marks(late, 100)[-1][:2] == (TimerName.TARGET, 100)
    assert not late.on_time()
    assert marks(record(urgency=Urgency.URGENT), 4)[-1][:2] == (TimerName.TARGET, 80)


def test_being_handed_over_stops_nothing_and_the_unit_that_has_it_is_told() -> None:
    ticket = record(("hand_over", S.HANDED_OVER, 3, TOWN), urgency=Urgency.URGENT)
    standing = ticket.standing(set(), now=MONDAY + 5 * HOUR)
    assert [(one.timer, one.owner) for one in standing.marks] == [
        (TimerName.FIRST_REPLY, SUPPORT),  # passing it on is no reply
        (TimerName.TARGET, TOWN),
        (TimerName.TARGET, TOWN),
    ]
    assert standing.marks[-1].supervisor is Supervisor.SUPPORT_MANAGER
    assert standing.next_at == MONDAY + 6 * HOUR


def test_the_clock_stops_while_the_raiser_is_asked_for_more() -> None:
    ticket = record(("return", S.RETURNED, 1), ("resubmit", S.ACCEPTED, 25), urgency=Urgency.URGENT)
    assert ticket.target_at() == MONDAY + 28 * HOUR
    waiting = record(("return", S.RETURNED, 1), urgency=Urgency.URGENT)
    assert waiting.target_at() is None
    reading = waiting.reading(TimerName.TARGET, now=MONDAY + 30 * HOUR)
    assert reading is not None
    assert (reading.used, reading.running, reading.due_at) == (HOUR, False, None)
    # The raiser is not forgotten: three working days, Monday 11:00 to Thursday 11:00.
    assert marks(waiting, 1000) == [(TimerName.RAISER, 100, 73)]


def test_each_return_has_a_clock_of_its_own() -> None:
    twice = record(
        ("return", S.RETURNED, 1), ("resubmit", S.ACCEPTED, 100), ("return", S.RETURNED, 101)
    )
    told = [one.since for one in twice.standing(set(), now=MONDAY + 1000 * HOUR).marks]
    assert told == [2, 4]


def test_silence_after_the_answer_closes_after_three_working_days() -> None:
    answered = record(("accept", S.ACCEPTED, 1), ("answer", S.ANSWERED, 2))
    due = MONDAY + 74 * HOUR
    assert answered.standing(set(), now=due).closure is None
    assert answered.standing(set(), now=due).next_at == due
    later = answered.standing(set(), now=due + 30 * DAY)
    assert later.closure == Happening(4, FORCE_CLOSE, S.CLOSED, due, SUPPORT)
    assert later.next_at is None
    # Whoever asks before it is recorded is told the same.
    assert answered.as_of(due).closed_at() is None  # type: ignore[union-attr]
    assert answered.as_of(due + 30 * DAY).closed_at() == due  # type: ignore[union-attr]


def test_nothing_is_told_twice() -> None:
    ticket = record()
    first = ticket.standing(set(), now=MONDAY + 50 * HOUR)
    again = ticket.standing({one.key for one in first.marks}, now=MONDAY + 80 * HOUR)
    assert [(one.timer, one.percent) for one in again.marks] == [(TimerName.TARGET, 150)]


STEPS = {
    S.RAISED: [S.ACCEPTED, S.RETURNED, S.HANDED_OVER, S.CLOSED],
    S.ACCEPTED: [S.ANSWERED, S.RETURNED, S.HANDED_OVER, S.CLOSED],
    S.RETURNED: [S.ACCEPTED, S.CLOSED],
    S.HANDED_OVER: [S.ACCEPTED, S.RETURNED, S.HANDED_OVER, S.CLOSED],
    S.ANSWERED: [S.CLOSED, S.REOPENED],
    S.CLOSED: [S.REOPENED],
    S.REOPENED: [S.ACCEPTED, S.RETURNED, S.CLOSED],
}
NAMES = {
    S.ACCEPTED: "accept",
    S.RETURNED: "return",
    S.HANDED_OVER: "hand_over",
    S.ANSWERED: "answer",
    S.CLOSED: "close",
    S.REOPENED: "reopen",
}


@st.composite
def histories(draw: Any) -> TicketRecord:
    start = datetime(2017, 9, 20, tzinfo=BUSINESS_ZONE) + draw(st.integers(0, 40_000)) * MINUTE
    history = [Happening(1, RAISE, S.RAISED, start, SUPPORT)]
    for number in range(2, draw(st.integers(2, 9))):
        state = draw(st.sampled_from(STEPS[history[-1].state]))
        at = history[-1].at + draw(st.integers(1, 8000)) * MINUTE
        owner = draw(st.sampled_from([SUPPORT, TOWN])) if state is S.HANDED_OVER else SUPPORT
        history.append(Happening(number, NAMES[state], state, at, owner))
    return TicketRecord(draw(st.sampled_from(Urgency)), tuple(history))


@given(histories())
def test_running_time_and_stopped_time_make_up_the_whole(ticket: Any) -> None:
    end = ticket.last.at + 10 * DAY
    measure = Counting.WORKING_WINDOW
    running = running_time(measure, ticket.stretches(), until=end)
    entries = [*((one.at, one.state) for one in ticket.history), (end, None)]
    stopped = [
        Stretch(since, until)
        for (since, state), (until, _) in pairwise(entries)
        if state not in WITH_OWNER
    ]
    whole = [Stretch(ticket.history[0].at, end)]
    assert running + running_time(measure, stopped, until=end) == running_time(
        measure, whole, until=end
    )
    reading = ticket.reading(TimerName.TARGET, now=end)
    allowance = TARGET[ticket.urgency]
    assert reading.used == running_time(allowance.measure, ticket.stretches(), until=end)


@given(histories(), st.lists(st.integers(0, 60_000), max_size=6))
def test_looking_seldom_or_often_tells_the_same_marks_once(ticket: Any, looks: Any) -> None:
    start = ticket.history[0].at
    end = ticket.last.at + 60 * DAY
    told: list[Any] = []
    seen: set[Any] = set()
    for now in sorted([*(start + minutes * MINUTE for minutes in looks), end]):
        # Whoever looks at a moment knows the history until then.
        known = ticket.as_of(now)
        if known is None:
            continue
        for mark in known.standing(seen, now=now).marks:
            assert mark.at < now
            seen.add(mark.key)
            told.append(mark)
    assert len({one.key for one in told}) == len(told)
    at_once = ticket.standing(set(), now=end).marks
    assert sorted(told, key=lambda one: one.key) == sorted(at_once, key=lambda one: one.key)


@given(histories())
def test_each_mark_stands_where_exactly_so_much_has_run(ticket: Any) -> None:
    allowed = {
        TimerName.FIRST_REPLY: FIRST_REPLY,
        TimerName.TARGET: TARGET[ticket.urgency],
        TimerName.LIMIT: LIMIT[ticket.urgency],
    }
    for mark in ticket.standing(set(), now=ticket.last.at + 90 * DAY).marks:
        if mark.timer is TimerName.RAISER:
            continue
        allowance = allowed[mark.timer]
        run = running_time(allowance.measure, ticket.stretches(), until=mark.at)
        assert run == allowance.amount * mark.percent / 100
    next_at = ticket.standing(set(), now=ticket.last.at).next_at
    assert next_at is None or next_at >= ticket.last.at


@given(histories())
def test_no_open_ticket_is_ever_left_without_something_to_come(ticket: Any) -> None:
    """Until the limit is passed something always follows by itself, and then it is supervised."""
    if ticket.last.state is S.CLOSED:
        return
    now, seen = ticket.last.at, set()
    for _ in range(12):
        standing = ticket.standing(seen, now=now)
        seen |= {one.key for one in standing.marks}
        if standing.closure is not None or standing.next_at is None:
            break
        now = standing.next_at + timedelta(microseconds=1)
    forced = ticket.last.state is S.ANSWERED
    assert forced == (ticket.standing(seen, now=now).closure is not None)
    supervised = (TimerName.LIMIT, 100, 1) in seen or any(
        timer is TimerName.RAISER for timer, _, _ in seen
    )
    assert forced or supervised


def test_the_raisers_time_is_three_working_days() -> None:
    assert RAISER.amount == 36 * HOUR


# --- who owes it --------------------------------------------------------------------------------

KNOWN = frozenset({"SS", "C1", "B1"})


def clauses(code: Any) -> Any:
    return next(one for one in DEFAULT_CATEGORIES.categories if one.code == code).clauses


@pytest.mark.parametrize(
    ("code", "facts", "owner"),
    [
        ("business_support", {}, ("centre", "SS")),
        ("joint_marketing", {}, ("centre", "SS")),
        ("it_coordination", {}, ("centre", "SS")),
        ("complaint", {}, ("centre", "SS")),
        ("complaint", {"boundary": Boundary.COMPANY_SERVICE}, ("company_service", None)),
        (
            "complaint",
            {"boundary": Boundary.CENTRE, "customers_centre_id": "C1"},
            ("centre", "C1"),
        ),
        ("retention", {"customer_is_vip": True}, ("city_company", None)),
        ("retention", {"customer_is_vip": False, "customers_centre_id": "C1"}, ("centre", "C1")),
    ],
)
def test_the_default_rules_name_the_owing_unit(code: Any, facts: Any, owner: Any) -> None:
    unit, found = owing_unit(clauses(code), Facts("SS", KNOWN, **facts))
    assert (unit.kind, unit.centre_id, found) == (*owner, True)


def test_what_no_rule_finds_is_the_support_centres_managers_never_nobodys() -> None:
    nobody = [
        owing_unit(clauses("retention"), Facts("SS", KNOWN, customer_is_vip=False)),
        owing_unit(clauses("retention"), Facts("SS", KNOWN, customers_centre_id="GONE")),
        owing_unit(
            [OwnerClause(when=Circumstance.CUSTOMER_IS_VIP, owner=OwnerRule.CITY_COMPANY)],
            Facts("SS", KNOWN),
        ),
        owing_unit([OwnerClause(owner=OwnerRule.NAMED_CENTRE, centre_id="X")], Facts("SS", KNOWN)),
    ]
    manager = Unit(kind=UnitKind.SUPPORT_MANAGER, centre_id="SS")
    assert nobody == [(manager, False)] * 4
    without = owing_unit(clauses("business_support"), Facts(None))
    assert without == (Unit(kind=UnitKind.SUPPORT_MANAGER), False)


def test_faults_of_a_set_of_categories_are_named_where_they_are() -> None:
    assert list(category_faults(DEFAULT_CATEGORIES)) == []
    bad = TicketCategory(
        code="x",
        name="x",
        name_zh="x",
        clauses=[
            OwnerClause(owner=OwnerRule.NAMED_CENTRE),
            OwnerClause(when=Circumstance.CENTRE_DECIDED, owner=OwnerRule.CITY_COMPANY),
            OwnerClause(when=Circumstance.CUSTOMER_IS_VIP, owner=OwnerRule.CITY_COMPANY),
            OwnerClause(owner=OwnerRule.CITY_COMPANY, centre_id="C1"),
        ],
    )
    given = DEFAULT_CATEGORIES.model_copy(update={"categories": [bad, bad]})
    codes = [(one.pointer, one.code) for one in category_faults(given)][:5]
    assert codes == [
        ("/categories/0/code", "repeated"),
        ("/categories/0/clauses/0/centre_id", "centre-does-not-fit"),
        ("/categories/0/clauses/1/when", "no-boundary"),
        ("/categories/0/clauses/2/when", "vip-not-asked"),
        ("/categories/0/clauses/3/centre_id", "centre-does-not-fit"),
    ]


# --- the report ---------------------------------------------------------------------------------


def test_the_report_counts_as_it_stood_at_the_end() -> None:
    tickets = [
        record(("accept", S.ACCEPTED, 1), ("answer", S.ANSWERED, 2), ("close", S.CLOSED, 3)),
        record(("accept", S.ACCEPTED, 3), ("answer", S.ANSWERED, 60), ("close", S.CLOSED, 61)),
        record(("accept", S.ACCEPTED, 2), ("answer", S.ANSWERED, 5), (FORCE_CLOSE, S.CLOSED, 77)),
        record(),
        record(("hand_over", S.HANDED_OVER, 1, TOWN)),
    ]
    rows = [("it_coordination", one) for one in tickets]
    lines = report_lines(rows, since=MONDAY, until=MONDAY + 80 * HOUR)
    line = lines["it_coordination", UnitKind.CENTRE, "SS"]
    assert (line.raised, line.closed, line.closed_on_time) == (4, 3, 2)
    assert (line.overdue_open, line.forced_closures) == (1, 1)
    assert line.median_first_reply == 2 * HOUR
    town = lines["it_coordination", UnitKind.CENTRE, "C1"]
    assert (town.raised, town.overdue_open, town.median_first_reply) == (1, 1, None)
    at_once = [("x", record(("accept", S.ACCEPTED, 0)))]
    assert report_lines(at_once, since=MONDAY, until=MONDAY + HOUR)[
        "x", UnitKind.CENTRE, "SS"
    ].median_first_reply == timedelta(0)
    early = report_lines(rows, since=MONDAY, until=MONDAY + 4 * HOUR)
    assert early["it_coordination", UnitKind.CENTRE, "SS"].closed == 1
    later = report_lines(rows, since=MONDAY + 80 * HOUR, until=MONDAY + 90 * HOUR)
    assert later["it_coordination", UnitKind.CENTRE, "SS"].overdue_open == 1
    assert later["it_coordination", UnitKind.CENTRE, "SS"].closed == 0
