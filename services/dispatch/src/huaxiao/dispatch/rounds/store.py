"""SQL of assets and their rounds."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from typing import Any

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import assets, orders, rounds
from huaxiao.shared.database import within

_covered_to = (
    select(func.max(rounds.c.ends_on))
    .where(rounds.c.branch_id == assets.c.branch_id, rounds.c.asset_id == assets.c.asset_id)
    .scalar_subquery()
    .label("covered_to")
)


async def put(connection: AsyncConnection, asset: Mapping[str, Any]) -> bool:
    """Store an asset; say whether it is new."""
    known = await load(connection, asset["branch_id"], asset["asset_id"], None)
    await connection.execute(
        insert(assets)
        .values(**asset)
        .on_conflict_do_update(index_elements=["branch_id", "asset_id"], set_=dict(asset))
    )
    return known is None


async def load(
    connection: AsyncConnection,
    branch_id: int,
    asset_id: str,
    centre_ids: AbstractSet[str] | None,
) -> RowMapping | None:
    """Return an asset within the caller's centres, and the last day of its latest round."""
    rows = await connection.execute(
        select(assets, _covered_to).where(
            assets.c.branch_id == branch_id,
            assets.c.asset_id == asset_id,
            within(assets.c.centre_id, centre_ids),
        )
    )
    return rows.mappings().one_or_none()


async def page(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    *,
    filters: Mapping[str, str | None],
    after: str,
    limit: int | None,
) -> Sequence[RowMapping]:
    """Return assets behind an id within the caller's centres."""
    query = select(assets, _covered_to).where(
        assets.c.branch_id == branch_id,
        assets.c.asset_id > after,
        within(assets.c.centre_id, centre_ids),
    )
    for name, value in filters.items():
        if value is not None:
            query = query.where(assets.c[name] == value)
    rows = await connection.execute(query.order_by(assets.c.asset_id).limit(limit))
    return rows.mappings().all()


async def any_waiting(connection: AsyncConnection, branch_id: int, day: date) -> bool:
    """Say whether a round that begins by a day is still to be created."""
    found = await connection.scalar(
        select(assets.c.asset_id)
        .where(assets.c.branch_id == branch_id, assets.c.next_round_on <= day)
        .limit(1)
    )
    return found is not None


async def waiting(
    connection: AsyncConnection, branch_id: int, day: date, *, limit: int
) -> Sequence[RowMapping]:
    """Return assets of which a round begins by a day and is still to be created, locked."""
    rows = await connection.execute(
        select(assets, _covered_to)
        .where(assets.c.branch_id == branch_id, assets.c.next_round_on <= day)
        .order_by(assets.c.next_round_on, assets.c.asset_id)
        .limit(limit)
        .with_for_update(of=assets, skip_locked=True)
    )
    return rows.mappings().all()


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> bool:
    """Insert a round; False when it has been created already."""
    added = await connection.execute(
        insert(rounds).values(**row).on_conflict_do_nothing().returning(rounds.c.asset_id)
    )
    return added.one_or_none() is not None


async def set_next(
    connection: AsyncConnection, branch_id: int, asset_id: str, day: date | None
) -> None:
    """Note on which day an asset's next round begins."""
    await connection.execute(
        update(assets)
        .where(assets.c.branch_id == branch_id, assets.c.asset_id == asset_id)
        .values(next_round_on=day)
    )


async def ending_in(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    days: tuple[date, date],
) -> Sequence[RowMapping]:
    """Return the rounds whose last day lies in a span, with what has become of their orders."""
    rows = await connection.execute(
        select(rounds, orders.c.finished_at, assets.c.kind, assets.c.grade)
        .join(
            assets,
            (assets.c.branch_id == rounds.c.branch_id) & (assets.c.asset_id == rounds.c.asset_id),
        )
        .outerjoin(
            orders,
            (orders.c.branch_id == rounds.c.branch_id) & (orders.c.order_id == rounds.c.order_id),
        )
        .where(
            rounds.c.branch_id == branch_id,
            rounds.c.ends_on.between(*days),
            within(assets.c.centre_id, centre_ids),
        )
        .order_by(rounds.c.asset_id, rounds.c.starts_on)
    )
    return rows.mappings().all()
