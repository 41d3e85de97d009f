"""What is watched of the books: what waits, what nobody owns, what is still open."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, extract, func, literal, select

from huaxiao.attribution.domain.postings import NET_REVENUE
from huaxiao.attribution.tables import (
    balances,
    branches,
    disputes,
    feed,
    held_events,
    intakes,
    period_totals,
    positions,
)
from huaxiao.shared.watching import Gauge, feed_head, followed
from huaxiao.shared.wire.attribution import Outcome


def _held(_: datetime) -> Select[Any]:
    held = held_events.c
    return (
        select(held.branch_id.label("branch"), held.outcome, func.count().label("value"))
        .where(held.resolved_at.is_(None))
        .group_by(held.branch_id, held.outcome)
    )


def _oldest_parked(now: datetime) -> Select[Any]:
    held = held_events.c
    age = extract("epoch", literal(now) - func.min(held.received_at))
    return (
        select(held.branch_id.label("branch"), age.label("value"))
        .where(held.resolved_at.is_(None), held.outcome == Outcome.PARKED)
        .group_by(held.branch_id)
    )


def _open_periods(_: datetime) -> Select[Any]:
    return (
        select(period_totals.c.branch_id.label("branch"), func.count().label("value"))
        .join(intakes, intakes.c.branch_id == period_totals.c.branch_id)
        .where(period_totals.c.period > func.coalesce(intakes.c.closed_through, 0))
        .group_by(period_totals.c.branch_id)
    )


def _unresolved_revenue(_: datetime) -> Select[Any]:
    held = balances.c
    return (
        select(
            held.branch_id.label("branch"),
            held.period,
            (-func.sum(held.amount_fen)).label("value"),
        )
        .join(
            branches,
            (branches.c.branch_id == held.branch_id)
            & (branches.c.default_centre_id == held.centre_id),
        )
        .join(intakes, intakes.c.branch_id == held.branch_id)
        .where(
            held.account.in_(NET_REVENUE),
            held.period > func.coalesce(intakes.c.closed_through, 0),
        )
        .group_by(held.branch_id, held.period)
    )


def _disputes(_: datetime) -> Select[Any]:
    return (
        select(disputes.c.branch_id.label("branch"), func.count().label("value"))
        .where(disputes.c.ended_at.is_(None))
        .group_by(disputes.c.branch_id)
    )


GAUGES = (
    feed_head(feed.heads),
    followed(positions),
    Gauge("huaxiao.events.held", "{event}", "Events in quarantine, by why they are there", _held),
    Gauge(
        "huaxiao.events.parked.age",
        "s",
        "How long the oldest parked event has waited",
        _oldest_parked,
    ),
    Gauge(
        "huaxiao.periods.open", "{period}", "Months with books that are not closed", _open_periods
    ),
    Gauge(
        "huaxiao.revenue.unresolved",
        "{fen}",
        "Revenue of an open month that no centre but the pool owns",
        _unresolved_revenue,
    ),
    Gauge(
        "huaxiao.disputes.open", "{dispute}", "Disputes that are not decided for good", _disputes
    ),
)
