"""Other measures and other goals, supposed: what they come to, and what is wrong with them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace

from huaxiao.kpi.domain.definitions import (
    HEADCOUNT_END,
    HEADCOUNT_START,
    PAY,
    PAYROLL_MEASURES,
)
from huaxiao.kpi.domain.goals import Goal
from huaxiao.kpi.domain.months import BranchMonths
from huaxiao.kpi.domain.targets import Judgement
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Fault
from huaxiao.shared.wire.kpi import TargetName
from huaxiao.shared.wire.what_if import SupposedGoal, SupposedMeasure

_NEVER_NEGATIVE = {PAY, HEADCOUNT_START, HEADCOUNT_END}
Key = tuple[str, Period, str]


def suppose(
    county: BranchMonths, given: Sequence[SupposedMeasure], centre_ids: AbstractSet[str]
) -> tuple[BranchMonths, list[Fault]]:
    """Return the branch with measures of some centres as supposed, or what is wrong with that."""
    faults: list[Fault] = []
    amounts: dict[Key, int] = {}
    for index, one in enumerate(given):
        key = one.centre_id, Period(one.period), one.measure
        held = county.measures.get(key[:2], {}).get(one.measure, 0)
        amount = held + one.change if one.change is not None else one.amount
        fault = _fault(one, key, amounts, centre_ids)
        if fault is not None or amount is None:
            faults.append(_placed(index, fault or _ONE_OF_BOTH))
            continue
        if amount < 0 and one.measure in _NEVER_NEGATIVE:
            faults.append(_placed(index, _NEGATIVE))
        amounts[key] = amount
    supposed = county.with_measures(amounts)
    return supposed, [*faults, *_half_a_payroll(supposed, amounts)]


def goals_of(given: Iterable[SupposedGoal]) -> tuple[dict[TargetName, SupposedGoal], list[Fault]]:
    """Return goals by target, or that one was given twice."""
    found: dict[TargetName, SupposedGoal] = {}
    faults = []
    for index, one in enumerate(given):
        if one.target in found:
            text = f"the goal of {one.target} is given twice", f"{one.target} 的目标值重复"
            faults.append(Fault(f"/goals/{index}/target", "repeated", *text))
        found[one.target] = one
    return found, faults


def with_goals(
    judgements: Iterable[Judgement], goals: Mapping[TargetName, SupposedGoal]
) -> Iterator[Judgement]:
    """Hold what was judged against other goals."""
    for one in judgements:
        given = goals.get(one.rule.target)
        if given is None:
            yield one
            continue
        goal = Goal(given.goal, given.comparison or one.rule.goal.comparison)
        yield replace(one, rule=replace(one.rule, goal=goal))


_ONE_OF_BOTH = "one-of-both", "amount or change, one of them", "amount 与 change 须且只能给一个"
_NEGATIVE = "negative", "pay and heads are not below zero", "工资与人数不得小于零"
_TWICE = "repeated", "this measure is given twice", "该指标重复"
_STRANGE = "unknown-reference", "there is no such centre", "没有该中心"


def _fault(
    one: SupposedMeasure, key: Key, before: Mapping[Key, int], centre_ids: AbstractSet[str]
) -> tuple[str, str, str] | None:
    if (one.amount is None) == (one.change is None):
        return _ONE_OF_BOTH
    if one.centre_id not in centre_ids:
        return _STRANGE
    return _TWICE if key in before else None


def _placed(index: int, fault: tuple[str, str, str]) -> Fault:
    return Fault(f"/measures/{index}", *fault)


def _half_a_payroll(county: BranchMonths, amounts: Iterable[Key]) -> Iterator[Fault]:
    """Yield where pay would be known without heads, or heads without pay."""
    for centre_id, month in sorted({(one, month) for one, month, _ in amounts}):
        held = county.measures[centre_id, month].keys() & set(PAYROLL_MEASURES)
        if held and len(held) < len(PAYROLL_MEASURES):
            lacking = ", ".join(sorted(set(PAYROLL_MEASURES) - held))
            yield Fault(
                "/measures",
                "half-a-payroll",
                f"{centre_id} in {month} would have no {lacking}",
                f"{centre_id} 在 {month} 账期缺少 {lacking}",
            )
