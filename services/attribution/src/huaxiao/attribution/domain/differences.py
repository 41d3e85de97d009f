"""What other owners than those that stand would mean: who moves, and what each centre gains or loses."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
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


class _Month(NamedTuple):
    """A billed month of a subscription."""

    period: Period
    before: Owner
    after: Owner
    revenue_fen: int

    @property
    def stays(self) -> bool:
        return self.before.place == self.after.place


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
        months = [
            _Month(period, before.at(period), after.at(period), revenue[period])
            for period in sorted(revenue)
        ]
        for month in months:
            self.centres[month.before.centre_id].before_fen += month.revenue_fen
            self.centres[month.after.centre_id].after_fen += month.revenue_fen
        if all(month.stays for month in months):
            return
        self.moved += 1
        for move in _moves(subscription_id, months):
            self.moves.append(move)
            if move.before.centre_id != move.after.centre_id:
                self.centres[move.before.centre_id].went.add(subscription_id)
                self.centres[move.after.centre_id].came.add(subscription_id)

    def largest_first(self) -> list[Move]:
        """Return the moves, those with the most revenue first."""
        return sorted(
            self.moves,
            key=lambda one: (-abs(one.revenue_fen), one.subscription_id, one.from_period),
        )


def _moves(subscription_id: str, months: Iterable[_Month]) -> Iterator[Move]:
    for (old, new), run in groupby(months, key=lambda one: (one.before.place, one.after.place)):
        if old == new:
            continue
        moved = list(run)
        yield Move(
            subscription_id,
            moved[0].period,
            moved[-1].period,
            moved[0].before,
            moved[0].after,
            sum(one.revenue_fen for one in moved),
        )
