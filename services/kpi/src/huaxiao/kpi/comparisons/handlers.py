"""Units side by side: load two spans, evaluate, rank, render."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county.loading import County, Shown, load, load_each
from huaxiao.kpi.domain import named
from huaxiao.kpi.domain.evaluating import Evaluation, Formulas, grows, measures_in
from huaxiao.kpi.domain.formulas import formulas_of
from huaxiao.kpi.domain.goals import Goal, shown
from huaxiao.kpi.domain.named import Amount, Found
from huaxiao.kpi.domain.progress import ranks
from huaxiao.kpi.figure_sets import handlers as figure_sets
from huaxiao.kpi.figures.handlers import basis_of, goal_of
from huaxiao.kpi.reasons import reasons_of
from huaxiao.shared.periods import FIRST_PERIOD, Period, shift
from huaxiao.shared.problems import NotFound, Problem
from huaxiao.shared.wire.figures import (
    Basis,
    Direction,
    Expression,
    FigureTerm,
    MeasureTerm,
    ShownAs,
)
from huaxiao.shared.wire.kpi import Quotient, Span, Unit
from huaxiao.shared.wire.unit_targets import (
    BackCast,
    BackCastOf,
    BackCastReport,
    Compared,
    Comparison,
)

_BACK_CAST = ("net_revenue", "market_cost", "cash_in", "cash_out", "pay", "headcount")
"""What a contract's base states."""


class OneOfTwo(Problem):
    """A measure or a figure is compared."""

    code = "measure-or-figure"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "Name either a measure or a figure"
    title_zh = "须指定一个度量或一个指标，二者择一"


@dataclass(frozen=True)
class Asked:
    """What is compared, and who asks."""

    measure: str | None
    figure: str | None
    direction: Direction | None
    centre_ids: frozenset[str] | None
    with_county: bool
    known_at: datetime | None


@dataclass(frozen=True)
class _What:
    formula: Expression
    formulas: Formulas
    unit: str
    shown_as: ShownAs
    decimals: int
    direction: Direction
    goal: Goal | None
    """What the figure is held against: its value is not shown as if it were on the other side."""

    @property
    def looks_back(self) -> bool:
        """Whether it is a growth already, of which there is no year before."""
        return grows(self.formula, self.formulas)

    @property
    def basis(self) -> Basis | None:
        return None if self.looks_back else basis_of(list(measures_in(self.formula, self.formulas)))


@dataclass(frozen=True)
class _Values:
    now: Found
    before: Found | None
    """A year before; None where it is a growth itself."""
    month_before: Found | None


async def compare(
    connection: AsyncConnection, branch_id: int, asked: Asked, *, period: Period, span: Span
) -> Comparison:
    """Put the county and its centres side by side.

    Raises:
        OneOfTwo: neither or both of a measure and a figure are named.
        NotFound: there is none of that name.

    """
    what = await _what(connection, branch_id, asked, period)

    # What a year to date was a month ago says nothing of this month.
    months = [period]
    if span is not Span.YEAR_TO_DATE and period > FIRST_PERIOD:
        months.append(shift(period, -1))
    county, *others = await load_each(
        connection,
        branch_id,
        periods=months,
        span=span,
        centre_ids=asked.centre_ids,
        with_county=asked.with_county,
        known_at=asked.known_at,
    )
    earlier = others[0] if others else None
    values = {
        one.centre_id: _values(what, county, earlier, one)
        for one in (county.county, *county.centres)
        if one is not None
    }
    of_centres = {one: held for one, held in values.items() if one is not None}
    places = ranks({one: _exact(held.now) for one, held in of_centres.items()}, what.direction)
    by_growth = ranks(
        {one: _growth(held.now, held.before) for one, held in of_centres.items()}, what.direction
    )

    def rendered(unit: Shown) -> Compared:
        return _compared(county, unit, what, values[unit.centre_id], places, by_growth)

    last = len(county.centres) + 1
    ordered = sorted(county.centres, key=lambda one: places.get(one.centre_id or "", last))
    return Comparison(
        branch_id=branch_id,
        period=period,
        span=span,
        known_at=asked.known_at,
        measure=asked.measure,
        figure=asked.figure,
        unit=what.unit,
        direction=what.direction,
        county=None if county.county is None else rendered(county.county),
        centres=[rendered(one) for one in ordered],
    )


async def _what(connection: AsyncConnection, branch_id: int, asked: Asked, period: Period) -> _What:
    if (asked.measure is None) == (asked.figure is None):
        raise OneOfTwo
    in_force = await figure_sets.in_force(connection, branch_id, period, asked.known_at)
    formulas = formulas_of(in_force.figures)
    if asked.measure is not None:
        unit = named.unit_named(asked.measure)
        if unit is None:
            raise NotFound
        in_fen = named.unit_counted(asked.measure) is Unit.FEN
        return _What(
            MeasureTerm(op="measure", measure=asked.measure),
            formulas,
            str(unit),
            ShownAs.YUAN if in_fen else ShownAs.NUMBER,
            2 if in_fen else 1,
            asked.direction or Direction.HIGHER,
            None,
        )
    for one in (*in_force.built_in, *in_force.figures):
        if one.figure == asked.figure:
            return _What(
                FigureTerm(op="figure", figure=one.figure),
                formulas,
                one.unit,
                one.shown_as,
                one.decimals,
                asked.direction or one.direction,
                goal_of(one),
            )
    raise NotFound


def _values(what: _What, county: County, earlier: County | None, unit: Shown) -> _Values:
    evaluation = Evaluation(county.known(unit), what.formulas)
    month_before = None
    then = None if earlier is None else earlier.shown(unit.centre_id)
    if earlier is not None and then is not None:
        month_before = Evaluation(earlier.known(then), what.formulas).value(what.formula)
    return _Values(
        evaluation.value(what.formula),
        None if what.looks_back else evaluation.value_before(what.formula),
        month_before,
    )


def _compared(
    county: County,
    unit: Shown,
    what: _What,
    values: _Values,
    places: Mapping[str, int],
    by_growth: Mapping[str, int],
) -> Compared:
    on_year = _growth(values.now, values.before)
    on_month = _growth(values.now, values.month_before)
    amount = values.now.amount
    return Compared(
        centre_id=unit.centre_id,
        name=unit.name,
        name_zh=unit.name_zh,
        value=_quotient(values.now),
        display=None
        if amount is None
        else shown(
            amount.numerator,
            amount.denominator,
            what.goal,
            shown_as=what.shown_as,
            decimals=what.decimals,
        ),
        reasons=reasons_of(values.now.causes),
        year_before=_quotient(values.before),
        year_before_reasons=[] if values.before is None else reasons_of(values.before.causes),
        basis=what.basis,
        year_on_year=_ratio(on_year),
        year_on_year_display=_percent(on_year),
        month_before=_quotient(values.month_before),
        month_on_month=_ratio(on_month),
        month_on_month_display=_percent(on_month),
        rank=places.get(unit.centre_id or ""),
        rank_by_growth=by_growth.get(unit.centre_id or ""),
        provisional=county.provisional(unit),
    )


def _exact(found: Found | None) -> Fraction | None:
    if found is None or found.amount is None:
        return None
    return Fraction(found.amount.numerator, found.amount.denominator)


def _growth(now: Found | None, before: Found | None) -> Fraction | None:
    """Return what one grew by over the other; None where that is zero or below, or not known."""
    after, base = _exact(now), _exact(before)
    if after is None or base is None or base <= 0:
        return None
    return (after - base) / base


def _quotient(found: Found | None) -> Quotient | None:
    if found is None or found.amount is None:
        return None
    return Quotient(numerator=found.amount.numerator, denominator=found.amount.denominator)


def _ratio(value: Fraction | None) -> Quotient | None:
    return (
        None
        if value is None
        else Quotient(numerator=value.numerator, denominator=value.denominator)
    )


def _percent(value: Fraction | None) -> str | None:
    if value is None:
        return None
    return shown(value.numerator, value.denominator, None, shown_as=ShownAs.PERCENT, decimals=2)


async def back_cast(
    connection: AsyncConnection, branch_id: int, asked: Asked, *, period: Period, span: Span
) -> BackCastReport:
    """Tell the year before of every unit, like for like and as it was booked."""
    county = await load(
        connection,
        branch_id,
        period=period,
        span=span,
        centre_ids=asked.centre_ids,
        with_county=asked.with_county,
        known_at=asked.known_at,
    )
    return BackCastReport(
        branch_id=branch_id,
        period=period,
        span=span,
        known_at=asked.known_at,
        county=None if county.county is None else _back_cast_of(county, county.county),
        centres=[_back_cast_of(county, one) for one in county.centres],
    )


def _back_cast_of(county: County, unit: Shown) -> BackCastOf:
    known, booked = county.known(unit), county.booked_before(unit)
    base = named.before(known, _BACK_CAST[0])
    return BackCastOf(
        centre_id=unit.centre_id,
        name=unit.name,
        name_zh=unit.name_zh,
        contract_id=None if unit.term is None else unit.term.contract_id,
        from_period=unit.months[0],
        to_period=unit.months[-1],
        comparable=base.amount is not None,
        reasons=reasons_of(base.causes),
        measures=[
            _back_cast(
                one,
                named.now(known, one).amount,
                named.before(known, one).amount,
                named.now(booked, one).amount,
            )
            for one in _BACK_CAST
        ],
    )


def _back_cast(
    measure: str, now: Amount | None, base: Amount | None, booked: Amount | None
) -> BackCast:
    return BackCast(
        measure=measure,
        unit=named.unit_counted(measure),
        amount=None if now is None else now.numerator,
        like_for_like=None if base is None else base.numerator,
        booked=None if booked is None else booked.numerator,
        moved=None if base is None or booked is None else base.numerator - booked.numerator,
    )
