"""What other owners would mean adds up, whatever the months and the owners."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.differences import Difference
from huaxiao.attribution.domain.timelines import Owner, Stretch, Timeline, joined
from huaxiao.shared.periods import FIRST_PERIOD, Period, periods_from

MONTHS = list(periods_from(Period(201711), Period(201806)))


def owner(centre_id: str) -> Owner:
    return Owner(centre_id, None, "090", None, (), b"")


def timeline(first: str, later: dict[Period, str]) -> Timeline:
    stretches = [(FIRST_PERIOD, first), *sorted(later.items())]
    return joined(Stretch(period, owner(centre_id)) for period, centre_id in stretches)


centres = st.sampled_from("ABC")
timelines = st.builds(
    timeline, centres, st.dictionaries(st.sampled_from(MONTHS), centres, max_size=3)
)
revenues = st.dictionaries(st.sampled_from(MONTHS), st.integers(-500, 9_000), min_size=1)


@given(st.lists(st.tuples(timelines, timelines, revenues), max_size=5))
def test_nothing_is_gained_or_lost_and_the_moves_are_the_difference(
    lines: list[tuple[Timeline, Timeline, dict[Period, int]]],
) -> None:
    difference = Difference()
    for number, (before, after, revenue) in enumerate(lines):
        difference.add(f"S-{number}", before, after, revenue)
    sums = difference.centres.values()
    total = sum(sum(revenue.values()) for _, _, revenue in lines)
    assert sum(one.before_fen for one in sums) == sum(one.after_fen for one in sums) == total
    by_moves: Counter[str] = Counter()
    for move in difference.moves:
        assert move.before.place != move.after.place
        by_moves[move.after.centre_id] += move.revenue_fen
        by_moves[move.before.centre_id] -= move.revenue_fen
    for centre_id, one in difference.centres.items():
        assert one.after_fen - one.before_fen == by_moves[centre_id]
    assert difference.moved == len({one.subscription_id for one in difference.moves})
    assert difference.subscriptions == len(lines)


def test_a_move_goes_over_the_billed_months_between_changes() -> None:
    before = timeline("A", {Period(201802): "B"})
    after = timeline("B", {})
    revenue = {Period(201711): 1, Period(201801): 2, Period(201802): 4, Period(201803): 8}
    difference = Difference()
    difference.add("S-1", before, after, revenue)
    (move,) = difference.moves
    assert (move.from_period, move.to_period, move.revenue_fen) == (201711, 201801, 3)
    assert (difference.centres["A"].after_fen, difference.centres["B"].after_fen) == (0, 15)
