from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.sequences import JUMP, count_of, gaps, merged, runs

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


@given(st.sets(st.one_of(st.integers(0, 60), st.integers(0, 10**18 - 1)), min_size=1))
def test_runs_are_parted_by_jumps_alone_and_hold_all_that_came(numbers: set[int]) -> None:
    ranges = merged((number, number) for number in numbers)
    parted = runs(ranges)
    assert [one for run in parted for one in run] == ranges
    assert sum(count_of(run) for run in parted) == len(numbers)
    assert all(last - first < JUMP for run in parted for first, last in gaps(run))
    between = ((before[-1][1], after[0][0]) for before, after in pairwise(parted))
    assert all(after - before - 1 > JUMP for before, after in between)


def test_as_many_as_the_bound_are_missing_and_one_more_is_a_jump() -> None:
    assert len(runs([(1, 1), (JUMP + 2, JUMP + 2)])) == 1
    assert len(runs([(1, 1), (JUMP + 3, JUMP + 3)])) == 2
