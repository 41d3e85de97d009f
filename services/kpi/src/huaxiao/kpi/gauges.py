"""What is watched of the targets: alerts that stand, and webhooks that were not reached."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from huaxiao.kpi.tables import alerts, feed, positions, webhook_deliveries
from huaxiao.shared.watching import Gauge, feed_head, followed
from huaxiao.shared.wire.alerts import AlertState, DeliveryState


def _firing(_: datetime) -> Select[Any]:
    return (
        select(alerts.c.branch_id.label("branch"), alerts.c.kind, func.count().label("value"))
        .where(alerts.c.state.in_([AlertState.FIRING, AlertState.RECOVERING]))
        .group_by(alerts.c.branch_id, alerts.c.kind)
    )


def _undelivered(_: datetime) -> Select[Any]:
    told = webhook_deliveries.c
    return (
        select(told.branch_id.label("branch"), told.state, func.count().label("value"))
        .where(told.state != DeliveryState.DELIVERED)
        .group_by(told.branch_id, told.state)
    )


GAUGES = (
    feed_head(feed.heads),
    followed(positions),
    Gauge("huaxiao.alerts.firing", "{alert}", "Alerts that fire, by their kind", _firing),
    Gauge(
        "huaxiao.webhooks.undelivered",
        "{delivery}",
        "Messages that wait for another try, or were given up",
        _undelivered,
    ),
)
