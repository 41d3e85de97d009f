"""What pages show, made from what services tell."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.console import formats
from huaxiao.console.language import Words
from huaxiao.console.operations.lags import lags
from huaxiao.console.orders.views import week_of
from huaxiao.console.revenue.closing import has_come
from huaxiao.console.revenue.views import owner_of
from huaxiao.console.targets.courses import Course, Mark
from huaxiao.console.targets.views import months_shown, moves
from huaxiao.shared.wire.appointments import Appointment, AppointmentState
from huaxiao.shared.wire.attribution import Period, PeriodState
from huaxiao.shared.wire.contributions import (
    Contribution,
    ContributionSum,
    ExplainedFigure,
    Explanation,
    ShownIn,
)
from huaxiao.shared.wire.feed_standing import FeedStanding, FollowedFeed
from huaxiao.shared.wire.forecasts import TargetForecast
from huaxiao.shared.wire.kpi import Comparison, Quotient, Span, TargetName, Unit
from huaxiao.shared.wire.organisation import Skill

NOTHING = Quotient(numerator=0, denominator=1)


def split(parts: dict[tuple[str | None, str], int]) -> Explanation:
    centres = {centre for centre, _ in parts}
    return Explanation(
        branch_id=130123,
        figure=ExplainedFigure.REVENUE,
        centre_id=None,
        span=Span.MONTH,
        known_at=None,
        from_period=201711,
        to_period=201711,
        against_from=201611,
        against_to=201611,
        against_base=True,
        volume=None,
        reasons=[],
        before=NOTHING,
        after=NOTHING,
        change=NOTHING,
        shown_in=ShownIn.FEN,
        change_shown=sum(parts.values()),
        contributions=[
            Contribution(centre_id=centre, component=component, exact=NOTHING, shown=shown)
            for (centre, component), shown in parts.items()
        ],
        by_centre=[
            ContributionSum(
                centre_id=centre,
                component=None,
                exact=NOTHING,
                shown=sum(shown for (of, _), shown in parts.items() if of == centre),
            )
            for centre in centres
        ],
        by_component=[],
    )


CENTRES = st.sampled_from(["C1", "C2", "G1", None])
COMPONENTS = st.sampled_from(["revenue", "market_cost", "pay"])


@given(st.dictionaries(st.tuples(CENTRES, COMPONENTS), st.integers(-(10**9), 10**9), min_size=1))
def test_contributions_add_up_across_and_down(parts: dict[tuple[str | None, str], int]) -> None:
    shown = moves(split(parts))

    assert shown is not None
    assert all(sum(one or 0 for one in row) == total for _, row, total in shown.rows)
    assert sum(total for _, _, total in shown.rows) == shown.change == sum(shown.totals)


@pytest.mark.parametrize(
    ("period", "contract_from", "today", "first", "last"),
    [
        (201711, 201711, 202611, 201711, 201810),
        (201803, 201711, 201804, 201711, 201804),
        (201812, 201711, 202611, 201811, 201910),
        (201803, None, 202611, 201704, 201803),
    ],
)
def test_a_trend_shows_the_contracts_year_as_far_as_it_has_come(
    period: int, contract_from: int | None, today: int, first: int, last: int
) -> None:
    shown = months_shown(period, contract_from, today)

    assert (shown[0], shown[-1]) == (first, last)
    assert period in shown
    assert len(shown) <= 12


def test_a_week_is_arranged_by_the_countys_clock() -> None:
    def appointment(at: datetime, state: AppointmentState) -> Appointment:
        return Appointment(
            appointment_id="A1",
            order_id="O1",
            centre_id="B1",
            person_id="P18",
            skill=Skill.REPAIR,
            starts_at=at,
            ends_at=at.replace(hour=at.hour + 2),
            visit_from=at,
            visit_to=at,
            state=state,
            held_until=None,
            moves=0,
            reason=None,
            staffed=True,
        )

    # Two in the morning in London is ten in the county, on the same day.
    booked = appointment(datetime(2026, 12, 1, 2, tzinfo=UTC), AppointmentState.BOOKED)
    released = appointment(datetime(2026, 12, 1, 6, tzinfo=UTC), AppointmentState.RELEASED)

    week = week_of(date(2026, 11, 30), [booked, released])

    assert [slot for slot, _ in week.slots] == ["10:00–12:00"]
    assert [len(day) for day in week.slots[0][1]] == [0, 1, 0, 0, 0, 0, 0]


def test_a_choice_of_an_owner_is_a_centre_and_perhaps_a_field() -> None:
    assert owner_of("C1|F-1") == ("C1", "F-1")
    assert owner_of("C0|") == ("C0", None)


def test_figures_are_written_for_people() -> None:
    assert formats.money(-1_234_567) == "−12,345.67"
    assert formats.signed_money(100) == "+1.00"
    assert formats.percent(Quotient(numerator=824, denominator=1000)) == "82.40 %"
    assert formats.points(-8) == "−0.08"
    assert formats.goal(Decimal("0.82"), Comparison.AT_LEAST) == "≥ 82 %"
    assert formats.counted(58, Unit.HALF_PERSON_MONTHS) == "29.0"
    assert formats.moment(datetime(2026, 11, 30, 16, tzinfo=UTC)) == "2026-12-01 00:00"
    assert formats.duration(90_061, chinese=True) == "1 天 1 小时"
    assert formats.duration(30, chinese=False) == "under 1 min"
    assert formats.money(None) == formats.percent(None) == formats.NOTHING


def test_a_lag_is_what_the_source_is_ahead_and_unknown_while_it_is_silent() -> None:
    def followed(source: str, position: int) -> FollowedFeed:
        return FollowedFeed(source=f"/{source}", position=position, followed_at=None)

    told = {
        "contracts": FeedStanding(position=7, followed=[]),
        "kpi": FeedStanding(
            position=9,
            followed=[followed("contracts", 5), followed("dispatch", 3)],
        ),
        "attribution": FeedStanding(position=2, followed=[followed("contracts", 8)]),
    }

    assert [(one.follower, one.source, one.behind) for one in lags(told)] == [
        ("kpi", "contracts", 2),
        ("kpi", "dispatch", None),
        ("attribution", "contracts", 0),
    ]


def course(*marks: Mark) -> Course:
    return Course(
        TargetForecast(
            target=TargetName.CASH_FLOW_GROWTH,
            goal=Decimal("0.1"),
            comparison=Comparison.AT_LEAST,
            reasons=[],
            so_far=None,
            forecast=None,
            state=None,
            needed=[],
        ),
        list(marks),
    )


def test_what_is_expected_goes_on_from_the_last_month_that_is_known() -> None:
    known = Mark(201711, Decimal("0.1"), None, None, expected=False)
    ahead = Mark(201712, Decimal("0.12"), Decimal("0.11"), Decimal("0.14"), expected=True)

    drawn = course(known, ahead).chart(Words("en"))

    assert drawn["known"]["values"] == [10, None]
    assert drawn["expected"]["values"] == [10, 12]
    assert (drawn["band"]["low"], drawn["band"]["high"]) == ([10, 11], [10, 14])
    bare = course(known, Mark(201712, Decimal("0.12"), None, None, expected=True))
    assert bare.chart(Words("en"))["band"] is None


def test_months_in_which_nothing_has_come_are_not_listed_for_closing() -> None:
    assert not has_come(Period(period=202612, state=PeriodState.OPEN))
    assert has_come(Period(period=201711, state=PeriodState.CLOSED))
    assert has_come(Period(period=201712, state=PeriodState.CLOSING))
