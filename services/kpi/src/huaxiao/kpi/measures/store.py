"""Measures in the database: added to or replaced by the followers, summed and paged by readers."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import RowMapping, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.tables import measures

Key = tuple[str, int, str]
"""Centre, period, measure."""


async def add(connection: AsyncConnection, branch_id: int, changes: Mapping[Key, int]) -> None:
    """Add amounts to measures; a new one starts at zero."""
    await _upsert(connection, branch_id, changes, adding=True)


async def replace(connection: AsyncConnection, branch_id: int, values: Mapping[Key, int]) -> None:
    """Set measures to amounts."""
    await _upsert(connection, branch_id, values, adding=False)


async def _upsert(
    connection: AsyncConnection, branch_id: int, amounts: Mapping[Key, int], *, adding: bool
) -> None:
    if not amounts:
        return
    row = insert(measures)
    amount = row.excluded.amount
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=["branch_id", "centre_id", "period", "measure"],
            set_={"amount": measures.c.amount + amount if adding else amount},
        ),
        [
            {
                "branch_id": branch_id,
                "centre_id": centre_id,
                "period": period,
                "measure": measure,
                "amount": amount,
            }
            for (centre_id, period, measure), amount in sorted(amounts.items())
        ],
    )


async def sums(
    connection: AsyncConnection,
    branch_id: int,
    *,
    first: int,
    last: int,
    centre_ids: frozenset[str] | None,
) -> dict[str, dict[str, int]]:
    """Return every measure summed over the periods from first to last, by centre and name."""
    query = (
        select(measures.c.centre_id, measures.c.measure, func.sum(measures.c.amount).label("sum"))
        .where(measures.c.branch_id == branch_id, measures.c.period.between(first, last))
        .group_by(measures.c.centre_id, measures.c.measure)
    )
    if centre_ids is not None:
        query = query.where(measures.c.centre_id.in_(sorted(centre_ids)))
    found: dict[str, dict[str, int]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.centre_id, {})[row.measure] = int(row.sum)
    return found


async def named(
    connection: AsyncConnection,
    branch_id: int,
    names: Iterable[str],
    *,
    first: int,
    last: int,
    centre_ids: frozenset[str] | None,
) -> Sequence[RowMapping]:
    """Return measures of some names, month by month."""
    query = select(measures).where(
        measures.c.branch_id == branch_id,
        measures.c.period.between(first, last),
        measures.c.measure.in_(list(names)),
    )
    if centre_ids is not None:
        query = query.where(measures.c.centre_id.in_(sorted(centre_ids)))
    rows = await connection.execute(query)
    return rows.mappings().all()


async def months_with(
    connection: AsyncConnection,
    branch_id: int,
    *,
    names: Iterable[str],
    prefixes: Iterable[str] = (),
    first: int,
    last: int,
) -> frozenset[int]:
    """Return the periods in which the branch has any measure so named, in whatever centre."""
    rows = await connection.scalars(
        select(measures.c.period)
        .distinct()
        .where(
            measures.c.branch_id == branch_id,
            measures.c.period.between(first, last),
            or_(
                measures.c.measure.in_(list(names)),
                *(measures.c.measure.startswith(prefix, autoescape=True) for prefix in prefixes),
            ),
        )
    )
    return frozenset(rows)


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    centre_ids: frozenset[str] | None,
    period: int | None,
    centre_id: str | None,
    after: Key | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Return measures the caller may see, by centre, period and name."""
    key = (measures.c.centre_id, measures.c.period, measures.c.measure)
    query = select(measures).where(measures.c.branch_id == branch_id)
    if centre_ids is not None:
        query = query.where(measures.c.centre_id.in_(sorted(centre_ids)))
    if period is not None:
        query = query.where(measures.c.period == period)
    if centre_id is not None:
        query = query.where(measures.c.centre_id == centre_id)
    if after is not None:
        query = query.where(tuple_(*key) > after)
    rows = await connection.execute(query.order_by(*key).limit(limit))
    return rows.mappings().all()
