"""The rules of appraisals as data: the suite's own, and what is wrong with a county's."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import pairwise

from huaxiao.shared.problems import Fault
from huaxiao.shared.wire.scorecards import (
    CoefficientStep,
    FormRows,
    ScaleRow,
    ScorecardIn,
    StarsRow,
)

_FULL_WEIGHT = 100
_LEAST_SUPPLIER, _MOST_SUPPLIER = Decimal("0.8"), Decimal("1.1")
MEASURED_ITEMS = {
    "horizontal": {
        "open_on_time",
        "repair_on_time",
        "first_contact",
        "appointment_kept",
        "repeat_fault",
        "record_quality",
        "satisfaction",
        "patrol_done",
    },
    "own": {
        "own_workload",
        "own_on_time",
        "own_first_fix",
        "own_repeat_fault",
        "own_satisfaction",
    },
    "reverse_support": {"first_reply", "closed_on_time", "supervision"},
    "reverse_build": {
        "open_on_time",
        "repair_on_time",
        "first_contact",
        "appointment_kept",
        "repeat_fault",
        "record_quality",
        "satisfaction",
        "patrol_done",
    },
}
"""What each form can measure: a version chooses among them."""


@cache
def default_scorecard() -> ScorecardIn:
    """Return the suite's own rules."""
    text = files("huaxiao.dispatch.domain").joinpath("scorecards.json").read_text("utf-8")
    return ScorecardIn.model_validate_json(text)


def scorecard_faults(given: ScorecardIn) -> Iterator[Fault]:
    """Yield what is wrong with a version."""
    for name, measured in MEASURED_ITEMS.items():
        yield from _form_faults(f"/{name}", getattr(given, name), measured)
    for name in ("pay_steps", "supplier_steps"):
        yield from _step_faults(f"/{name}", getattr(given, name))
    for index, step in enumerate(given.supplier_steps):
        if not _LEAST_SUPPLIER <= step.coefficient <= _MOST_SUPPLIER:
            yield Fault(
                f"/supplier_steps/{index}/coefficient",
                "coefficient-out-of-range",
                "a supplier's coefficient lies between 0.8 and 1.1",
                "外包结算系数须在 0.8 至 1.1 之间",
            )
    days = given.calendar
    in_order = [days.freeze, days.submit, days.answer, days.decide, days.publish, days.close]
    if any(later <= earlier for earlier, later in pairwise(in_order)):
        yield Fault(
            "/calendar",
            "not-ascending",
            "each step ends after the one before: freeze, submit, answer, decide, publish, close",
            "各环节截止日须依次递增：取数、提交、确认、裁定、公布、关闭",
        )


def _form_faults(pointer: str, form: FormRows, measured: set[str]) -> Iterator[Fault]:
    rows: list[ScaleRow | StarsRow] = [*form.scales, *form.stars]
    if sum(row.weight for row in rows) != _FULL_WEIGHT:
        yield Fault(pointer, "weights-not-100", "weights add up to 100", "权重合计须为 100")
    if len({row.item for row in rows}) != len(rows):
        yield Fault(pointer, "item-twice", "each item comes once", "考核项不得重复")
    for index, row in enumerate(form.scales):
        if row.item not in measured:
            yield Fault(
                f"{pointer}/scales/{index}/item",
                "unknown-item",
                "this form measures no such item",
                "该评分表不能计量此项",
            )
        rising = row.floor < row.base < row.challenge
        if not rising and not row.floor > row.base > row.challenge:
            yield Fault(
                f"{pointer}/scales/{index}",
                "bounds-out-of-order",
                "floor, base and challenge run one way, each apart from the next",
                "底线、基准、挑战值须同向且互不相等",
            )


def _step_faults(pointer: str, steps: Sequence[CoefficientStep]) -> Iterator[Fault]:
    if steps[0].score_from != 0:
        yield Fault(
            f"{pointer}/0/score_from", "no-first-step", "the first step is 0", "首档须从 0 分起"
        )
    if any(later.score_from <= earlier.score_from for earlier, later in pairwise(steps)):
        yield Fault(pointer, "not-ascending", "steps go by growing scores", "档次须按得分递增")


def coefficient(steps: Sequence[CoefficientStep], score: Decimal) -> Decimal:
    """Return the coefficient of the last step that a score reaches."""
    return [one for one in steps if one.score_from <= score][-1].coefficient
