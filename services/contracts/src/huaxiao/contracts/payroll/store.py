"""SQL of payroll."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.domain.headcount import Pay, Placement
from huaxiao.contracts.tables import payroll, placements
from huaxiao.shared.database import within
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.contracts import Engagement, PersonPay


async def placements_of(connection: AsyncConnection, branch_id: int) -> list[Placement]:
    """Return every primary place that anybody has had in the branch."""
    rows = await connection.execute(
        select(
            placements.c.person_id,
            placements.c.from_day,
            placements.c.engagement,
            placements.c.centre_id,
            placements.c.here,
        ).where(placements.c.branch_id == branch_id)
    )
    return [
        Placement(row.person_id, row.from_day, Engagement(row.engagement), row.centre_id, row.here)
        for row in rows
    ]


async def recorded(
    connection: AsyncConnection, branch_id: int, periods: AbstractSet[int]
) -> list[Pay]:
    """Return the pay recorded for some periods."""
    rows = await connection.execute(
        select(payroll).where(
            payroll.c.branch_id == branch_id, payroll.c.period.in_(sorted(periods))
        )
    )
    return [Pay(row.person_id, row.centre_id, Period(row.period), row.pay_fen) for row in rows]


async def recorded_since(connection: AsyncConnection, branch_id: int, period: int) -> list[Pay]:
    """Return the pay recorded for a period and all after it."""
    rows = await connection.execute(
        select(payroll).where(payroll.c.branch_id == branch_id, payroll.c.period >= period)
    )
    return [Pay(row.person_id, row.centre_id, Period(row.period), row.pay_fen) for row in rows]


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: int,
    centre_id: str | None,
    centre_ids: AbstractSet[str] | None,
    known_at: datetime | None,
    after: str,
    limit: int,
) -> list[PersonPay]:
    """Return the pay of a period by person."""
    query = select(payroll).where(
        payroll.c.branch_id == branch_id,
        payroll.c.period == period,
        payroll.c.person_id > after,
        within(payroll.c.centre_id, centre_ids),
    )
    if centre_id is not None:
        query = query.where(payroll.c.centre_id == centre_id)
    if known_at is not None:
        query = query.where(payroll.c.recorded_at <= known_at)
    rows = await connection.execute(query.order_by(payroll.c.person_id).limit(limit))
    return [PersonPay.model_validate(dict(row)) for row in rows.mappings()]


async def add(
    connection: AsyncConnection, branch_id: int, pays: Sequence[Pay], *, now: datetime
) -> None:
    """Append pay."""
    if not pays:
        return
    await connection.execute(
        insert(payroll),
        [
            {
                "branch_id": branch_id,
                "person_id": pay.person_id,
                "period": pay.period,
                "centre_id": pay.centre_id,
                "pay_fen": pay.pay_fen,
                "recorded_at": now,
            }
            for pay in pays
        ],
    )
