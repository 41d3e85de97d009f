"""What an order is made of, and what must be so before it is started or finished."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from huaxiao.dispatch.domain.order_states import STATES_ZH
from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.dispatch import WORK_ENDED, OrderKind, OrderState

SHOWN_BY_PHOTO = frozenset(
    {
        OrderKind.INSTALL,
        OrderKind.MOVE,
        OrderKind.REPAIR,
        OrderKind.PATROL,
        OrderKind.CONSTRUCTION,
        OrderKind.COMMISSIONING,
    }
)
"""Kinds of work whose result a photo shows. A BSS order's photo is kept where the BSS keeps it."""
_ENDED = {OrderState.CONFIRMED, OrderState.CANCELLED}
_NOT_BEGUN = {
    OrderState.NEW,
    OrderState.APPOINTED,
    OrderState.DISPATCHED,
    OrderState.REASSIGNED,
    OrderState.ACCEPTED,
    OrderState.TRAVELLING,
    OrderState.REJECTED,
}


class PredecessorsOpen(Problem):
    """An order is not started before the orders before it are done."""

    code = "predecessors-open"
    status = HTTPStatus.CONFLICT
    title = "Orders that come before this one are not done"
    title_zh = "前置工单尚未完工"


class PredecessorCycle(Problem):
    """Orders that wait for each other would never be started."""

    code = "predecessor-cycle"
    status = HTTPStatus.CONFLICT
    title = "The orders would wait for each other"
    title_zh = "前置工单形成循环"


class TasksOpen(Problem):
    """An order is finished only when every required task is done."""

    code = "tasks-open"
    status = HTTPStatus.CONFLICT
    title = "Required tasks are not done"
    title_zh = "必做任务尚未完成"


class PhotoNeeded(Problem):
    """Finishing this kind of work takes the name of an uploaded photo that shows it."""

    code = "photo-needed"
    status = HTTPStatus.CONFLICT
    title = "Say which uploaded photo shows the finished work"
    title_zh = "请指明显示完工情况的照片"


class PartsClosed(Problem):
    """The order's state permits no change of this part."""

    code = "parts-closed"
    status = HTTPStatus.CONFLICT
    title = "This part of the order cannot be changed any more"
    title_zh = "工单的该部分已不可修改"


class SerialTaken(Problem):
    """A device is planned or used by one order at a time."""

    code = "serial-taken"
    status = HTTPStatus.CONFLICT
    title = "Another order has this serial number"
    title_zh = "该序列号已被另一工单占用"


class SkillMissing(Problem):
    """A task is done by somebody who has the skill it needs."""

    code = "skill-missing"
    status = HTTPStatus.CONFLICT
    title = "Whoever did the task lacks the skill it needs"
    title_zh = "完成人不具备该任务所需技能"


@dataclass(frozen=True, slots=True)
class Predecessor:
    """An order before another, and how far it is."""

    order_id: str
    state: OrderState


def require_predecessors_done(before: Iterable[Predecessor]) -> None:
    """Check that nothing holds an order back; what was cancelled will never be done, and does not.

    Raises:
        PredecessorsOpen: with the orders that are open.

    """
    still = [one for one in before if one.state not in WORK_ENDED]
    if still:
        said = ", ".join(f"{one.order_id} ({one.state})" for one in still)
        said_zh = "、".join(f"{one.order_id}（{STATES_ZH[one.state]}）" for one in still)
        raise PredecessorsOpen(
            f"Not done yet: {said}.",
            f"尚未完工：{said_zh}。",
            predecessors=[one.order_id for one in still],
        )


def find_cycle(
    order_id: str, before: Iterable[str], waits_for: Mapping[str, Collection[str]]
) -> list[str] | None:
    """Return how an order would wait for itself if it waited for these; None if it would not.

    ``waits_for`` says of every other order for which it waits. The answer begins and ends with the
    order.
    """
    paths = [(one, [order_id, one]) for one in sorted(set(before), reverse=True)]
    seen: set[str] = set()
    while paths:
        reached, path = paths.pop()
        if reached == order_id:
            return path
        if reached in seen:
            continue
        seen.add(reached)
        paths += [(one, [*path, one]) for one in sorted(waits_for.get(reached, ()), reverse=True)]
    return None


def require_no_cycle(
    order_id: str, before: Iterable[str], waits_for: Mapping[str, Collection[str]]
) -> None:
    """Check that an order would not wait for itself.

    Raises:
        PredecessorCycle: with the orders that would wait for each other.

    """
    cycle = find_cycle(order_id, before, waits_for)
    if cycle is not None:
        said = " → ".join(cycle)
        raise PredecessorCycle(
            f"They would wait for each other: {said}.", f"将互相等待：{said}。", cycle=cycle
        )


def require_tasks_done(still: Iterable[tuple[str, str]]) -> None:
    """Check that no required task is open; each comes with its name.

    Raises:
        TasksOpen: with the tasks that are.

    """
    named = list(still)
    if named:
        raise TasksOpen(
            f"Not done yet: {', '.join(f'{one} ({name})' for one, name in named)}.",
            f"尚未完成：{'、'.join(f'{name}（{one}）' for one, name in named)}。",
            tasks=[one for one, _ in named],
        )


def require_photo(shown_by: str | None, photos: Collection[str], *, needed: bool) -> None:
    """Check that the photo that shows the finished work is there.

    Raises:
        PhotoNeeded: none is named and one is needed, or the one that is named is not there.

    """
    if shown_by is None and not needed:
        return
    if shown_by is None or shown_by not in photos:
        there = ", ".join(sorted(photos))
        wrong = "" if shown_by is None else f"{shown_by} is no photo of the finished work. "
        wrong_zh = "" if shown_by is None else f"{shown_by} 不是完工照片。"
        raise PhotoNeeded(
            f"{wrong}Name one in shown_by; uploaded: {there or 'none'}.",
            f"{wrong_zh}请在 shown_by 中指明；已上传：{there or '无'}。",
            photos=sorted(photos),
        )


def require_open(order_id: str, state: OrderState) -> None:
    """Check that an order still takes changes.

    Raises:
        PartsClosed: it is confirmed or cancelled.

    """
    if state in _ENDED:
        raise _closed(order_id, state)


def require_unfinished(order_id: str, state: OrderState) -> None:
    """Check that an order may get other tasks.

    Raises:
        PartsClosed: it is done, or ended.

    """
    if state is OrderState.DONE:
        raise _closed(order_id, state)
    require_open(order_id, state)


def require_not_begun(order_id: str, state: OrderState) -> None:
    """Check that an order may still be made to wait for others.

    Raises:
        PartsClosed: work on it has begun.

    """
    if state not in _NOT_BEGUN:
        raise _closed(order_id, state)


def require_at_work(order_id: str, state: OrderState) -> None:
    """Check that somebody works on an order.

    Raises:
        PartsClosed: nobody does.

    """
    if state is not OrderState.IN_PROGRESS:
        raise _closed(order_id, state)


def _closed(order_id: str, state: OrderState) -> PartsClosed:
    return PartsClosed(
        f"Order {order_id} is {state}.",
        f"工单 {order_id} 的状态为{STATES_ZH[state]}。",
        order_id=order_id,
        state=state,
    )


def require_skill(person_id: str, needed: str | None, skills: Collection[str]) -> None:
    """Check that somebody has the skill that a task needs.

    Raises:
        SkillMissing: they have not.

    """
    if needed is not None and needed not in skills:
        raise SkillMissing(
            f"{person_id} does not have the skill {needed}.",
            f"{person_id} 不具备技能 {needed}。",
            person_id=person_id,
            skill=needed,
        )


def serial_taken(serial_number: str, order_id: str) -> SerialTaken:
    """Return the problem that another order has a device."""
    return SerialTaken(
        f"{serial_number} belongs to order {order_id}.",
        f"序列号 {serial_number} 已用于工单 {order_id}。",
        serial_number=serial_number,
        order_id=order_id,
    )
