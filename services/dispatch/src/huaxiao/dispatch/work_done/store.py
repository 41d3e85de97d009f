"""SQL of work done."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import RowMapping, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import appraisals, order_steps, orders
from huaxiao.shared.database import within
from huaxiao.shared.periods import Period, ends_at, period_of, starts_at
from huaxiao.shared.wire.dispatch import Area, FinishedWork, OrderKind, StepName


async def finished(
    connection: AsyncConnection,
    branch_id: int,
    span: tuple[Period, Period],
    centre_ids: AbstractSet[str] | None,
    known_at: datetime,
) -> list[FinishedWork]:
    """Count what was finished in some months and recorded by a moment."""
    # Business months are local: the day is counted where the county is.
    month = func.date_trunc("month", func.timezone("Asia/Shanghai", orders.c.finished_at))
    done = order_steps
    rows = await connection.execute(
        select(
            func.min(orders.c.finished_at).label("some_day"),
            orders.c.performer_centre_id,
            orders.c.kind,
            orders.c.rural,
            func.count().label("count"),
        )
        .select_from(
            orders.join(
                done,
                and_(
                    done.c.branch_id == orders.c.branch_id,
                    done.c.order_id == orders.c.order_id,
                    done.c.step == StepName.FINISH,
                ),
            )
        )
        .where(
            orders.c.branch_id == branch_id,
            orders.c.finished_at >= starts_at(span[0]),
            orders.c.finished_at < ends_at(span[1]),
            orders.c.performer_centre_id.is_not(None),
            done.c.recorded_at <= known_at,
            within(orders.c.performer_centre_id, centre_ids),
        )
        .group_by(month, orders.c.performer_centre_id, orders.c.kind, orders.c.rural)
        .order_by(month, orders.c.performer_centre_id, orders.c.kind, orders.c.rural)
    )
    return [
        FinishedWork(
            period=period_of(row.some_day),
            centre_id=row.performer_centre_id,
            kind=OrderKind(row.kind),
            area=Area.RURAL if row.rural else Area.TOWN,
            count=row.count,
        )
        for row in rows
    ]


async def cards(
    connection: AsyncConnection,
    branch_id: int,
    span: tuple[Period, Period],
    centre_ids: AbstractSet[str] | None,
    known_at: datetime,
) -> Sequence[RowMapping]:
    """Return the horizontal cards of some months that had been made by a moment."""
    rows = await connection.execute(
        select(appraisals, (appraisals.c.confirmed_at <= known_at).label("confirmed_before"))
        .where(
            appraisals.c.branch_id == branch_id,
            appraisals.c.kind == "horizontal",
            appraisals.c.period.between(*span),
            appraisals.c.made_at <= known_at,
            within(appraisals.c.ratee_centre_id, centre_ids),
        )
        .order_by(appraisals.c.appraisal_id)
    )
    return rows.mappings().all()
