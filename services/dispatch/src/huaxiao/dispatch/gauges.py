"""What is watched of the work: what is open, and what is late."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from huaxiao.dispatch.tables import feed, orders, plans, positions, tickets
from huaxiao.shared.watching import Gauge, feed_head, followed
from huaxiao.shared.wire.dispatch import WORK_ENDED
from huaxiao.shared.wire.plans import PlanState
from huaxiao.shared.wire.tickets import TicketState


def _orders(_: datetime) -> Select[Any]:
    return (
        select(orders.c.branch_id.label("branch"), orders.c.kind, func.count().label("value"))
        .where(orders.c.state.not_in(WORK_ENDED))
        .group_by(orders.c.branch_id, orders.c.kind)
    )


def _late_orders(now: datetime) -> Select[Any]:
    return _orders(now).where(orders.c.due_at < now)


def _tickets(_: datetime) -> Select[Any]:
    return (
        select(tickets.c.branch_id.label("branch"), tickets.c.category, func.count().label("value"))
        .where(tickets.c.state != TicketState.CLOSED)
        .group_by(tickets.c.branch_id, tickets.c.category)
    )


def _late_tickets(now: datetime) -> Select[Any]:
    return _tickets(now).where(tickets.c.due_at < now)


def _waiting_plans(_: datetime) -> Select[Any]:
    return (
        select(plans.c.branch_id.label("branch"), func.count().label("value"))
        .where(plans.c.state == PlanState.QUEUED)
        .group_by(plans.c.branch_id)
    )


GAUGES = (
    feed_head(feed.heads),
    followed(positions),
    Gauge("huaxiao.orders.open", "{order}", "Orders whose work has not ended", _orders),
    Gauge("huaxiao.orders.late", "{order}", "Open orders that are past their time", _late_orders),
    Gauge("huaxiao.tickets.open", "{ticket}", "Tickets that are not closed", _tickets),
    Gauge(
        "huaxiao.tickets.late", "{ticket}", "Open tickets that are past their time", _late_tickets
    ),
    Gauge("huaxiao.plans.waiting", "{plan}", "Plans that no process has taken up", _waiting_plans),
)
