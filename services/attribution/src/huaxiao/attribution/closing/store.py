"""Rows of periods: what has been begun, and what is closed under which seal."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, select, union_all, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.postings import NET_REVENUE
from huaxiao.attribution.domain.seals import Sealing
from huaxiao.attribution.domain.unresolved import Share, standing
from huaxiao.attribution.ledger.store import in_period, net_revenue
from huaxiao.attribution.tables import (
    balances,
    branches,
    entries,
    intakes,
    period_closings,
    periods,
    unresolved_approvals,
)
from huaxiao.attribution.unresolved.store import limits
from huaxiao.shared.periods import Period as PeriodOf
from huaxiao.shared.periods import periods_from
from huaxiao.shared.wire.attribution import (
    Period,
    PeriodState,
    UnresolvedApproval,
    UnresolvedLimits,
    UnresolvedShare,
)

_APPROVED = {
    "approved_by": unresolved_approvals.c.approved_by,
    "approved_at": unresolved_approvals.c.approved_at,
    "approved_reason": unresolved_approvals.c.reason,
    "approved_unresolved_fen": unresolved_approvals.c.unresolved_fen,
    "approved_net_revenue_fen": unresolved_approvals.c.net_revenue_fen,
}


def _sealed(branch_id: int) -> Select[Any]:
    """Select the sealed periods of a branch with who has begun and approved their closing."""
    return (
        select(
            periods,
            period_closings.c.begun_at,
            period_closings.c.begun_by,
            *(column.label(name) for name, column in _APPROVED.items()),
        )
        .outerjoin(
            period_closings,
            and_(
                period_closings.c.branch_id == periods.c.branch_id,
                period_closings.c.period == periods.c.period,
            ),
        )
        .outerjoin(
            unresolved_approvals,
            and_(
                unresolved_approvals.c.branch_id == periods.c.branch_id,
                unresolved_approvals.c.period == periods.c.period,
                unresolved_approvals.c.number == periods.c.approval,
            ),
        )
        .where(periods.c.branch_id == branch_id)
    )


async def sealed(connection: AsyncConnection, branch_id: int, number: int) -> Row[Any] | None:
    """Return a period's own seal and closing; None while it has none."""
    rows = await connection.execute(_sealed(branch_id).where(periods.c.period == number))
    found: Row[Any] | None = rows.one_or_none()
    return found


async def seal_before(connection: AsyncConnection, branch_id: int, number: int) -> str:
    """Return the last seal before a period; empty for the first."""
    found = await connection.scalar(
        select(periods.c.seal)
        .where(periods.c.branch_id == branch_id, periods.c.period < number)
        .order_by(periods.c.period.desc())
        .limit(1)
    )
    return found or ""


async def period(connection: AsyncConnection, branch_id: int, number: int) -> Period:
    """Return a period: open, closing or closed."""
    (found,) = await _standing(connection, branch_id, [number])
    return found


async def page(
    connection: AsyncConnection, branch_id: int, *, after: int, limit: int
) -> list[Period]:
    """Return the periods from the first to the last that anything is known of."""
    known = union_all(
        *(
            select(one.c.period).where(one.c.branch_id == branch_id)
            for one in (balances, period_closings, periods)
        )
    ).subquery()
    first, last = (
        await connection.execute(select(func.min(known.c.period), func.max(known.c.period)))
    ).one()
    if first is None:
        return []
    numbers = [one for one in periods_from(PeriodOf(first), PeriodOf(last)) if one > after]
    return await _standing(connection, branch_id, numbers[:limit])


async def _standing(
    connection: AsyncConnection, branch_id: int, numbers: Sequence[int]
) -> list[Period]:
    """Say where periods stand, given in order: a seal closes every one before it as well."""
    if not numbers:
        return []
    rows = await connection.execute(
        _sealed(branch_id).where(periods.c.period >= numbers[0]).order_by(periods.c.period)
    )
    seals = rows.all()
    still_open = await _what_is_open(connection, branch_id, numbers[0], numbers[-1])
    found: list[Period] = []
    for number in numbers:
        place = bisect_left(seals, number, key=lambda row: row.period)
        if place < len(seals):
            found.append(_closed(number, seals[place]))
        else:
            found.append(still_open.period(number))
    return found


@dataclass(frozen=True, slots=True)
class _OpenPeriods:
    """What is known of periods that are not closed."""

    begun: Mapping[int, Row[Any]]
    shares: Mapping[int, Share]
    approvals: Mapping[int, UnresolvedApproval]
    limits: UnresolvedLimits

    def period(self, number: int) -> Period:
        closing = self.begun.get(number)
        return Period(
            period=number,
            state=PeriodState.OPEN if closing is None else PeriodState.CLOSING,
            begun_at=closing and closing.begun_at,
            begun_by=closing and closing.begun_by,
            unresolved=shown(
                self.shares.get(number, Share()),
                warn_above=self.limits.warn_above_basis_points,
                block_above=self.limits.block_above_basis_points,
                approval=self.approvals.get(number),
            ),
        )


async def _what_is_open(
    connection: AsyncConnection, branch_id: int, first: int, last: int
) -> _OpenPeriods:
    begun = await connection.execute(
        select(period_closings).where(
            period_closings.c.branch_id == branch_id,
            period_closings.c.period.between(first, last),
        )
    )
    return _OpenPeriods(
        {row.period: row for row in begun},
        await _shares(connection, branch_id, first, last),
        await _approvals(connection, branch_id, first, last),
        await limits(connection, branch_id),
    )


async def unresolved_of_before(
    connection: AsyncConnection, branch_id: int, period: int
) -> dict[int, int]:
    """Return net revenue that lies in the pool in a period's books and belongs to months before it."""
    pool = select(branches.c.default_centre_id).where(branches.c.branch_id == branch_id)
    amount = net_revenue()
    rows = await connection.execute(
        select(entries.c.owner_period, amount)
        .where(
            in_period(branch_id, period),
            entries.c.owner_period < period,
            entries.c.centre_id == pool.scalar_subquery(),
        )
        .group_by(entries.c.owner_period)
        .having(amount != 0)
        .order_by(entries.c.owner_period)
    )
    return {row[0]: int(row[1]) for row in rows}


async def _shares(
    connection: AsyncConnection, branch_id: int, first: int, last: int
) -> dict[int, Share]:
    """Return what of periods' net revenue lies in the pool, from the balances."""
    table = balances
    pool = select(branches.c.default_centre_id).where(branches.c.branch_id == branch_id)
    in_pool = table.c.centre_id == pool.scalar_subquery()
    total = func.sum(table.c.amount_fen)
    rows = await connection.execute(
        select(
            table.c.period,
            (-func.coalesce(total.filter(in_pool), 0)).label("unresolved_fen"),
            (-total).label("net_revenue_fen"),
        )
        .where(
            table.c.branch_id == branch_id,
            table.c.period.between(first, last),
            table.c.account.in_(NET_REVENUE),
        )
        .group_by(table.c.period)
    )
    return {row.period: Share(int(row.unresolved_fen), int(row.net_revenue_fen)) for row in rows}


async def _approvals(
    connection: AsyncConnection, branch_id: int, first: int, last: int
) -> dict[int, UnresolvedApproval]:
    """Return the newest approval of each period that has one."""
    table = unresolved_approvals
    rows = await connection.execute(
        select(table)
        .where(table.c.branch_id == branch_id, table.c.period.between(first, last))
        .order_by(table.c.period, table.c.number)
    )
    return {row.period: _approval(row) for row in rows}


def _approval(row: Row[Any]) -> UnresolvedApproval:
    share = Share(row.unresolved_fen, row.net_revenue_fen)
    return UnresolvedApproval(
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        reason=row.reason,
        share=share.ratio,
        **asdict(share),
    )


def shown(
    share: Share, *, warn_above: int, block_above: int, approval: UnresolvedApproval | None
) -> UnresolvedShare:
    """Return a share with what it means for the closing."""
    approved = None
    if approval is not None:
        approved = Share(approval.unresolved_fen, approval.net_revenue_fen)
    return UnresolvedShare(
        share=share.ratio,
        warn_above_basis_points=warn_above,
        block_above_basis_points=block_above,
        standing=standing(share, warn_above=warn_above, block_above=block_above, approved=approved),
        approval=approval,
        **asdict(share),
    )


def _closed(number: int, under: Row[Any]) -> Period:
    return Period(
        period=number,
        state=PeriodState.CLOSED,
        begun_at=under.begun_at,
        begun_by=under.begun_by,
        closed_at=under.closed_at,
        closed_by=under.closed_by,
        closed_with=under.period,
        entries=under.entries if under.period == number else 0,
        seal=under.seal,
        unresolved=_closed_with(under) if under.period == number else None,
    )


def _closed_with(under: Row[Any]) -> UnresolvedShare:
    """Return what was unresolved of a period when it was closed."""
    approval = None
    if under.approved_by is not None:
        approved = Share(under.approved_unresolved_fen, under.approved_net_revenue_fen)
        approval = UnresolvedApproval(
            approved_by=under.approved_by,
            approved_at=under.approved_at,
            reason=under.approved_reason,
            share=approved.ratio,
            **asdict(approved),
        )
    return shown(
        Share(under.unresolved_fen, under.net_revenue_fen),
        warn_above=under.warn_above_basis_points,
        block_above=under.block_above_basis_points,
        approval=approval,
    )


async def approve(
    connection: AsyncConnection,
    branch_id: int,
    number: int,
    share: Share,
    *,
    reason: str,
    by: str,
    now: datetime,
) -> None:
    """Record who approves that a period is closed with what is unresolved."""
    newest = await _newest_approval(connection, branch_id, number)
    await connection.execute(
        insert(unresolved_approvals).values(
            branch_id=branch_id,
            period=number,
            number=(newest or 0) + 1,
            approved_by=by,
            approved_at=now,
            reason=reason,
            **asdict(share),
        )
    )


async def _newest_approval(connection: AsyncConnection, branch_id: int, number: int) -> int | None:
    table = unresolved_approvals
    found: int | None = await connection.scalar(
        select(func.max(table.c.number)).where(
            table.c.branch_id == branch_id, table.c.period == number
        )
    )
    return found


async def begin(
    connection: AsyncConnection, branch_id: int, number: int, *, by: str, now: datetime
) -> None:
    """Record who begins to close a period."""
    await connection.execute(
        insert(period_closings)
        .values(branch_id=branch_id, period=number, begun_by=by, begun_at=now)
        .on_conflict_do_nothing()
    )


async def first_open(connection: AsyncConnection, branch_id: int) -> int | None:
    """Return the earliest open period that anything was booked in."""
    closed_through = select(intakes.c.closed_through).where(intakes.c.branch_id == branch_id)
    found: int | None = await connection.scalar(
        select(func.min(balances.c.period)).where(
            balances.c.branch_id == branch_id,
            balances.c.period > func.coalesce(closed_through.scalar_subquery(), 0),
        )
    )
    return found


async def close(
    connection: AsyncConnection, sealing: Sealing, *, seal: str, feed_position: int
) -> None:
    """Close a period under its seal, and with it every one before."""
    bound = asdict(sealing)
    for kept_elsewhere in ("begun_by", "begun_at", *_APPROVED):
        del bound[kept_elsewhere]
    if sealing.approved_by is not None:
        bound["approval"] = await _newest_approval(connection, sealing.branch_id, sealing.period)
    await connection.execute(
        insert(periods).values(**bound, seal=seal, feed_position=feed_position)
    )
    await connection.execute(
        update(intakes)
        .where(intakes.c.branch_id == sealing.branch_id)
        .values(closed_through=sealing.period)
    )
