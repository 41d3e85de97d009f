"""What is watched of contracts: what waits for people."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from huaxiao.contracts.tables import feed, statements
from huaxiao.shared.watching import Gauge, feed_head


def _open_statements(_: datetime) -> Select[Any]:
    return (
        select(
            statements.c.branch_id.label("branch"),
            statements.c.period,
            func.count().label("value"),
        )
        .where(statements.c.closed_at.is_(None))
        .group_by(statements.c.branch_id, statements.c.period)
    )


GAUGES = (
    feed_head(feed.heads),
    Gauge(
        "huaxiao.statements.open",
        "{statement}",
        "Statements that both sides have not confirmed and closed",
        _open_statements,
    ),
)
