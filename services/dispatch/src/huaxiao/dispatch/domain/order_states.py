"""The states of an order, and what each step does to it."""

from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.dispatch import OrderState, StepName, SuspensionCause

FALSE_COMPLETION_SUSPECTED = "false_completion_suspected"
"""Negative list NL-15: reported done while the ONU is not online."""

_S = OrderState
_WAITING = {_S.DISPATCHED, _S.REASSIGNED}
_ALLOWED: dict[StepName, tuple[set[OrderState], OrderState]] = {
    StepName.ACCEPT: (_WAITING, _S.ACCEPTED),
    StepName.START: ({_S.ACCEPTED}, _S.IN_PROGRESS),
    StepName.SUSPEND: ({_S.IN_PROGRESS}, _S.SUSPENDED),
    StepName.RESUME: ({_S.SUSPENDED}, _S.IN_PROGRESS),
    StepName.FINISH: ({_S.IN_PROGRESS}, _S.DONE),
    StepName.CONFIRM: ({_S.DONE}, _S.CONFIRMED),
    StepName.REJECT: (_WAITING | {_S.ACCEPTED}, _S.REJECTED),
    StepName.REASSIGN: (
        _WAITING | {_S.NEW, _S.ACCEPTED, _S.IN_PROGRESS, _S.REJECTED},
        _S.REASSIGNED,
    ),
    StepName.CANCEL: (
        _WAITING | {_S.NEW, _S.ACCEPTED, _S.IN_PROGRESS, _S.SUSPENDED, _S.REJECTED},
        _S.CANCELLED,
    ),
}
_ENGINEERS_OWN = {
    StepName.ACCEPT,
    StepName.START,
    StepName.SUSPEND,
    StepName.RESUME,
    StepName.FINISH,
    StepName.REJECT,
}
_NEED_REASON = {StepName.SUSPEND, StepName.REJECT, StepName.CANCEL, StepName.REASSIGN}


class StepNotAllowed(Problem):
    """The order's state, its history or the moment given does not permit this step."""

    code = "step-not-allowed"
    status = HTTPStatus.CONFLICT
    title = "The order does not permit this step now"
    title_zh = "工单当前状态不允许此操作"


class NotYourOrder(Problem):
    """Only the engineer an order is with may work on it."""

    code = "not-your-order"
    status = HTTPStatus.FORBIDDEN
    title = "This order was not given to you"
    title_zh = "该工单未派给您"


@dataclass(frozen=True, slots=True)
class OrderProgress:
    """How far an order is; moments are aware."""

    state: OrderState
    engineer_id: str | None
    dispatched_at: datetime | None
    due_at: datetime | None
    last_step_at: datetime
    suspended_at: datetime | None = None
    """When the service clock stopped; None while it runs."""
    finished_at: datetime | None = None
    rejections: int = 0
    flags: tuple[str, ...] = ()

    @property
    def on_time(self) -> bool | None:
        """Equal is on time; None while open or where no level is set."""
        if self.finished_at is None or self.due_at is None:
            return None
        return self.finished_at <= self.due_at


@dataclass(frozen=True, slots=True)
class Step:
    """A step somebody wants to take."""

    name: StepName
    at: datetime
    acting_engineer: str | None = None
    """Who works, for the engineer's own steps; the new engineer when reassigning."""
    reason: str | None = None
    cause: SuspensionCause = SuspensionCause.CUSTOMER
    onu_online: bool | None = None


def take(order: OrderProgress, step: Step, *, now: datetime) -> OrderProgress:
    """Return the order after a step.

    Raises:
        NotYourOrder: the order is with somebody else.
        StepNotAllowed: the state, the history or the moment forbids it.

    """
    if step.name in _ENGINEERS_OWN and (
        order.engineer_id is None or step.acting_engineer != order.engineer_id
    ):
        raise NotYourOrder
    _check(order, step, now)
    after = replace(order, state=_ALLOWED[step.name][1], last_step_at=step.at)
    match step.name:
        case StepName.SUSPEND if step.cause is not SuspensionCause.RESOURCE:
            return replace(after, suspended_at=step.at)
        case StepName.RESUME if order.suspended_at is not None:
            due = order.due_at and order.due_at + (step.at - order.suspended_at)
            return replace(after, due_at=due, suspended_at=None)
        case StepName.FINISH:
            flags = order.flags
            if step.onu_online is False:
                flags = (*flags, FALSE_COMPLETION_SUSPECTED)
            return replace(after, finished_at=step.at, flags=flags)
        case StepName.REJECT:
            return replace(after, rejections=order.rejections + 1)
        case StepName.REASSIGN:
            first = order.state is OrderState.NEW
            state = OrderState.DISPATCHED if first else OrderState.REASSIGNED
            return replace(after, state=state, engineer_id=step.acting_engineer)
        case _:
            return after


def _check(order: OrderProgress, step: Step, now: datetime) -> None:
    if order.state not in _ALLOWED[step.name][0]:
        raise StepNotAllowed(
            f"A {order.state} order permits no {step.name}.", state=order.state, step=step.name
        )
    if step.at < order.last_step_at:
        raise StepNotAllowed("The step precedes the last one.", "步骤时间早于上一步。")
    if step.at > now:
        raise StepNotAllowed("The step lies in the future.", "步骤时间在将来。")
    if step.name in _NEED_REASON and not step.reason:
        raise StepNotAllowed("This step needs a reason.", "此操作须说明原因。")
    if step.name is StepName.REJECT and order.rejections:
        raise StepNotAllowed("An order is rejected once at most.", "工单只能拒单一次。")
    if step.name is StepName.REASSIGN and step.acting_engineer is None:
        raise StepNotAllowed("Reassigning needs engineer_id.", "改派须指定装维人员。")
