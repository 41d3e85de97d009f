"""What is left of a line that was closed stays with whoever had it last."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from attribution.unit.county import NOVEMBER, ORGANISATION, RURAL, TOWN, line
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.decisions import Decided, decide_on
from huaxiao.attribution.domain.evidence import Register
from huaxiao.attribution.domain.histories import CLOSED, RESUMED, Change, Ruling
from huaxiao.attribution.domain.rule_sets import RuleBook
from huaxiao.attribution.rule_sets.reading import default_rule_set
from huaxiao.shared.periods import Period, first_day, period_of_day

RULES = RuleBook(default_rule_set())
MOMENT = datetime(2018, 6, 20, tzinfo=UTC)
FIXED = line(product="broadband", standard_address=TOWN + "0001")
CLOSING = Change(date(2018, 6, 10), MOMENT, "/bss#closed", kind=CLOSED)
AFTER_THE_TERM = Period(201901)


def decided(*changes: Change, period: Period = AFTER_THE_TERM, **given: Any) -> Decided:
    register = Register(opened={"S-1": FIXED}, changes={"S-1": changes}, **given)
    decisions = decide_on("S-1", register, ORGANISATION, RULES)
    return next(one for one in reversed(decisions) if one.from_period <= period)


def test_arrears_stay_with_the_last_owner_when_the_term_is_over() -> None:
    assert decided().owner.place == ("C0", None)
    assert decided(CLOSING).owner.place == ("C1", "F-TOWN")
    assert decided(CLOSING, period=Period(201806)).evidence.closed_on is None
    assert decided(CLOSING, period=Period(201807)).evidence.closed_on == date(2018, 6, 10)
    # From then on nothing turns: it is one decision, however often the county is drawn anew.
    assert decided(CLOSING).owner == decided(CLOSING, period=Period(201807)).owner


def test_nothing_but_a_ruling_moves_what_is_left_of_it() -> None:
    moved = Change(
        date(2018, 7, 3),
        MOMENT,
        "/bss#moved",
        standard_address=RURAL + "1",
        kind="subscription.moved",
    )
    assert decided(CLOSING, moved).owner.place == ("C1", "F-TOWN")
    ruling = Ruling("R-1", "C2", None, 201812, None, MOMENT, None)
    assert decided(CLOSING, rulings={"S-1": (ruling,)}).owner.centre_id == "C2"


def test_a_line_that_is_resumed_was_never_gone() -> None:
    resumed = Change(date(2018, 7, 1), MOMENT, "/bss#resumed", kind=RESUMED)
    assert decided(CLOSING, resumed).owner == decided().owner


@given(
    st.permutations([CLOSED, "subscription.suspended", RESUMED, "subscription.moved"]),
    st.lists(st.dates(date(2017, 11, 1), date(2018, 12, 1)), min_size=4, max_size=4),
)
def test_until_it_is_closed_it_is_decided_as_if_it_never_would_be(
    kinds: list[str], days: list[date]
) -> None:
    changes = [
        Change(
            day,
            MOMENT + timedelta(minutes=number),
            f"/bss#{number}",
            standard_address=RURAL + "1" if kind == "subscription.moved" else None,
            kind=kind,
        )
        for number, (kind, day) in enumerate(zip(kinds, days, strict=True))
    ]
    (closing,) = (one for one in changes if one.kind == CLOSED)
    others = [one for one in changes if one is not closing]
    period = period_of_day(closing.effective_on)
    same = decided(*changes, period=period)
    assert same.owner == decided(*others, period=period).owner
    gone = decided(*changes, period=Period(201902)).evidence.closed_on
    if gone is not None:
        frozen = decided(*changes, period=Period(201902)).owner.place
        assert frozen == decided(*others, period=period_of_day(gone)).owner.place
        assert first_day(NOVEMBER) <= gone
