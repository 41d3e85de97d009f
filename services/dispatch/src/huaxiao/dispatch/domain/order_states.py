"""The states of an order, and what each step does to it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.dispatch import OrderState, StepName

FALSE_COMPLETION_SUSPECTED = "false_completion_suspected"
"""Negative list NL-15: reported done while the ONU is not online."""

_S, _N = OrderState, StepName
_GIVEN: dict[StepName, tuple[OrderState, ...]] = {
    _N.ACCEPT: (_S.ACCEPTED,),
    _N.REJECT: (_S.REJECTED,),
    _N.REASSIGN: (_S.REASSIGNED,),
    _N.HAND_OVER: (_S.NEW,),
    _N.CANCEL: (_S.CANCELLED,),
}
_UNDER_WAY: dict[StepName, tuple[OrderState, ...]] = {
    _N.SUSPEND: (_S.SUSPENDED,),
    _N.REASSIGN: (_S.REASSIGNED,),
    _N.HAND_OVER: (_S.NEW,),
    _N.CANCEL: (_S.CANCELLED,),
}
TRANSITIONS: Mapping[OrderState, Mapping[StepName, tuple[OrderState, ...]]] = {
    _S.NEW: {
        _N.APPOINT: (_S.APPOINTED,),
        _N.REASSIGN: (_S.DISPATCHED,),
        _N.HAND_OVER: (_S.NEW,),
        _N.CANCEL: (_S.CANCELLED,),
    },
    _S.APPOINTED: {
        _N.APPOINT: (_S.APPOINTED,),
        _N.REASSIGN: (_S.DISPATCHED,),
        _N.HAND_OVER: (_S.APPOINTED,),
        _N.CANCEL: (_S.CANCELLED,),
    },
    _S.DISPATCHED: {_N.APPOINT: (_S.DISPATCHED,)} | _GIVEN,
    _S.REASSIGNED: {_N.APPOINT: (_S.REASSIGNED,)} | _GIVEN,
    _S.ACCEPTED: {
        _N.APPOINT: (_S.ACCEPTED,),
        _N.TRAVEL: (_S.TRAVELLING,),
        _N.START: (_S.IN_PROGRESS,),
        _N.REJECT: (_S.REJECTED,),
    }
    | _UNDER_WAY,
    _S.TRAVELLING: {_N.START: (_S.IN_PROGRESS,)} | _UNDER_WAY,
    _S.IN_PROGRESS: {_N.FINISH: (_S.DONE,), _N.CARRY_FORWARD: (_S.DISPATCHED,)} | _UNDER_WAY,
    _S.SUSPENDED: {
        _N.RESUME: (_S.ACCEPTED, _S.TRAVELLING, _S.IN_PROGRESS),
        _N.CANCEL: (_S.CANCELLED,),
    },
    _S.REJECTED: {
        _N.REASSIGN: (_S.REASSIGNED,),
        _N.HAND_OVER: (_S.NEW,),
        _N.CANCEL: (_S.CANCELLED,),
    },
    _S.DONE: {_N.CONFIRM: (_S.CONFIRMED,), _N.REWORK: (_S.DISPATCHED,)},
    _S.CONFIRMED: {},
    _S.CANCELLED: {},
}
"""Where each step leads from each state; ``resume`` leads back to where the order was suspended."""
ENGINEERS_OWN = frozenset(
    {
        _N.ACCEPT,
        _N.TRAVEL,
        _N.START,
        _N.SUSPEND,
        _N.RESUME,
        _N.FINISH,
        _N.REJECT,
        _N.CARRY_FORWARD,
    }
)
"""Steps of whoever has the order."""
_NEED_REASON = {
    _N.SUSPEND,
    _N.REJECT,
    _N.CANCEL,
    _N.REASSIGN,
    _N.HAND_OVER,
    _N.REWORK,
    _N.CARRY_FORWARD,
}
STATES_ZH = {
    _S.NEW: "待派",
    _S.APPOINTED: "已预约",
    _S.DISPATCHED: "已派单",
    _S.ACCEPTED: "已接单",
    _S.TRAVELLING: "在途",
    _S.IN_PROGRESS: "施工中",
    _S.SUSPENDED: "挂起",
    _S.DONE: "已完工",
    _S.CONFIRMED: "已确认",
    _S.REASSIGNED: "已改派",
    _S.REJECTED: "已拒单",
    _S.CANCELLED: "已撤销",
}
_STEPS_ZH = {
    _N.APPOINT: "预约",
    _N.ACCEPT: "接单",
    _N.TRAVEL: "出发",
    _N.START: "开工",
    _N.SUSPEND: "挂起",
    _N.RESUME: "恢复",
    _N.FINISH: "完工",
    _N.CONFIRM: "确认",
    _N.REJECT: "拒单",
    _N.CANCEL: "撤销",
    _N.REASSIGN: "派给",
    _N.HAND_OVER: "转交",
    _N.CARRY_FORWARD: "续作",
    _N.REWORK: "返工",
}


class StepNotAllowed(Problem):
    """The order's state, its history or the moment given does not permit this step."""

    code = "step-not-allowed"
    status = HTTPStatus.CONFLICT
    title = "The order does not permit this step now"
    title_zh = "工单当前状态不允许此操作"


class NotYourOrder(Problem):
    """Only the engineer or the crew an order was given to may work on it."""

    code = "not-your-order"
    status = HTTPStatus.FORBIDDEN
    title = "This order was not given to you"
    title_zh = "该工单未派给您"


class WindowPassed(Problem):
    """A visit cannot be promised for a time that is over."""

    code = "window-passed"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The window has passed"
    title_zh = "预约时段已过"


@dataclass(frozen=True, slots=True)
class Span:
    """A window agreed with the customer; moments are aware."""

    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class OrderProgress:
    """How far an order is; moments are aware."""

    state: OrderState
    engineer_id: str | None
    dispatched_at: datetime | None
    due_at: datetime | None
    last_step_at: datetime
    suspended_at: datetime | None = None
    """When the service clock stopped; None while it runs. Its steps move neither this nor
    ``due_at``: the service clock does."""
    finished_at: datetime | None = None
    rejections: int = 0
    flags: tuple[str, ...] = ()
    suspended_in: OrderState | None = None
    """The state to which a suspended order returns."""
    crew_id: str | None = None
    crew: frozenset[str] = frozenset()
    """Who is in the crew that has the order."""
    centre_id: str | None = None
    """Whose work it is."""
    appointment: Span | None = None
    visits: int = 0
    reworks: int = 0
    handovers: int = 0

    @property
    def on_time(self) -> bool | None:
        """Equal is on time; None while open or where no level is set."""
        if self.finished_at is None or self.due_at is None:
            return None
        return self.finished_at <= self.due_at

    @property
    def has_it(self) -> frozenset[str]:
        """Who may work on it."""
        return self.crew if self.engineer_id is None else self.crew | {self.engineer_id}


@dataclass(frozen=True, slots=True)
class Step:
    """A step somebody wants to take."""

    name: StepName
    at: datetime
    acting_engineer: str | None = None
    """Who works, for the engineer's own steps; the new engineer when assigning."""
    reason: str | None = None
    onu_online: bool | None = None
    by_engineer: bool = False
    """An engineer tells it: then it is of an order that they have."""
    crew_id: str | None = None
    """The new crew when assigning."""
    centre_id: str | None = None
    """The other centre when handing over."""
    window: Span | None = None


def allowed_steps(state: OrderState) -> tuple[StepName, ...]:
    """Return the steps that a state permits, in the order of the table."""
    return tuple(TRANSITIONS[state])


def take(order: OrderProgress, step: Step, *, now: datetime) -> OrderProgress:
    """Return the order after a step.

    Raises:
        NotYourOrder: the order is with somebody else.
        StepNotAllowed: the state, the history or the moment forbids it.
        WindowPassed: the window of an appointment was over when it was made.

    """
    if step.by_engineer or step.name in ENGINEERS_OWN:
        _check_own(order, step.acting_engineer)
    _check(order, step, now)
    state = TRANSITIONS[order.state][step.name][0]
    after = replace(order, state=state, last_step_at=step.at)
    change = _CHANGES.get(step.name)
    return after if change is None else change(after, step, order)


def _appoint(after: OrderProgress, step: Step, _: OrderProgress) -> OrderProgress:
    return replace(after, appointment=step.window)


def _start(after: OrderProgress, _: Step, before: OrderProgress) -> OrderProgress:
    return replace(after, visits=before.visits + 1)


def _suspend(after: OrderProgress, _: Step, before: OrderProgress) -> OrderProgress:
    return replace(after, suspended_in=before.state)


def _resume(after: OrderProgress, _: Step, before: OrderProgress) -> OrderProgress:
    state = before.suspended_in or OrderState.IN_PROGRESS
    return replace(after, state=state, suspended_in=None)


def _finish(after: OrderProgress, step: Step, before: OrderProgress) -> OrderProgress:
    flags = tuple(one for one in before.flags if one != FALSE_COMPLETION_SUSPECTED)
    if step.onu_online is False:
        flags = (*flags, FALSE_COMPLETION_SUSPECTED)
    return replace(after, finished_at=step.at, flags=flags)


def _rework(after: OrderProgress, _: Step, before: OrderProgress) -> OrderProgress:
    return replace(after, finished_at=None, reworks=before.reworks + 1, appointment=None)


def _reject(after: OrderProgress, _: Step, before: OrderProgress) -> OrderProgress:
    return replace(after, rejections=before.rejections + 1)


def _assign(after: OrderProgress, step: Step, _: OrderProgress) -> OrderProgress:
    return replace(after, engineer_id=step.acting_engineer, crew_id=step.crew_id, crew=frozenset())


def _hand_over(after: OrderProgress, step: Step, before: OrderProgress) -> OrderProgress:
    return replace(
        after,
        engineer_id=None,
        crew_id=None,
        crew=frozenset(),
        centre_id=step.centre_id,
        handovers=before.handovers + 1,
    )


_CHANGES: Mapping[StepName, Callable[[OrderProgress, Step, OrderProgress], OrderProgress]] = {
    _N.APPOINT: _appoint,
    _N.START: _start,
    _N.SUSPEND: _suspend,
    _N.RESUME: _resume,
    _N.CARRY_FORWARD: _appoint,
    _N.FINISH: _finish,
    _N.REWORK: _rework,
    _N.REJECT: _reject,
    _N.REASSIGN: _assign,
    _N.HAND_OVER: _hand_over,
}
"""What a step changes beside the state: from the order after it, the step, and the order before."""


def _check_own(order: OrderProgress, acting: str | None) -> None:
    if acting is None and order.crew_id is not None:
        raise NotYourOrder(
            f"Say which member of crew {order.crew_id} did it (engineer_id).",
            f"请注明由施工队 {order.crew_id} 的哪位成员完成（engineer_id）。",
            crew_id=order.crew_id,
        )
    if acting is None or acting not in order.has_it:
        given = order.engineer_id or order.crew_id
        raise NotYourOrder(
            f"The order was given to {given or 'nobody'}, not to {acting or 'you'}.",
            f"工单派给了 {given or '（未派）'}，未派给{acting or '您'}。",
            given_to=given,
        )


def _check(order: OrderProgress, step: Step, now: datetime) -> None:
    if step.name not in TRANSITIONS[order.state]:
        allowed = allowed_steps(order.state)
        raise StepNotAllowed(
            f"A {order.state} order permits no {step.name}; it permits"
            f" {', '.join(allowed) or 'nothing more'}.",
            f"{STATES_ZH[order.state]}的工单不能{_STEPS_ZH[step.name]}；"
            f"可以：{'、'.join(_STEPS_ZH[one] for one in allowed) or '无'}。",
            state=order.state,
            step=step.name,
            allowed=list(allowed),
        )
    if step.at < order.last_step_at:
        raise StepNotAllowed("The step precedes the last one.", "步骤时间早于上一步。")
    if step.at > now:
        raise StepNotAllowed("The step lies in the future.", "步骤时间在将来。")
    if step.name in _NEED_REASON and not step.reason:
        raise StepNotAllowed("This step needs a reason.", "此操作须说明原因。")
    if step.name is StepName.REJECT and order.rejections:
        raise StepNotAllowed("An order is rejected once at most.", "工单只能拒单一次。")
    _check_what_it_needs(order, step)
    if step.window is not None:
        require_to_come(step.window.closes_at, at=step.at)


def _check_what_it_needs(order: OrderProgress, step: Step) -> None:
    match step.name:
        case StepName.REASSIGN if (step.acting_engineer is None) == (step.crew_id is None):
            raise StepNotAllowed(
                "Assigning needs one of engineer_id and crew_id.",
                "派单须指定装维人员或施工队之一（engineer_id 或 crew_id）。",
            )
        case StepName.HAND_OVER if step.centre_id in {None, order.centre_id}:
            raise StepNotAllowed(
                f"Name another centre than {order.centre_id} (centre_id).",
                f"请指定 {order.centre_id} 以外的中心（centre_id）。",
                centre_id=order.centre_id,
            )
        case StepName.APPOINT if step.window is None:
            raise StepNotAllowed("An appointment needs a window.", "预约须填写时段（window）。")
        case _:
            pass


def require_to_come(closes_at: datetime, *, at: datetime) -> None:
    """Check that a window is not over at a moment.

    Raises:
        WindowPassed: it is.

    """
    if closes_at <= at:
        raise WindowPassed(
            f"The window closed at {closes_at.isoformat()}.",
            f"该时段已于 {closes_at.isoformat()} 结束。",
            closes_at=closes_at.isoformat(),
        )


def diagram() -> str:
    """Draw the table as a Mermaid state diagram, one line for each state and place a step leads to."""
    lines = ["stateDiagram-v2", f"    [*] --> {OrderState.NEW}"]
    for state, steps in TRANSITIONS.items():
        leading: dict[OrderState, list[str]] = {}
        for name, targets in steps.items():
            for target in targets:
                leading.setdefault(target, []).append(name)
        lines += [f"    {state} --> {to}: {', '.join(names)}" for to, names in leading.items()]
        if not steps:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines) + "\n"
