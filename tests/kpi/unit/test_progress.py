from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.kpi.domain.progress import Months, on_schedule, ranks
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.figures import Direction

YEAR = Months(Period(201711), Period(201810))


@pytest.mark.parametrize(
    ("day", "elapsed"),
    [
        (date(2017, 10, 31), (0, 365)),
        (date(2017, 11, 1), (1, 365)),
        (date(2017, 11, 30), (30, 365)),
        (date(2018, 10, 31), (365, 365)),
        (date(2019, 1, 1), (365, 365)),
    ],
)
def test_days_gone_by_are_counted_within_the_target(day: date, elapsed: tuple[int, int]) -> None:
    assert YEAR.elapsed(day) == elapsed


def test_months_hold_those_within_them() -> None:
    second = Months(Period(201712), Period(201712))
    assert YEAR.hold(second)
    assert not second.hold(YEAR)
    assert not YEAR.hold(Months(Period(201810), Period(201811)))


@pytest.mark.parametrize(
    ("amount", "direction", "expected"),
    [
        (30, Direction.HIGHER, True),
        (29, Direction.HIGHER, False),
        (30, Direction.LOWER, True),
        (31, Direction.LOWER, False),
    ],
)
def test_what_keeps_up_exactly_is_on_schedule(
    amount: int, direction: Direction, expected: bool
) -> None:
    assert on_schedule(amount, 365, (30, 365), direction) is expected


values = st.dictionaries(st.text(min_size=1, max_size=2), st.one_of(st.none(), st.fractions(-3, 3)))


@given(values, st.sampled_from(Direction))
def test_places_follow_the_values_and_equal_values_share_one(
    held: dict[str, Fraction | None], direction: Direction
) -> None:
    places = ranks(held, direction)
    known = {one: value for one, value in held.items() if value is not None}
    assert places.keys() == known.keys()
    for one, value in known.items():
        better = [
            other
            for other in known.values()
            if (other > value if direction is Direction.HIGHER else other < value)
        ]
        assert places[one] == len(better) + 1
