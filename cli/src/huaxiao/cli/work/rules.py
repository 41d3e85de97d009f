"""Whether a plan of a day breaks a rule, found out from what the API tells of it, and nothing else."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from huaxiao.shared.wire.contracts import Skill
from huaxiao.shared.wire.dispatch import Order, OrderKind
from huaxiao.shared.wire.plans import Plan, PlanRoute

_MINUTE = timedelta(minutes=1)
_SKILLS = {
    OrderKind.INSTALL: Skill.INSTALL,
    OrderKind.MOVE: Skill.INSTALL,
    OrderKind.DISMANTLE: Skill.INSTALL,
    OrderKind.REPAIR: Skill.REPAIR,
}
"""What work takes; all other kinds take maintenance."""


@dataclass(frozen=True)
class Given:
    """What a plan has to keep to."""

    orders: Mapping[str, Order]
    """All that the centre has to do."""
    skills: Mapping[str, frozenset[str]]
    shifts: Mapping[str, tuple[datetime, datetime]]
    lengths: Mapping[OrderKind, int]
    """Minutes of a visit."""
    pinned: Mapping[str, str]
    """Whom an order was given to by hand."""


def broken_rules(plan: Plan, given: Given) -> list[str]:
    """Return what a plan does that it may not; nothing of a right one."""
    found = [fault for route in plan.routes for fault in _of_route(route, given)]
    visits: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
    for route in plan.routes:
        for stop in route.stops:
            if stop.order_id is not None:
                visits[stop.order_id].append((route.engineer_id or "", stop.starts_at))
    found += [fault for name, who in visits.items() for fault in _of_order(name, who, given)]
    left = [one.order_id for one in plan.left_out]
    left += [one.id for one in plan.orders_not_planned]
    for name in given.orders:
        if left.count(name) + (name in visits) != 1:
            found.append(f"{name} is neither done nor left out, or both")
    return found


def _of_route(route: PlanRoute, given: Given) -> Iterator[str]:
    who = route.engineer_id or ""
    begins, ends = given.shifts[who]
    for before, after in pairwise(route.stops):
        if after.arrives_at - before.ends_at < after.travel_minutes * _MINUTE:
            yield f"{who} is in two places at {after.arrives_at}"
    for stop in route.stops:
        if not stop.arrives_at <= stop.starts_at <= stop.ends_at:
            yield f"{who} begins {stop.order_id} before being there"
        order = given.orders.get(stop.order_id or "")
        if order is not None:
            yield from _of_visit(who, order, stop.starts_at, stop.ends_at - stop.starts_at, given)
    if route.stops:
        first, last = route.stops[0], route.stops[-1]
        if first.arrives_at - first.travel_minutes * _MINUTE < begins:
            yield f"{who} sets out before the shift"
        if last.ends_at + route.home_minutes * _MINUTE > ends:
            yield f"{who} is home after the shift"


def _of_visit(
    who: str, order: Order, starts_at: datetime, length: timedelta, given: Given
) -> Iterator[str]:
    name = order.order_id
    wanted = {_SKILLS.get(order.kind, Skill.MAINTAIN), *order.needed_skills}
    if not wanted <= given.skills[who]:
        yield f"{who} lacks {wanted - given.skills[who]} for {name}"
    if length != given.lengths[order.kind] * _MINUTE:
        yield f"{name} takes {length}"
    window = order.appointment or order.wished
    if window is not None and not window.opens_at <= starts_at < window.closes_at:
        yield f"{name} begins at {starts_at}, outside of its window"
    if given.pinned.get(name, who) != who:
        yield f"{name} is {given.pinned[name]}'s, not {who}'s"


def _of_order(name: str, visits: list[tuple[str, datetime]], given: Given) -> Iterator[str]:
    order = given.orders.get(name)
    if order is None:
        yield f"{name} is not to be done"
        return
    people = {who for who, _ in visits}
    if len(visits) != order.people_needed or len(people) != order.people_needed:
        yield f"{len(people)} people do {name}, which takes {order.people_needed}"
    if len({starts_at for _, starts_at in visits}) > 1:
        yield f"the people of {name} do not begin together"
