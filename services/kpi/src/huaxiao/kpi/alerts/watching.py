"""What rules watch of what a county has set itself: figures in force, and units' targets."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county.loading import County, load
from huaxiao.kpi.domain.evaluating import Evaluation
from huaxiao.kpi.domain.formulas import formulas_of
from huaxiao.kpi.domain.goals import shown
from huaxiao.kpi.domain.months import Unit
from huaxiao.kpi.domain.observing import HeldFigure
from huaxiao.kpi.domain.progress import AmountTarget, FigureGoal
from huaxiao.kpi.figure_sets import handlers as figure_sets
from huaxiao.kpi.figures.handlers import goal_of as goal_of_figure
from huaxiao.kpi.unit_targets.handlers import in_force
from huaxiao.kpi.unit_targets.progress import OwnGoals, amount_of, goal_of, own_goals
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.figures import FigureSet
from huaxiao.shared.wire.kpi import Span


async def aims_in(
    connection: AsyncConnection, branch_id: int, period: Period
) -> list[AmountTarget | FigureGoal]:
    """Return what units are to reach, as is in force in a month."""
    held = await in_force(connection, branch_id, first=period, last=period)
    aims = [amount_of(one) or goal_of(one) for one in held]
    return [one for one in aims if one is not None]


@dataclass(frozen=True)
class FiguresAt:
    """The figures in force in a month, as they come to over a span."""

    county: County
    figures: FigureSet
    own: OwnGoals

    @classmethod
    async def load(
        cls, connection: AsyncConnection, branch_id: int, period: Period, span: Span
    ) -> "FiguresAt":
        """Load what is known at a month, and what is in force in it."""
        county = await load(
            connection,
            branch_id,
            period=period,
            span=span,
            centre_ids=None,
            with_county=True,
            known_at=None,
        )
        figures = await figure_sets.in_force(connection, branch_id, period)
        return cls(county, figures, await own_goals(connection, branch_id, period, None))

    def held(self, figure: str | None, unit: Unit) -> HeldFigure | None:
        """Hold a unit's figure against its own goal, else the figure's; None with neither."""
        every = (*self.figures.built_in, *self.figures.figures)
        definition = next((one for one in every if one.figure == figure), None)
        there = self.county.shown(unit)
        if definition is None or there is None:
            return None
        own = self.own.held.get((unit, definition.figure))
        goal = goal_of_figure(definition) if own is None else own.goal
        if goal is None:
            return None
        formulas = formulas_of(self.figures.figures)
        amount = Evaluation(self.county.known(there), formulas).value(definition.formula).amount
        if amount is None:
            return HeldFigure(None, goal, None)
        return HeldFigure(
            (amount.numerator, amount.denominator),
            goal,
            shown(
                amount.numerator,
                amount.denominator,
                goal,
                shown_as=definition.shown_as,
                decimals=definition.decimals,
            ),
        )
