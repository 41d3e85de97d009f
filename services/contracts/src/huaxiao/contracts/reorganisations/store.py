"""SQL of re-organisations."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.exits import store as exit_store
from huaxiao.contracts.tables import (
    applied_reorganisations,
    contracts,
    reorganisations,
    signatures,
)

_plans: Select[*tuple[Any, ...]] = select(
    reorganisations,
    applied_reorganisations.c.made,
    applied_reorganisations.c.applied_by,
    applied_reorganisations.c.applied_at,
).select_from(
    reorganisations.outerjoin(
        applied_reorganisations,
        (applied_reorganisations.c.branch_id == reorganisations.c.branch_id)
        & (applied_reorganisations.c.plan_id == reorganisations.c.plan_id),
    )
)


async def load(connection: AsyncConnection, branch_id: int, plan_id: str) -> RowMapping | None:
    """Return a plan, with the difference it made if it was applied."""
    rows = await connection.execute(
        _plans.where(reorganisations.c.branch_id == branch_id, reorganisations.c.plan_id == plan_id)
    )
    return rows.mappings().one_or_none()


async def page(
    connection: AsyncConnection, branch_id: int, *, after: str, limit: int
) -> Sequence[RowMapping]:
    """Return plans behind an id."""
    rows = await connection.execute(
        _plans.where(reorganisations.c.branch_id == branch_id, reorganisations.c.plan_id > after)
        .order_by(reorganisations.c.plan_id)
        .limit(limit)
    )
    return rows.mappings().all()


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Insert a plan."""
    await connection.execute(insert(reorganisations).values(**row))


async def replace(
    connection: AsyncConnection, branch_id: int, plan_id: str, row: Mapping[str, Any]
) -> None:
    """Replace a plan that is not applied."""
    await connection.execute(
        update(reorganisations)
        .where(reorganisations.c.branch_id == branch_id, reorganisations.c.plan_id == plan_id)
        .values(**row)
    )


async def apply(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append that a plan was applied."""
    await connection.execute(insert(applied_reorganisations).values(**row))


async def contracting(connection: AsyncConnection, branch_id: int, period: int) -> set[str]:
    """Return the centres with a signed contract in a period, one that has ended early left out."""
    found = await connection.execute(
        select(contracts.c.contract_id, contracts.c.centre_id)
        .join(
            signatures,
            (signatures.c.branch_id == contracts.c.branch_id)
            & (signatures.c.contract_id == contracts.c.contract_id),
        )
        .where(
            contracts.c.branch_id == branch_id,
            contracts.c.centre_id.is_not(None),
            contracts.c.term_from <= period,
            contracts.c.term_to >= period,
        )
    )
    centres = {row.contract_id: row.centre_id for row in found}
    ends = await exit_store.last_periods(connection, branch_id, list(centres))
    return {centre for contract, centre in centres.items() if ends.get(contract, period) >= period}
