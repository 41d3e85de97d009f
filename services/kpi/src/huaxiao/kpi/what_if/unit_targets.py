"""Units' targets as they are and as they are supposed to be."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from huaxiao.kpi.domain.evaluating import Evaluation
from huaxiao.kpi.domain.formulas import formulas_of
from huaxiao.kpi.domain.goals import shown
from huaxiao.kpi.domain.measured import known_of, measured
from huaxiao.kpi.domain.months import BranchMonths
from huaxiao.kpi.domain.progress import AmountTarget, FigureGoal, on_schedule
from huaxiao.kpi.reasons import reasons_of
from huaxiao.kpi.unit_targets.progress import amount_of, goal_of
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Fault
from huaxiao.shared.wire.figures import FigureIn, FigureSet, ShownAs
from huaxiao.shared.wire.kpi import Quotient, Standing
from huaxiao.shared.wire.unit_targets import UnitTarget
from huaxiao.shared.wire.what_if import (
    Completed,
    HeldGoal,
    SupposedUnitTarget,
    WhatIfAmount,
    WhatIfUnitGoal,
)

_STRANGE = "unknown-reference", "there is no such target in the period", "该账期没有该目标"
_TWICE = "repeated", "this target is given twice", "该目标重复"
_OTHER = (
    "one-of-both",
    "value of an amount, or boundary of a figure's goal",
    "数量目标给 value，指标目标给 boundary",
)


def supposed_targets(
    given: Sequence[SupposedUnitTarget], held: Sequence[UnitTarget]
) -> tuple[dict[str, SupposedUnitTarget], list[Fault]]:
    """Return what is supposed by target, or what is wrong with it."""
    known = {one.target_id: one for one in held}
    found: dict[str, SupposedUnitTarget] = {}
    faults = []
    for index, one in enumerate(given):
        target = known.get(one.target_id)
        fault = None
        if target is None:
            fault = _STRANGE
        elif one.target_id in found:
            fault = _TWICE
        elif (one.value is None, one.boundary is None) != (
            target.value is None,
            target.goal is None,
        ):
            fault = _OTHER
        if fault is not None:
            faults.append(Fault(f"/unit_targets/{index}", *fault))
        found[one.target_id] = one
    return found, faults


@dataclass(frozen=True, slots=True)
class Sides:
    """A branch as it is and as it is supposed to be, at a period and as of a day."""

    now: BranchMonths
    then: BranchMonths
    period: Period
    day: date

    def amounts(
        self, held: Sequence[UnitTarget], given: Mapping[str, SupposedUnitTarget]
    ) -> Iterator[WhatIfAmount]:
        """Yield how far each amount is, and would be."""
        for target in held:
            wanted = amount_of(target)
            if wanted is None:
                continue
            other = given.get(target.target_id)
            value = wanted.value if other is None or other.value is None else other.value
            yield WhatIfAmount(
                target_id=target.target_id,
                measure=wanted.measure,
                centre_id=target.centre_id,
                from_period=target.from_period,
                to_period=target.to_period,
                now=self._completed(self.now, wanted),
                then=self._completed(self.then, replace(wanted, value=value)),
            )

    def goals(
        self,
        held: Sequence[UnitTarget],
        given: Mapping[str, SupposedUnitTarget],
        figures: FigureSet,
    ) -> Iterator[WhatIfUnitGoal]:
        """Yield how each figure stands to a unit's own goal, and would stand."""
        defined = {one.figure: one for one in (*figures.built_in, *figures.figures)}
        for target in held:
            wanted = goal_of(target)
            if wanted is None or wanted.figure not in defined:
                continue
            other = given.get(target.target_id)
            goal = wanted.goal
            if other is not None and other.boundary is not None:
                goal = replace(goal, ratio=other.boundary)
            definition = defined[wanted.figure]
            yield WhatIfUnitGoal(
                target_id=target.target_id,
                figure=wanted.figure,
                centre_id=target.centre_id,
                from_period=target.from_period,
                to_period=target.to_period,
                now=self._held(self.now, wanted, definition, figures),
                then=self._held(self.then, replace(wanted, goal=goal), definition, figures),
            )

    def _completed(self, county: BranchMonths, wanted: AmountTarget) -> Completed:
        found = measured(county, wanted.unit, wanted.months.until(self.period), wanted.measure)
        if found.amount is None:
            return Completed(
                value=wanted.value,
                amount=None,
                reasons=reasons_of(found.causes),
                completion=None,
                completion_display=None,
                left=None,
                a_month=None,
                state=None,
                on_schedule=None,
            )
        amount = found.amount.numerator
        rest = wanted.rest(amount, len(wanted.months.after(self.period)))
        elapsed = wanted.months.elapsed(self.day)
        return Completed(
            value=wanted.value,
            amount=amount,
            reasons=[],
            completion=Quotient(numerator=amount, denominator=wanted.value),
            completion_display=shown(
                amount, wanted.value, None, shown_as=ShownAs.PERCENT, decimals=2
            ),
            left=rest.amount,
            a_month=rest.a_month,
            state=rest.state,
            on_schedule=on_schedule(amount, wanted.value, elapsed, wanted.direction),
        )

    def _held(
        self, county: BranchMonths, wanted: FigureGoal, definition: FigureIn, figures: FigureSet
    ) -> HeldGoal:
        known = known_of(county, wanted.unit, wanted.months.until(self.period))
        found = Evaluation(known, formulas_of(figures.figures)).value(definition.formula)
        amount, goal = found.amount, wanted.goal
        ratio = None if amount is None else (amount.numerator, amount.denominator)
        return HeldGoal(
            goal=goal.ratio,
            comparison=goal.comparison,
            standing=Standing.NOT_COMPARABLE if ratio is None else goal.standing(*ratio),
            value=None if ratio is None else Quotient(numerator=ratio[0], denominator=ratio[1]),
            display=None
            if ratio is None
            else shown(*ratio, goal, shown_as=definition.shown_as, decimals=definition.decimals),
            reasons=reasons_of(found.causes),
        )
