"""How much of a month nobody owns, whether it may be closed with that, and since when a line is so.

The share is what lies in the pool over the net revenue of the branch, both of the month's books and
without their sign. Shares are compared in whole fen and never rounded; nothing of nothing is no
share at all, and something of nothing is more than any limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import takewhile
from typing import NamedTuple

from huaxiao.shared.periods import business_day
from huaxiao.shared.wire.attribution import UnresolvedStanding

_WHOLE = 10_000
_SHOWN = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Share:
    """What of a month's net revenue lies in the pool; either may be negative."""

    unresolved_fen: int = 0
    net_revenue_fen: int = 0

    @property
    def ratio(self) -> Decimal | None:
        """The share to six places, for people; None is something of nothing."""
        part, whole = self.fraction
        if whole == 0:
            return None
        return (Decimal(part) / whole).quantize(_SHOWN, ROUND_HALF_UP)

    def exceeds(self, basis_points: int) -> bool:
        """Say whether it is more than a limit."""
        part, whole = self.fraction
        return part * _WHOLE > basis_points * whole

    def is_more_than(self, other: "Share") -> bool:
        """Say whether it is more than another."""
        part, whole = self.fraction
        other_part, other_whole = other.fraction
        return part * other_whole > other_part * whole

    @property
    def fraction(self) -> tuple[int, int]:
        """Return it as two numbers that compare by cross-multiplying, none of them negative."""
        if self.unresolved_fen == 0:
            return 0, 1
        if self.net_revenue_fen == 0:
            return 1, 0
        return abs(self.unresolved_fen), abs(self.net_revenue_fen)


def standing(
    share: Share, *, warn_above: int, block_above: int, approved: Share | None
) -> UnresolvedStanding:
    """Say what a share means for the closing; an approval is good for what it was given for."""
    if share.exceeds(block_above):
        if approved is None or share.is_more_than(approved):
            return UnresolvedStanding.BLOCKED
        return UnresolvedStanding.APPROVED
    if share.exceeds(warn_above):
        return UnresolvedStanding.WARNING
    return UnresolvedStanding.WITHIN


class Decided(NamedTuple):
    """What was decided on a line's month at a moment."""

    unresolved: bool
    at: datetime


def unresolved_since(decided: Sequence[Decided]) -> datetime:
    """Return when a line that is unresolved became so, given all decisions on its month in order.

    What is decided again to the same end does not make it younger; a time between in which
    somebody owned it does.
    """
    run = takewhile(lambda one: one.unresolved, reversed(decided))
    return [one.at for one in run][-1]


def age_days(since: datetime, now: datetime) -> int:
    """Return how many natural days of the county have begun since a moment's own."""
    days = business_day(now) - business_day(since)
    return max(days.days, 0)
