"""What other owners than those that stand would mean: who moves, and what each centre gains or loses."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from huaxiao.attribution.domain.timelines import Owner, Timeline
from huaxiao.shared.periods import Period


class Move(NamedTuple):
    """A subscription that would be another's, over billed months without a change between."""

    subscription_id: str
    from_period: Period
    to_period: Period
    before: Owner
    after: Owner
    revenue_fen: int


@dataclass
class CentreSums:
    """What a centre has, and what it would have."""

    before_fen: int = 0
    after_fen: int = 0
    came: set[str] = field(default_factory=set)
    """Subscriptions that would come to it, of any month."""
    went: set[str] = field(default_factory=set)


@dataclass
class Difference:
    """The difference over many subscriptions, added up one by one."""

    subscriptions: int = 0
    moved: int = 0
    centres: dict[str, CentreSums] = field(default_factory=lambda: defaultdict(CentreSums))
    moves: list[Move] = field(default_factory=list)

    def add(
        self, subscription_id: str, before: Timeline, after: Timeline, revenue: Mapping[Period, int]
    ) -> None:
        """Add a subscription with its net revenue by month, in fen."""
        self.subscriptions += 1
        for period, amount_fen in revenue.items():
            self.centres[before.at(period).centre_id].before_fen += amount_fen
            self.centres[after.at(period).centre_id].after_fen += amount_fen
        found = list(_moves(subscription_id, before, after, revenue))
        self.moved += bool(found)
        self.moves += found
        for move in found:
            if move.before.centre_id != move.after.centre_id:
                self.centres[move.before.centre_id].went.add(subscription_id)
                self.centres[move.after.centre_id].came.add(subscription_id)

    def largest_first(self) -> list[Move]:
        """Return the moves, those with the most revenue first."""
        return sorted(
            self.moves,
            key=lambda one: (-abs(one.revenue_fen), one.subscription_id, one.from_period),
        )


def _moves(
    subscription_id: str, before: Timeline, after: Timeline, revenue: Mapping[Period, int]
) -> Iterator[Move]:
    run: Move | None = None
    for period, old, new in _pairs(before, after, revenue):
        goes_on = run is not None and (run.before.place, run.after.place) == (old.place, new.place)
        if run is not None and goes_on:
            run = run._replace(to_period=period, revenue_fen=run.revenue_fen + revenue[period])
            continue
        if run is not None:
            yield run
        run = None
        if old.place != new.place:
            run = Move(subscription_id, period, period, old, new, revenue[period])
    if run is not None:
        yield run


def _pairs(
    before: Timeline, after: Timeline, periods: Iterable[Period]
) -> Iterator[tuple[Period, Owner, Owner]]:
    for period in sorted(periods):
        yield period, before.at(period), after.at(period)
