"""Why an order of work is not planned."""

from collections.abc import Iterable, Mapping, Sequence

from huaxiao.dispatch.domain.planning.crews.model import (
    Crew,
    CrewProblem,
    CrewReason,
    Need,
    NotPlanned,
    Person,
    WorkOrder,
)

_Cause = tuple[CrewReason, tuple[Need, ...]]


def never_possible(problem: CrewProblem) -> Mapping[str, _Cause]:
    """Return the orders that one's own people cannot do on any day, and why.

    An order that waits for one of these is not among them: a contractor may do the first.
    """
    found = {}
    for order in problem.orders:
        cause = _impossible(problem, order)
        if cause is not None:
            found[order.id] = cause
    return found


def _impossible(problem: CrewProblem, order: WorkOrder) -> _Cause | None:
    if order.minutes > problem.day_minutes:
        return CrewReason.DAY, ()
    wanting = _wanting(problem.people, order)
    if wanting:
        return CrewReason.SKILL, wanting
    if problem.days is None:
        return None
    closest: tuple[Need, ...] | None = None
    for day in range(problem.days):
        wanting = _wanting([one for one in problem.people if day not in one.days_off], order)
        if not wanting:
            return None
        if closest is None or _size(wanting) < _size(closest):
            closest = wanting
    return None if closest is None else (CrewReason.DAYS_OFF, closest)


def _size(wanting: Iterable[Need]) -> int:
    return sum(one.people for one in wanting)


def _wanting(people: Sequence[Person], order: WorkOrder) -> tuple[Need, ...]:
    found = []
    for need in order.needs:
        have = sum(one.levels.get(need.domain, 0) >= need.level for one in people)
        if have < need.people:
            found.append(Need(need.domain, need.level, need.people - have))
    return tuple(found)


def reasons_for(
    problem: CrewProblem, crews: Iterable[Crew], outside: Iterable[str]
) -> tuple[NotPlanned, ...]:
    """Say of each order that neither a crew nor a contractor does why that is so."""
    planned = {task.order_id for crew in crews for task in crew.tasks}
    given = set(outside)
    never = never_possible(problem)
    found = []
    for order in problem.orders:
        if order.id in planned or order.id in given:
            continue
        price = problem.prices.left_out[order.priority - 1]
        waits = tuple(sorted(order.after - planned - given))
        if order.id in never:
            reason, wanting = never[order.id]
            found.append(NotPlanned(order.id, reason, price, wanting))
        elif waits:
            found.append(NotPlanned(order.id, CrewReason.WAITS, price, waits_for=waits))
        else:
            found.append(NotPlanned(order.id, CrewReason.FULL, price))
    return tuple(found)
