"""Figures: load what is known of a branch and which figures are in force, evaluate, render."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county.loading import County, Shown, load
from huaxiao.kpi.domain import named
from huaxiao.kpi.domain.evaluating import Evaluation, Formulas, grows, measures_in
from huaxiao.kpi.domain.formulas import formulas_of
from huaxiao.kpi.domain.goals import Goal, shown
from huaxiao.kpi.domain.known import Known
from huaxiao.kpi.domain.named import Found
from huaxiao.kpi.figure_sets import handlers as figure_sets
from huaxiao.kpi.reasons import reasons_of
from huaxiao.kpi.unit_targets.progress import OwnGoals, own_goals
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.figures import Basis, Figure, FigureIn, FigureReport, FiguresOf
from huaxiao.shared.wire.kpi import Component, Quotient, Span, Standing


async def report(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: Period,
    span: Span,
    centre_ids: frozenset[str] | None,
    with_county: bool,
    known_at: datetime | None,
) -> FigureReport:
    """Evaluate the figures in force at a period, as far as a caller may see them."""
    in_force = await figure_sets.in_force(connection, branch_id, period, known_at)
    county = await load(
        connection,
        branch_id,
        period=period,
        span=span,
        centre_ids=centre_ids,
        with_county=with_county,
        known_at=known_at,
    )
    figures = [*in_force.built_in, *in_force.figures]
    formulas = formulas_of(in_force.figures)
    goals = await own_goals(connection, branch_id, period, known_at)

    def of(one: Shown) -> FiguresOf:
        return _figures_of(county, one, figures, formulas, goals)

    return FigureReport(
        branch_id=branch_id,
        period=period,
        span=span,
        known_at=known_at,
        version=in_force.version,
        county=None if county.county is None else of(county.county),
        centres=[of(one) for one in county.centres],
        open_periods=county.open_periods,
    )


def _figures_of(
    county: County, of: Shown, figures: list[FigureIn], formulas: Formulas, goals: OwnGoals
) -> FiguresOf:
    known = county.known(of)
    provisional = county.provisional(of)
    return FiguresOf(
        centre_id=of.centre_id,
        name=of.name,
        name_zh=of.name_zh,
        contract_id=None if of.term is None else of.term.contract_id,
        from_period=of.months[0],
        to_period=of.months[-1],
        figures=[
            _render(one, known, formulas, goals, of.centre_id, provisional=provisional)
            for one in figures
        ],
    )


def _render(
    definition: FigureIn,
    known: Known,
    formulas: Formulas,
    goals: OwnGoals,
    centre_id: str | None,
    *,
    provisional: bool,
) -> Figure:
    """Evaluate a figure on what is known, hold it against its goal, and tell what it came from."""
    found = Evaluation(known, formulas).value(definition.formula)
    goal = goal_of(definition)
    measures = list(dict.fromkeys(measures_in(definition.formula, formulas)))
    compared = grows(definition.formula, formulas)
    return Figure(
        figure=definition.figure,
        title=definition.title,
        title_zh=definition.title_zh,
        unit=definition.unit,
        standing=_standing(found, goal),
        reasons=reasons_of(found.causes),
        value=None
        if found.amount is None
        else Quotient(numerator=found.amount.numerator, denominator=found.amount.denominator),
        display=None
        if found.amount is None
        else shown(
            found.amount.numerator,
            found.amount.denominator,
            goal,
            shown_as=definition.shown_as,
            decimals=definition.decimals,
        ),
        goal=None if goal is None else goal.ratio,
        comparison=None if goal is None else goal.comparison,
        direction=definition.direction,
        provisional=provisional,
        basis=basis_of(measures) if compared else None,
        components=[_component(one, known, compared=compared) for one in measures],
        own_goal=goals.told(
            centre_id,
            definition.figure,
            None if found.amount is None else (found.amount.numerator, found.amount.denominator),
        ),
    )


def goal_of(definition: FigureIn) -> Goal | None:
    """Return what a figure is held against."""
    return None if definition.goal is None else Goal.of(definition.goal)


def _standing(found: Found, goal: Goal | None) -> Standing:
    if found.amount is None:
        return Standing.NOT_COMPARABLE
    if goal is None:
        return Standing.NO_GOAL
    return goal.standing(found.amount.numerator, found.amount.denominator)


def basis_of(measures: list[str]) -> Basis:
    """Say what is compared with; where one measure's base is only booked, the whole is no better."""
    like_for_like = all(named.base_from_contract(one) for one in measures)
    return Basis.CONTRACT if like_for_like else Basis.BOOKED


def _component(measure: str, known: Known, *, compared: bool) -> Component:
    return Component(
        name=measure,
        unit=named.unit_counted(measure),
        amount=_whole(named.now(known, measure)),
        base_amount=_whole(named.before(known, measure)) if compared else None,
    )


def _whole(found: Found) -> int | None:
    """Return an amount as a whole number: of a mean, the half person-months it is the mean of."""
    return None if found.amount is None else found.amount.numerator
