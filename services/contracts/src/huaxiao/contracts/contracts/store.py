"""SQL of contracts."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import RowMapping, Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import contracts, signatures
from huaxiao.shared.database import within

_with_signature: Select[*tuple[Any, ...]] = select(
    contracts, signatures.c.digest, signatures.c.signed_at, signatures.c.signed_by
).select_from(
    contracts.outerjoin(
        signatures,
        (signatures.c.branch_id == contracts.c.branch_id)
        & (signatures.c.contract_id == contracts.c.contract_id),
    )
)


async def lock(connection: AsyncConnection, branch_id: int, contract_id: str) -> bool:
    """Lock a contract until this transaction ends; False when there is none."""
    found = await connection.scalar(
        select(contracts.c.contract_id)
        .where(contracts.c.branch_id == branch_id, contracts.c.contract_id == contract_id)
        .with_for_update()
    )
    return found is not None


async def load(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    centre_ids: AbstractSet[str] | None,
) -> RowMapping | None:
    """Return a contract within the scope, with its signature; the county's is of no centre."""
    rows = await connection.execute(
        _with_signature.where(
            contracts.c.branch_id == branch_id,
            contracts.c.contract_id == contract_id,
            within(contracts.c.centre_id, centre_ids),
        )
    )
    return rows.mappings().one_or_none()


async def page(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    *,
    after: str,
    limit: int,
) -> Sequence[RowMapping]:
    """Return contracts within the scope behind an id, without what was agreed."""
    shown = _with_signature.with_only_columns(
        contracts.c.contract_id,
        contracts.c.level,
        contracts.c.centre_id,
        contracts.c.term_from,
        contracts.c.term_to,
        contracts.c.review,
        signatures.c.digest,
        signatures.c.signed_at,
        signatures.c.signed_by,
    )
    rows = await connection.execute(
        shown.where(
            contracts.c.branch_id == branch_id,
            contracts.c.contract_id > after,
            within(contracts.c.centre_id, centre_ids),
        )
        .order_by(contracts.c.contract_id)
        .limit(limit)
    )
    return rows.mappings().all()


async def add(
    connection: AsyncConnection, branch_id: int, contract_id: str, row: Mapping[str, Any]
) -> bool:
    """Insert a draft; False when its id is taken."""
    added = await connection.execute(
        insert(contracts)
        .values(branch_id=branch_id, contract_id=contract_id, **row)
        .on_conflict_do_nothing()
        .returning(contracts.c.contract_id)
    )
    return added.one_or_none() is not None


async def replace(
    connection: AsyncConnection, branch_id: int, contract_id: str, row: Mapping[str, Any]
) -> None:
    """Replace a draft, which the caller has locked."""
    await connection.execute(
        update(contracts)
        .where(contracts.c.branch_id == branch_id, contracts.c.contract_id == contract_id)
        .values(**row)
    )


async def signed(connection: AsyncConnection, branch_id: int) -> Sequence[RowMapping]:
    """Return every signed contract of a branch."""
    rows = await connection.execute(
        _with_signature.where(
            contracts.c.branch_id == branch_id, signatures.c.digest.is_not(None)
        ).order_by(contracts.c.contract_id)
    )
    return rows.mappings().all()


async def signed_beside(
    connection: AsyncConnection, branch_id: int, centre_id: str | None
) -> Sequence[RowMapping]:
    """Return the signed contracts that one of a centre must fit: the county's, and the centre's own."""
    rows = await connection.execute(
        _with_signature.where(
            contracts.c.branch_id == branch_id,
            signatures.c.digest.is_not(None),
            contracts.c.centre_id.is_(None) | (contracts.c.centre_id == centre_id),
        ).order_by(contracts.c.contract_id)
    )
    return rows.mappings().all()


async def coverage(
    connection: AsyncConnection, branch_id: int, contract_id: str
) -> dict[str, Any] | None:
    """Return how the county was covered when its contract was signed; None for any other."""
    found: dict[str, Any] | None = await connection.scalar(
        select(signatures.c.coverage).where(
            signatures.c.branch_id == branch_id, signatures.c.contract_id == contract_id
        )
    )
    return found


async def add_signature(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append a signature."""
    await connection.execute(insert(signatures).values(**row))
