"""What a change is made of: the parts of each figure on both sides of a comparison.

With another span as booked, parts are ledger accounts by centre. With the contract's base they are
as coarse as the base: centres with a base of their own stand for themselves; what the county's base
has beyond theirs, and all other centres, stand together under no centre.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from huaxiao.kpi.domain.contributions import (
    NOBODY,
    Key,
    Moves,
    Sold,
    Split,
    Staff,
    Unit,
    moves_of,
    of_margin,
    of_pay,
    of_sales,
    of_sum,
    of_wage,
)
from huaxiao.kpi.domain.definitions import (
    HEADCOUNT_END,
    HEADCOUNT_START,
    LINES_BILLED,
    PAY,
    unit_of,
)
from huaxiao.kpi.domain.figures import Base
from huaxiao.kpi.domain.known import Cause
from huaxiao.kpi.domain.months import BranchMonths, staff_halves
from huaxiao.shared.books import Books, books, class_of
from huaxiao.shared.cost_kinds import OWN_STAFF_PAY, CostClass
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.attribution import (
    ADJUSTMENTS,
    CASH_IN,
    CASH_OUT_PREFIX,
    REFUNDS,
    REVENUE,
)
from huaxiao.shared.wire.contributions import ContributionKind, ExplainedFigure
from huaxiao.shared.wire.kpi import ReasonCode
from huaxiao.shared.wire.kpi import Unit as Counted

_OF_STAFF = {ExplainedFigure.PAY, ExplainedFigure.AVERAGE_WAGE}
_NEEDS_BOOKS = frozenset(ExplainedFigure) - _OF_STAFF
_NEEDS_PAY = _OF_STAFF | {ExplainedFigure.NET_CASH}
HEADCOUNT = "headcount"
"""As a volume: heads at each month's start and end."""
_COUNTING = {
    Counted.APPRAISALS,
    Counted.LINES,
    Counted.ORDERS,
    Counted.PEOPLE,
    Counted.TICKETS,
}
"""What other measures than that may count to be a volume: neither money nor points."""


class NoVolume(Problem):
    """Volume, mix and price are of revenue between booked months, and need a measure that counts."""

    code = "no-volume"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "This figure cannot be split by that volume"
    title_zh = "该指标不能按此业务量拆分"


@dataclass(frozen=True, slots=True)
class Explained:
    """A split, or why there is none."""

    split: Split | None
    causes: tuple[Cause, ...] = ()
    volume: str | None = None
    """The measure that it was split by into volume, mix and price."""


Sides = tuple[dict[Key, int], dict[Key, int]]
"""Parts before and after."""


def explain_booked(
    county: BranchMonths,
    unit: Unit,
    figure: ExplainedFigure,
    before: Sequence[Period],
    after: Sequence[Period],
    *,
    volume: str | None = None,
    counted: bool = False,
) -> Explained:
    """Split a figure's change between two spans as they were booked.

    Where the charges of both are all ``counted``, what was billed is split by them, unless another
    volume is named.

    Raises:
        NoVolume: nothing was counted by that measure in the span before, or it splits no revenue.

    """
    causes = _unknown(county, unit, figure, after) or _unknown(county, unit, figure, before)
    if causes:
        return Explained(None, causes)
    if volume is not None:
        return _sold(county, unit, figure, before, after, volume)
    if figure in _OF_STAFF:
        return _staffed(county, unit, figure, before, after)
    parts = partial(_parts, county, county.centres_of(unit), (before, after))
    match figure:
        case ExplainedFigure.MARKET_GROSS_MARGIN:
            return _margin(parts(-1, _is_revenue), parts(1, _is_market_cost))
        case ExplainedFigure.NET_CASH:
            sides = _together(parts(1, _is_cash), parts(-1, _is_pay))
        case ExplainedFigure.GROSS_MARGIN:
            sides = _together(parts(-1, _is_revenue), parts(-1, _is_market_cost))
        case _:
            billed = _billed(county, county.centres_of(unit), before, after) if counted else None
            if billed is not None:
                taken_back = of_sum(*parts(-1, lambda one: _is_revenue(one) and one != REVENUE))
                return Explained(_joined(billed, taken_back), volume=LINES_BILLED)
            sides = parts(-1, _is_revenue)
    return Explained(of_sum(*sides))


def _billed(
    county: BranchMonths,
    centre_ids: Sequence[str],
    before: Sequence[Period],
    after: Sequence[Period],
) -> Split | None:
    """Split what was billed into volume, mix and price; None where nothing was before."""

    def sold(months: Sequence[Period]) -> dict[Unit, Sold]:
        sums = {one: county.sums(one, months) for one in centre_ids}
        return {
            one: Sold(held.get(LINES_BILLED, 0), -held.get(REVENUE, 0))
            for one, held in sums.items()
        }

    return of_sales(sold(before), sold(after))


def _joined(one: Split, other: Split) -> Split:
    return Split(
        one.before + other.before,
        one.after + other.after,
        (*one.contributions, *other.contributions),
    )


def _parts(
    county: BranchMonths,
    centre_ids: Sequence[str],
    spans: tuple[Sequence[Period], Sequence[Period]],
    sign: int,
    fits: Callable[[str], bool],
) -> Sides:
    sides: Sides = ({}, {})
    for held, months in zip(sides, spans, strict=True):
        for one in centre_ids:
            for measure, amount in county.sums(one, months).items():
                if amount and fits(measure):
                    held[one, measure] = sign * amount
    return sides


def _staffed(
    county: BranchMonths,
    unit: Unit,
    figure: ExplainedFigure,
    before: Sequence[Period],
    after: Sequence[Period],
) -> Explained:
    centre_ids = county.centres_of(unit)
    staff: list[dict[Unit, Staff]] = [
        {one: _staff(county.sums(one, months)) for one in centre_ids} for months in (before, after)
    ]
    moves = moves_of(
        *(
            {
                key: heads
                for key, heads in staff_halves(county.places, months).items()
                if key[0] in centre_ids
            }
            for months in (before, after)
        )
    )
    return _wages(figure, staff[0], staff[1], moves)


def explain_base(
    county: BranchMonths, unit: Unit, figure: ExplainedFigure, months: Sequence[Period]
) -> Explained:
    """Split a figure's change from the contract's base, the same months one year before."""
    causes = _unknown(county, unit, figure, months)
    whole = county.base_of(unit, months[-1], months)
    if isinstance(whole, Cause):
        causes = (*causes, whole)
    if causes or isinstance(whole, Cause):
        return Explained(None, causes)
    centre_ids = county.centres_of(unit)
    bases = {one: county.base_of(one, months[-1], months) for one in centre_ids}
    before = {one: held for one, held in bases.items() if isinstance(held, Base)}
    held = {one: county.sums(one, months) for one in centre_ids}
    accounts = {one: books(of.items()) for one, of in held.items()}
    staff = {one: _staff(of) for one, of in held.items()}

    def sides(
        component: str, of_base: Callable[[Base], int], of_now: Callable[[str], int]
    ) -> Sides:
        then: dict[Key, int] = {(one, component): of_base(base) for one, base in before.items()}
        now: dict[Key, int] = {(one, component): of_now(one) for one in before}
        if before.keys() != set(centre_ids) or sum(then.values()) != of_base(whole):
            then[None, component] = of_base(whole) - sum(then.values())
            now[None, component] = sum(of_now(one) for one in centre_ids if one not in before)
        return then, now

    def account(component: str, sign: int, of: Callable[[Books | Base], int]) -> Sides:
        return sides(component, lambda base: sign * of(base), lambda one: sign * of(accounts[one]))

    revenue = account(ContributionKind.REVENUE, 1, lambda of: of.revenue_fen)
    match figure:
        case ExplainedFigure.REVENUE:
            return Explained(of_sum(*revenue))
        case ExplainedFigure.GROSS_MARGIN:
            cost = account(ContributionKind.MARKET_COST, -1, lambda of: of.market_cost_fen)
            return Explained(of_sum(*_together(revenue, cost)))
        case ExplainedFigure.MARKET_GROSS_MARGIN:
            cost = account(ContributionKind.MARKET_COST, 1, lambda of: of.market_cost_fen)
            return _margin(revenue, cost)
        case ExplainedFigure.NET_CASH:
            return Explained(
                of_sum(
                    *_together(
                        account(ContributionKind.CASH_IN, 1, lambda of: of.cash_in_fen),
                        sides(
                            ContributionKind.CASH_OUT,
                            lambda base: base.pay_fen - base.cash_out_fen,
                            lambda one: -accounts[one].cash_out_fen,
                        ),
                        sides(
                            ContributionKind.PAY,
                            lambda base: -base.pay_fen,
                            lambda one: -staff[one].pay_fen,
                        ),
                    )
                )
            )
        case _:
            pay = sides("", lambda base: base.pay_fen, lambda one: staff[one].pay_fen)
            heads = sides("", lambda base: base.half_person_months, lambda one: staff[one].halves)
            then, now = (
                {
                    unit: Staff(paid.get((unit, ""), 0), counted.get((unit, ""), 0))
                    for unit, _ in paid.keys() | counted.keys()
                }
                for paid, counted in zip(pay, heads, strict=True)
            )
            return _wages(figure, then, now, {})


def _unknown(
    county: BranchMonths, unit: Unit, figure: ExplainedFigure, months: Sequence[Period]
) -> tuple[Cause, ...]:
    wanted = set()
    if figure in _NEEDS_BOOKS:
        wanted.add(ReasonCode.NO_BOOKS)
    if figure in _NEEDS_PAY:
        wanted.add(ReasonCode.PAYROLL_MISSING)
    return tuple(one for one in county.known(unit, months).causes if one.code in wanted)


def _margin(revenue: Sides, cost: Sides) -> Explained:
    split = of_margin(revenue[0], cost[0], revenue[1], cost[1])
    if split is None:
        return Explained(None, (Cause(ReasonCode.NO_REVENUE),))
    return Explained(split)


def _wages(
    figure: ExplainedFigure,
    before: Mapping[Unit, Staff],
    after: Mapping[Unit, Staff],
    moves: Mapping[Unit, Moves],
) -> Explained:
    if figure is ExplainedFigure.PAY:
        return Explained(of_pay(before, after, moves))
    split = of_wage(before, after, moves)
    if split is None:
        return Explained(None, (Cause(ReasonCode.NO_STAFF),))
    return Explained(split)


def _sold(
    county: BranchMonths,
    unit: Unit,
    figure: ExplainedFigure,
    before: Sequence[Period],
    after: Sequence[Period],
    volume: str,
) -> Explained:
    counts = volume == HEADCOUNT or unit_of(volume) in _COUNTING
    if figure is not ExplainedFigure.REVENUE or not counts:
        raise NoVolume

    def sold(months: Sequence[Period]) -> dict[Unit, Sold]:
        found: dict[Unit, Sold] = {}
        for one in county.centres_of(unit):
            held = county.sums(one, months)
            counted = _staff(held).halves if volume == HEADCOUNT else held.get(volume, 0)
            found[one] = Sold(counted, books(held.items()).revenue_fen)
        return found

    split = of_sales(sold(before), sold(after))
    if split is None:
        raise NoVolume
    return Explained(split, volume=volume)


def _staff(sums: Mapping[str, int]) -> Staff:
    if PAY not in sums:
        return NOBODY
    return Staff(sums[PAY], sums.get(HEADCOUNT_START, 0) + sums.get(HEADCOUNT_END, 0))


def _together(*sides: Sides) -> Sides:
    found: Sides = ({}, {})
    for one in sides:
        for held, given in zip(found, one, strict=True):
            held.update(given)
    return found


def _is_revenue(measure: str) -> bool:
    return measure in {REVENUE, REFUNDS, ADJUSTMENTS}


def _is_market_cost(measure: str) -> bool:
    return class_of(measure) is CostClass.MARKET


def _is_cash(measure: str) -> bool:
    return measure == CASH_IN or (
        measure.startswith(CASH_OUT_PREFIX) and measure != CASH_OUT_PREFIX + OWN_STAFF_PAY
    )


def _is_pay(measure: str) -> bool:
    return measure == PAY
