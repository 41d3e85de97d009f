from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.sequences import gaps, merged

numbers = st.sets(st.integers(0, 60))


@given(numbers, numbers)
def test_ranges_hold_the_numbers_that_came_and_gaps_the_ones_between(
    one: set[int], other: set[int]
) -> None:
    earlier = merged((number, number) for number in one)
    ranges = merged([*earlier, *((number, number) for number in other)])
    came = one | other
    held = [number for first, last in ranges for number in range(first, last + 1)]
    assert held == sorted(came)
    missing = [number for first, last in gaps(ranges) for number in range(first, last + 1)]
    between = range(min(came), max(came)) if came else range(0)
    assert missing == [number for number in between if number not in came]
    assert len(ranges) == len(missing and list(gaps(ranges))) + bool(came)
