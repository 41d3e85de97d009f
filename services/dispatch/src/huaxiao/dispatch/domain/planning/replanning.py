"""The day goes otherwise: plan what is left of it anew, and keep what was promised where it pays.

What has started stays with whoever began it. Every visit that was planned becomes a promise of its
engineer and its time, unless a stricter one was given already; ``Prices`` says what breaking it costs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from huaxiao.dispatch.domain.planning.engine import Progress, Tuning
from huaxiao.dispatch.domain.planning.engine import plan as search_plan
from huaxiao.dispatch.domain.planning.model import (
    Engineer,
    Order,
    Plan,
    Problem,
    Promise,
    Reason,
    Started,
    Stop,
    Window,
)

WORDS: Mapping[Reason, tuple[str, str]] = {
    Reason.STARTED: ("it has started with somebody else", "已由他人开工"),
    Reason.PINNED: ("it was given to somebody else by hand", "已人工指定他人"),
    Reason.FORBIDDEN: ("nobody who could do it may", "可做的人员被排除"),
    Reason.SKILL: ("nobody has the skills", "无人具备所需技能"),
    Reason.CAPACITY: ("no vehicle has room for the material", "车辆装不下物料"),
    Reason.SHIFT: ("no shift is long enough", "班次时长不足"),
    Reason.WINDOW: ("its time has passed", "已过可上门时段"),
    Reason.FULL: ("everybody who could do it is fully booked", "可做的人员均已排满"),
    Reason.PRICE: ("it costs more than it is worth", "代价高于未派成本"),
    Reason.CREW: ("too few can come at the same time", "同一时间可到场人数不足"),
}


@dataclass(frozen=True)
class Changes:
    """What has come to be known since the plan was made."""

    now: int
    arrived: tuple[Order, ...] = ()
    changed: tuple[Order, ...] = ()
    """Known orders as they are now, by id: longer, elsewhere, pinned."""
    cancelled: frozenset[str] = frozenset()
    away: frozenset[str] = frozenset()
    """Engineers who get nothing more from now on."""
    began: Mapping[str, int] = field(default_factory=dict)
    """When work really began; an order that is not named here began as planned."""
    not_begun: frozenset[str] = frozenset()
    """Planned before now, and not begun yet."""


@dataclass(frozen=True)
class Replanned:
    """The rest of the day, and what became of the plan before."""

    problem: Problem
    plan: Plan
    changes: tuple["Difference", ...]


class ChangeKind(StrEnum):
    """What happened to an order between two plans."""

    MOVED = "moved"
    """Somebody else comes."""
    SHIFTED = "shifted"
    """The same people come at another time."""
    ADDED = "added"
    DROPPED = "dropped"
    """It was planned and is left out now."""
    LEFT_OUT = "left_out"
    """It is new, and nobody does it."""
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Difference:
    """One order that is planned otherwise, in words."""

    kind: ChangeKind
    order_id: str
    text: str
    text_zh: str


def replan(
    problem: Problem,
    plan: Plan,
    changes: Changes,
    *,
    seed: int,
    tolerance: int = 30,
    iterations: int | None = None,
    seconds: float | None = None,
    listener: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    tuning: Tuning | None = None,
) -> Replanned:
    """Plan what is left of a day; a visit keeps its promise within ``tolerance`` minutes."""
    after = problem_after(problem, plan, changes, tolerance=tolerance)
    found = search_plan(
        after,
        seed=seed,
        iterations=iterations,
        seconds=seconds,
        begin_with=plan,
        listener=listener,
        stop=stop,
        tuning=tuning,
    )
    return Replanned(after, found, difference(plan, found))


def problem_after(problem: Problem, plan: Plan, changes: Changes, *, tolerance: int) -> Problem:
    """Return the problem of the rest of the day."""
    changed = {one.id: one for one in changes.changed}
    orders = [
        _with_promise(changed.get(one.id, one), plan, changes, tolerance)
        for one in problem.orders
        if one.id not in changes.cancelled
    ]
    return replace(
        problem,
        engineers=tuple(_today(one, changes) for one in problem.engineers),
        orders=(*orders, *changes.arrived),
        now=changes.now,
    )


def _today(engineer: Engineer, changes: Changes) -> Engineer:
    if engineer.id not in changes.away:
        return engineer
    opens = min(engineer.shift.opens, changes.now)
    return replace(engineer, shift=Window(opens, changes.now), breaks=())


def _with_promise(order: Order, plan: Plan, changes: Changes, tolerance: int) -> Order:
    visits = plan.visits.get(order.id, ())
    if order.started is not None or not visits:
        return order
    start = changes.began.get(order.id, visits[0][1].start)
    people = tuple(who for who, _ in visits)
    begun = order.id in changes.began or start < changes.now
    if begun and order.id not in changes.not_begun:
        return replace(order, started=Started(people, start))
    if order.promise is not None:
        return order
    told = Window(start - tolerance, start + tolerance)
    return replace(order, promise=Promise(frozenset(people), told))


def difference(before: Plan, after: Plan) -> tuple[Difference, ...]:
    """Return what a dispatcher has to tell somebody, by order."""
    out = {one.order_id: one.reason for one in after.left_out}
    was_out = {one.order_id for one in before.left_out}
    found = []
    for name in sorted({*before.visits, *after.visits, *out}):
        old, new = before.visits.get(name), after.visits.get(name)
        if old and new:
            one = _moved(name, old, new)
        elif new:
            one = _said(ChangeKind.ADDED, name, f"new: {_when(new)}", f"新增：{_when(new)}")
        elif name in out and (old or name not in was_out):
            kind = ChangeKind.DROPPED if old else ChangeKind.LEFT_OUT
            why, why_zh = WORDS[out[name]]
            was = f", was {_when(old)}" if old else ""
            was_zh = f"，原为 {_when(old)}" if old else ""
            one = _said(kind, name, f"nobody does it: {why}{was}", f"未派出：{why_zh}{was_zh}")
        elif old:
            was = _when(old)
            one = _said(ChangeKind.CANCELLED, name, f"cancelled, was {was}", f"已取消，原为 {was}")
        else:
            one = None
        if one is not None:
            found.append(one)
    return tuple(found)


_Visits = tuple[tuple[str, Stop], ...]


def _moved(name: str, old: _Visits, new: _Visits) -> Difference | None:
    was, now = _when(old), _when(new)
    if {who for who, _ in old} != {who for who, _ in new}:
        return _said(ChangeKind.MOVED, name, f"{was} -> {now}", f"改派：{was} -> {now}")
    shift = new[0][1].start - old[0][1].start
    if not shift:
        return None
    text = f"{was} -> {now}, {abs(shift)} minutes {'later' if shift > 0 else 'earlier'}"
    text_zh = f"改时：{was} -> {now}，{'推迟' if shift > 0 else '提前'} {abs(shift)} 分钟"
    return _said(ChangeKind.SHIFTED, name, text, text_zh)


def _said(kind: ChangeKind, name: str, text: str, text_zh: str) -> Difference:
    return Difference(kind, name, f"{name}: {text}", f"{name}：{text_zh}")


def _when(visits: _Visits) -> str:
    start = visits[0][1].start
    people = ", ".join(sorted(who for who, _ in visits))
    return f"{people} {start // 60:02}:{start % 60:02}"
