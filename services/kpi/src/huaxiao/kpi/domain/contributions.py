"""Why a figure moved: its change split by centre and component into parts that add up to it.

Parts are exact (``Fraction``); they are rounded for display only, by largest remainder, so that
what is shown adds up as well.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from huaxiao.shared.wire.contributions import ContributionKind

Unit = str | None
"""A centre; None is what no single centre is known to stand for."""
Key = tuple[Unit, str]
"""A centre and a component."""
Parts = Mapping[Key, int]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a centre's component did to a figure, in the figure's unit."""

    unit: Unit
    component: str
    amount: Fraction


@dataclass(frozen=True, slots=True)
class Split:
    """A figure before and after, and what its change is made of."""

    before: Fraction
    after: Fraction
    contributions: tuple[Contribution, ...]

    @property
    def change(self) -> Fraction:
        """What the contributions add up to."""
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Sold:
    """A quantity and what it came to."""

    quantity: int
    amount: int


@dataclass(frozen=True, slots=True)
class Staff:
    """Pay of a span, and heads at each month's start plus heads at its end."""

    pay_fen: int
    halves: int


@dataclass(frozen=True, slots=True)
class Moves:
    """Who came and who went, in heads at months' starts and ends."""

    joined: int
    left: int


NOBODY = Staff(0, 0)
NOTHING = Sold(0, 0)
NO_MOVES = Moves(0, 0)


def of_sum(before: Parts, after: Parts) -> Split:
    """Split the change of a sum: each part by what it changed itself."""
    return Split(
        Fraction(sum(before.values())),
        Fraction(sum(after.values())),
        tuple(
            Contribution(*key, Fraction(after.get(key, 0) - before.get(key, 0)))
            for key in _keys(before, after)
        ),
    )


def of_margin(
    revenue_before: Parts, cost_before: Parts, revenue_after: Parts, cost_after: Parts
) -> Split | None:
    """Split the change of (R - C) / R; None when revenue is not above zero on both sides.

    ``C0/R0 - C1/R1`` is what costs changed, over the revenue of now, and what the change of revenue
    made of the cost there was: ``(C0 - C1) / R1 + C0 (R1 - R0) / (R0 R1)``. Both are sums of parts.
    """
    revenue = sum(revenue_before.values()), sum(revenue_after.values())
    cost = sum(cost_before.values()), sum(cost_after.values())
    if revenue[0] <= 0 or revenue[1] <= 0:
        return None
    of_revenue = Fraction(cost[0], revenue[0] * revenue[1])
    contributions = [
        Contribution(*key, of_revenue * (revenue_after.get(key, 0) - revenue_before.get(key, 0)))
        for key in _keys(revenue_before, revenue_after)
    ]
    contributions += [
        Contribution(*key, Fraction(cost_before.get(key, 0) - cost_after.get(key, 0), revenue[1]))
        for key in _keys(cost_before, cost_after)
    ]
    before, after = (
        1 - Fraction(spent, earned) for earned, spent in zip(revenue, cost, strict=True)
    )
    return Split(before, after, tuple(contributions))


def of_sales(before: Mapping[Unit, Sold], after: Mapping[Unit, Sold]) -> Split | None:
    """Split the change of an amount into volume, mix and price; None without a volume before.

    Volume: all groups grow alike, by the total quantity. Mix: a group has another part of it than
    before, at its price of before. Price: what is left, the quantity of now at another price. A
    group that is new has its price of now as the one before.
    """
    quantity = tuple(sum(one.quantity for one in side.values()) for side in (before, after))
    if quantity[0] <= 0:
        return None
    growth = Fraction(quantity[1], quantity[0])
    contributions = []
    for unit in _units(before, after):
        then, now = before.get(unit, NOTHING), after.get(unit, NOTHING)
        price = _first_rate((then.amount, then.quantity), (now.amount, now.quantity))
        volume = then.amount * (growth - 1)
        mix = (now.quantity - then.quantity * growth) * price
        contributions += [
            Contribution(unit, ContributionKind.VOLUME, volume),
            Contribution(unit, ContributionKind.MIX, mix),
            Contribution(unit, ContributionKind.PRICE, now.amount - then.amount - volume - mix),
        ]
    amount = [Fraction(sum(one.amount for one in side.values())) for side in (before, after)]
    return Split(amount[0], amount[1], tuple(contributions))


def of_pay(
    before: Mapping[Unit, Staff], after: Mapping[Unit, Staff], moves: Mapping[Unit, Moves]
) -> Split:
    """Split the change of pay into joiners, leavers, other heads, and pay a head.

    Who comes or goes is taken at the centre's pay a head of before; at that of now where nobody
    was there before.
    """
    pay = [Fraction(sum(one.pay_fen for one in side.values())) for side in (before, after)]
    parts = _of_staff(before, after, moves, Fraction(0), Fraction(1))
    return Split(pay[0], pay[1], tuple(parts))


def of_wage(
    before: Mapping[Unit, Staff], after: Mapping[Unit, Staff], moves: Mapping[Unit, Moves]
) -> Split | None:
    """Split the change of pay a head and month; None when there is nobody before or now.

    Who joins a centre that pays above the mean of before raises the mean, who leaves it lowers it;
    the rest is what pay a head in each centre did, at its heads of now.
    """
    heads = tuple(sum(one.halves for one in side.values()) for side in (before, after))
    if heads[0] <= 0 or heads[1] <= 0:
        return None
    pay = tuple(sum(one.pay_fen for one in side.values()) for side in (before, after))
    mean = Fraction(pay[0], heads[0])
    # Two halves are a head of a month.
    scale = Fraction(2, heads[1])
    return Split(
        2 * mean,
        Fraction(2 * pay[1], heads[1]),
        tuple(_of_staff(before, after, moves, mean, scale)),
    )


def _of_staff(
    before: Mapping[Unit, Staff],
    after: Mapping[Unit, Staff],
    moves: Mapping[Unit, Moves],
    mean: Fraction,
    scale: Fraction,
) -> Iterable[Contribution]:
    for unit in _units(before, after):
        then, now = before.get(unit, NOBODY), after.get(unit, NOBODY)
        moved = moves.get(unit, NO_MOVES)
        rate = _first_rate((then.pay_fen, then.halves), (now.pay_fen, now.halves), mean)
        other = now.halves - then.halves - moved.joined + moved.left
        # Pay without heads before was no part of any rate: it is gone from pay.
        unexplained = then.pay_fen if then.halves == 0 else 0
        for component, heads in (
            (ContributionKind.JOINERS, moved.joined),
            (ContributionKind.LEAVERS, -moved.left),
            (ContributionKind.OTHER_HEADS, other),
        ):
            yield Contribution(unit, component, heads * (rate - mean) * scale)
        pay = now.pay_fen - now.halves * rate - unexplained
        yield Contribution(unit, ContributionKind.PAY, pay * scale)


def moves_of(
    before: Mapping[tuple[str, str], int], after: Mapping[tuple[str, str], int]
) -> dict[Unit, Moves]:
    """Count who joined and left each centre; given are heads by centre and person."""
    found: dict[Unit, Moves] = {}
    for key in before.keys() | after.keys():
        change = after.get(key, 0) - before.get(key, 0)
        held = found.get(key[0], NO_MOVES)
        found[key[0]] = Moves(held.joined + max(change, 0), held.left + max(-change, 0))
    return found


def rounded(parts: Sequence[Fraction]) -> list[int]:
    """Round parts to whole numbers that add up to their sum, rounded half up.

    Largest remainder: each is its exact part rounded down or up; ties go to the earlier part.
    """
    whole = [math.floor(part) for part in parts]
    missing = math.floor(sum(parts, Fraction(0)) + Fraction(1, 2)) - sum(whole)
    by_remainder = sorted(range(len(parts)), key=lambda index: whole[index] - parts[index])
    for index in by_remainder[:missing]:
        whole[index] += 1
    return whole


def _first_rate(*rates: tuple[int, int] | Fraction) -> Fraction:
    for one in rates:
        if isinstance(one, Fraction):
            return one
        if one[1] != 0:
            return Fraction(*one)
    return Fraction(0)


def _keys(*sides: Parts) -> list[Key]:
    return sorted({key for side in sides for key in side}, key=lambda key: (key[0] or "", key[1]))


def _units(*sides: Mapping[Unit, object]) -> list[Unit]:
    return sorted({unit for side in sides for unit in side}, key=lambda unit: unit or "")
