"""Targets: load what is known of a branch, judge, render."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county.loading import County, Shown, load
from huaxiao.kpi.domain.definitions import VERSION
from huaxiao.kpi.domain.targets import Judgement, all_goals_met, judge
from huaxiao.kpi.reasons import reasons_of
from huaxiao.kpi.unit_targets.progress import OwnGoals, own_goals
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.kpi import (
    Component,
    OwnGoal,
    Quotient,
    Span,
    Target,
    TargetReport,
    TargetsOf,
)


async def report(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: Period,
    span: Span,
    centre_ids: frozenset[str] | None,
    with_county: bool,
    known_at: datetime | None = None,
) -> TargetReport:
    """Judge the county and its centres at a period, as far as a caller may see them."""
    county = await load(
        connection,
        branch_id,
        period=period,
        span=span,
        centre_ids=centre_ids,
        with_county=with_county,
        known_at=known_at,
    )
    goals = await own_goals(connection, branch_id, period, known_at)
    return TargetReport(
        branch_id=branch_id,
        period=period,
        span=span,
        definitions_version=VERSION,
        county=None if county.county is None else _rendered(county, county.county, goals),
        centres=[_rendered(county, one, goals) for one in county.centres],
        open_periods=county.open_periods,
    )


def _rendered(county: County, shown: Shown, goals: OwnGoals) -> TargetsOf:
    judgements = judge(county.known(shown))
    held = county.books(shown)
    provisional = county.provisional(shown)
    return TargetsOf(
        centre_id=shown.centre_id,
        name=shown.name,
        name_zh=shown.name_zh,
        contract_id=None if shown.term is None else shown.term.contract_id,
        from_period=shown.months[0],
        to_period=shown.months[-1],
        targets=[
            _target(
                one,
                goals.told(shown.centre_id, one.rule.target, one.ratio),
                provisional=provisional,
            )
            for one in judgements
        ],
        all_goals_met=all_goals_met(judgements),
        network_line_cost_fen=held.network_line_cost_fen,
        other_cost_fen=held.other_cost_fen,
        unclassified_cost_fen=held.unclassified_cost_fen,
        centre_margin_fen=held.centre_margin_fen,
    )


def _target(judgement: Judgement, own_goal: OwnGoal | None, *, provisional: bool) -> Target:
    rule, ratio = judgement.rule, judgement.ratio
    return Target(
        target=rule.target,
        title=rule.title,
        title_zh=rule.title_zh,
        verdict=judgement.verdict,
        standing=judgement.standing,
        reasons=reasons_of(judgement.causes),
        value=None if ratio is None else Quotient(numerator=ratio[0], denominator=ratio[1]),
        display=judgement.display,
        goal=rule.goal.ratio,
        comparison=rule.goal.comparison,
        provisional=provisional,
        components=[
            Component(
                name=part.name, unit=part.unit, amount=part.amount, base_amount=part.base_amount
            )
            for part in judgement.parts
        ],
        own_goal=own_goal,
    )
