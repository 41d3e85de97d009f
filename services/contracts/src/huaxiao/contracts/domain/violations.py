"""Violations of the negative list: who may say what when, and what a repeated one counts as (R5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http import HTTPStatus

from huaxiao.shared.problems import Fault, Problem
from huaxiao.shared.wire.negative_list import PointRange, Severity, ViolationState

_C_REPEATS_WITHIN = timedelta(days=183)
_B_REPEATS_WITHIN = timedelta(days=365)


class StepOutOfTurn(Problem):
    """The violation does not stand where this can be said or decided."""

    code = "step-out-of-turn"
    status = HTTPStatus.CONFLICT
    title = "Not at this stage"
    title_zh = "当前阶段不能执行此操作"


class PointsOutOfRange(Problem):
    """The points do not lie within those of the severity it counts as."""

    code = "points-out-of-range"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The points do not fit the severity"
    title_zh = "扣分与严重程度不符"


@dataclass(frozen=True, slots=True)
class Upheld:
    """An upheld violation of a centre, of the severity that its entry has."""

    number: int
    entry: str
    severity: Severity
    day: date


def counted_severities(upheld: Iterable[Upheld]) -> dict[int, Severity]:
    """Return what each upheld violation of a centre counts as, by number.

    A second C of the same entry within six months counts as B; a second B within twelve months,
    whatever its entry, counts as A. Second is what happened later: in which order they were decided
    changes nothing, and one that is dismissed on appeal makes no other one a second.
    """
    counted: dict[int, Severity] = {}
    as_b: list[date] = []
    earlier: list[Upheld] = []
    for one in sorted(upheld, key=lambda one: (one.day, one.number)):
        severity = one.severity
        if severity is Severity.C and any(
            other.entry == one.entry and one.day - other.day <= _C_REPEATS_WITHIN
            for other in earlier
        ):
            severity = Severity.B
        if severity is Severity.B:
            if any(one.day - day <= _B_REPEATS_WITHIN for day in as_b):
                severity = Severity.A
            as_b.append(one.day)
        earlier.append(one)
        counted[one.number] = severity
    return counted


def require_points(points: int, severity: Severity, ranges: Sequence[PointRange]) -> None:
    """Check points against the range of a severity.

    Raises:
        PointsOutOfRange: they lie outside.

    """
    (allowed,) = (one for one in ranges if one.severity is severity)
    if not allowed.least <= points <= allowed.most:
        raise PointsOutOfRange(
            faults=[
                Fault(
                    "/points",
                    "points-out-of-range",
                    f"severity {severity}: {allowed.least} to {allowed.most} points",
                    f"{severity} 类：{allowed.least} 至 {allowed.most} 分",
                )
            ]
        )


def require_decidable(
    state: ViolationState, reported_at: datetime, answer_days: int, now: datetime
) -> None:
    """Check that the other side was heard, or let its time pass.

    Raises:
        StepOutOfTurn: it was not, or a decision was made already.

    """
    over = now >= reported_at + timedelta(days=answer_days)
    if state is not ViolationState.HEARD and not (state is ViolationState.REPORTED and over):
        raise StepOutOfTurn(state=state, may_be_heard_for_days=answer_days)


def require_appealable(
    state: ViolationState, decided_at: datetime | None, appeal_days: int, now: datetime
) -> None:
    """Check that the first decision stands and the time for an appeal has not passed.

    Raises:
        StepOutOfTurn: it does not, or it has.

    """
    in_time = decided_at is not None and now < decided_at + timedelta(days=appeal_days)
    if state is not ViolationState.DECIDED or not in_time:
        raise StepOutOfTurn(state=state, may_be_appealed_for_days=appeal_days)
