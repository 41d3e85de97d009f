"""SQL of violations."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import violation_steps, violations
from huaxiao.shared.database import within

_DECISIONS = ["decide", "decide_appeal"]


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append a report."""
    await connection.execute(insert(violations).values(**row))


async def add_step(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append what was said or decided."""
    await connection.execute(insert(violation_steps).values(**row))


async def load(
    connection: AsyncConnection,
    branch_id: int,
    number: int,
    centre_ids: AbstractSet[str] | None,
) -> RowMapping | None:
    """Return a violation within the scope."""
    rows = await connection.execute(
        select(violations).where(
            violations.c.branch_id == branch_id,
            violations.c.number == number,
            within(violations.c.centre_id, centre_ids),
        )
    )
    return rows.mappings().one_or_none()


async def page(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    *,
    centre_id: str | None,
    period: int | None,
    entry: str | None,
    after: int,
    limit: int,
) -> Sequence[RowMapping]:
    """Return violations within the scope behind a number."""
    query = select(violations).where(
        violations.c.branch_id == branch_id,
        violations.c.number > after,
        within(violations.c.centre_id, centre_ids),
    )
    wanted = {"centre_id": centre_id, "period": period, "entry": entry}
    for name, value in wanted.items():
        if value is not None:
            query = query.where(violations.c[name] == value)
    rows = await connection.execute(query.order_by(violations.c.number).limit(limit))
    return rows.mappings().all()


async def steps(
    connection: AsyncConnection, branch_id: int, numbers: Sequence[int]
) -> dict[int, list[RowMapping]]:
    """Return what was said and decided of some violations, in order."""
    rows = await connection.execute(
        select(violation_steps)
        .where(
            violation_steps.c.branch_id == branch_id,
            violation_steps.c.violation == func.any(list(numbers)),
        )
        .order_by(violation_steps.c.violation, violation_steps.c.number)
    )
    found: dict[int, list[RowMapping]] = {number: [] for number in numbers}
    for row in rows.mappings():
        found[row["violation"]].append(row)
    return found


async def upheld(
    connection: AsyncConnection,
    branch_id: int,
    *,
    known_at: datetime | None,
    centre_ids: Collection[str],
) -> Sequence[RowMapping]:
    """Return the violations of some centres that were upheld as known at a moment, or now."""
    decided = select(violation_steps).where(
        violation_steps.c.branch_id == branch_id, violation_steps.c.step.in_(_DECISIONS)
    )
    if known_at is not None:
        decided = decided.where(violation_steps.c.at <= known_at)
    latest = (
        decided.ext(distinct_on(violation_steps.c.violation))
        .order_by(violation_steps.c.violation, violation_steps.c.number.desc())
        .subquery()
    )
    rows = await connection.execute(
        select(
            violations.c.number,
            violations.c.entry,
            violations.c.centre_id,
            violations.c.day,
            violations.c.period,
            violations.c.severity,
            latest.c.points,
            latest.c.recover_fen,
        )
        .join(latest, latest.c.violation == violations.c.number)
        .where(
            violations.c.branch_id == branch_id,
            violations.c.centre_id == func.any(list(centre_ids)),
            latest.c.upheld.is_(True),
        )
        .order_by(violations.c.number)
    )
    return rows.mappings().all()
