"""SQL of settlements."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, Table, and_, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import (
    answers,
    confirmations,
    contracts,
    objections,
    signatures,
    statement_revisions,
    statements,
)
from huaxiao.shared.database import within
from huaxiao.shared.periods import Period

_SETTLING = 27
"""Class of the advisory locks under which a branch's contracts are settled, one run at a time."""


async def settle_alone(connection: AsyncConnection, branch_id: int) -> None:
    """Wait until nobody else settles this branch's contracts, and keep others waiting."""
    await connection.execute(select(func.pg_advisory_xact_lock(_SETTLING, branch_id)))


async def signed_contracts(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    *,
    period: int | None,
    contract_ids: Sequence[str] | None,
) -> Sequence[RowMapping]:
    """Return signed contracts within the scope: those whose term holds a period, or those named."""
    query = (
        select(contracts)
        .join(
            signatures,
            (signatures.c.branch_id == contracts.c.branch_id)
            & (signatures.c.contract_id == contracts.c.contract_id),
        )
        .where(contracts.c.branch_id == branch_id, within(contracts.c.centre_id, centre_ids))
        .order_by(contracts.c.contract_id)
    )
    if period is not None:
        query = query.where(contracts.c.term_from <= period, contracts.c.term_to >= period)
    if contract_ids is not None:
        query = query.where(contracts.c.contract_id == func.any(list(contract_ids)))
    return (await connection.execute(query)).mappings().all()


_latest: Select[*tuple[Any, ...]] = select(
    statements.c.centre_id, statements.c.closed_at, statement_revisions
).select_from(
    statements.join(
        statement_revisions,
        and_(
            statement_revisions.c.branch_id == statements.c.branch_id,
            statement_revisions.c.contract_id == statements.c.contract_id,
            statement_revisions.c.period == statements.c.period,
            statement_revisions.c.revision == statements.c.revision,
        ),
    )
)


async def statements_of(
    connection: AsyncConnection, branch_id: int, contract_ids: Sequence[str], period: Period
) -> dict[str, RowMapping]:
    """Return the statements of a period by contract."""
    rows = await connection.execute(
        _latest.where(
            statements.c.branch_id == branch_id,
            statements.c.contract_id == func.any(list(contract_ids)),
            statements.c.period == period,
        )
    )
    return {row["contract_id"]: row for row in rows.mappings()}


async def statements_before(
    connection: AsyncConnection, branch_id: int, contract_ids: Sequence[str], period: Period
) -> dict[str, RowMapping]:
    """Return each contract's last statement before a period."""
    rows = await connection.execute(
        _latest.where(
            statements.c.branch_id == branch_id,
            statements.c.contract_id == func.any(list(contract_ids)),
            statements.c.period < period,
        )
        .ext(distinct_on(statements.c.contract_id))
        .order_by(statements.c.contract_id, statements.c.period.desc())
    )
    return {row["contract_id"]: row for row in rows.mappings()}


async def load(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    period: int,
    centre_ids: AbstractSet[str] | None,
    *,
    lock: bool = False,
) -> RowMapping | None:
    """Return a statement within the scope, at its latest revision, locked if asked."""
    query = _latest.where(
        statements.c.branch_id == branch_id,
        statements.c.contract_id == contract_id,
        statements.c.period == period,
        within(statements.c.centre_id, centre_ids),
    )
    if lock:
        # Locked first and read then: it may have been revised or closed while we waited.
        await connection.execute(
            select(statements.c.period)
            .where(
                statements.c.branch_id == branch_id,
                statements.c.contract_id == contract_id,
                statements.c.period == period,
            )
            .with_for_update()
        )
    return (await connection.execute(query)).mappings().one_or_none()


async def page(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    *,
    period: int | None,
    contract_id: str | None,
    closed: bool | None,
    after: tuple[str, int],
    limit: int,
) -> Sequence[RowMapping]:
    """Return statements within the scope by contract and period."""
    query = _latest.where(
        statements.c.branch_id == branch_id,
        tuple_(statements.c.contract_id, statements.c.period) > after,
        within(statements.c.centre_id, centre_ids),
    )
    if period is not None:
        query = query.where(statements.c.period == period)
    if contract_id is not None:
        query = query.where(statements.c.contract_id == contract_id)
    if closed is not None:
        is_open = statements.c.closed_at.is_(None)
        query = query.where(~is_open if closed else is_open)
    ordered = query.order_by(statements.c.contract_id, statements.c.period).limit(limit)
    return (await connection.execute(ordered)).mappings().all()


async def add_revisions(
    connection: AsyncConnection,
    rows: Sequence[Mapping[str, Any]],
    centres: Mapping[str, str | None],
) -> None:
    """Append revisions, and let their statements stand at them."""
    if not rows:
        return
    heads = insert_or_not(statements)
    await connection.execute(
        heads.on_conflict_do_update(
            index_elements=["branch_id", "contract_id", "period"],
            set_={"revision": heads.excluded.revision},
        ),
        [
            {name: row[name] for name in ("branch_id", "contract_id", "period", "revision")}
            | {"centre_id": centres[row["contract_id"]]}
            for row in rows
        ],
    )
    await connection.execute(insert(statement_revisions), list(rows))


async def close(
    connection: AsyncConnection, branch_id: int, contract_id: str, period: int, now: datetime
) -> None:
    """Close a statement, which the caller has locked."""
    await connection.execute(
        update(statements)
        .where(
            statements.c.branch_id == branch_id,
            statements.c.contract_id == contract_id,
            statements.c.period == period,
        )
        .values(closed_at=now)
    )


async def append(connection: AsyncConnection, table: Table, row: Mapping[str, Any]) -> None:
    """Append a confirmation, an objection or an answer."""
    await connection.execute(insert(table).values(**row))


async def confirmations_of(
    connection: AsyncConnection, branch_id: int, contract_id: str, period: int, revision: int
) -> Sequence[RowMapping]:
    """Return what the sides have confirmed of a revision."""
    rows = await connection.execute(
        select(confirmations)
        .where(
            confirmations.c.branch_id == branch_id,
            confirmations.c.contract_id == contract_id,
            confirmations.c.period == period,
            confirmations.c.revision == revision,
        )
        .order_by(confirmations.c.at)
    )
    return rows.mappings().all()


async def objections_of(
    connection: AsyncConnection, branch_id: int, contract_id: str, period: int
) -> Sequence[RowMapping]:
    """Return a statement's objections with their answers."""
    rows = await connection.execute(
        select(
            objections,
            answers.c.text.label("answer"),
            answers.c.by.label("answered_by"),
            answers.c.at.label("answered_at"),
        )
        .select_from(
            objections.outerjoin(
                answers,
                and_(
                    answers.c.branch_id == objections.c.branch_id,
                    answers.c.contract_id == objections.c.contract_id,
                    answers.c.period == objections.c.period,
                    answers.c.number == objections.c.number,
                ),
            )
        )
        .where(
            objections.c.branch_id == branch_id,
            objections.c.contract_id == contract_id,
            objections.c.period == period,
        )
        .order_by(objections.c.number)
    )
    return rows.mappings().all()


async def latest_closed(
    connection: AsyncConnection, branch_id: int, contract_id: str
) -> RowMapping | None:
    """Return the last statement of a contract that is closed."""
    rows = await connection.execute(
        _latest.where(
            statements.c.branch_id == branch_id,
            statements.c.contract_id == contract_id,
            statements.c.closed_at.is_not(None),
        )
        .order_by(statements.c.period.desc())
        .limit(1)
    )
    return rows.mappings().one_or_none()


async def closed_through(
    connection: AsyncConnection, branch_id: int, contract_id: str
) -> Period | None:
    """Return the last period of a contract whose statement is closed."""
    found = await connection.scalar(
        select(func.max(statements.c.period)).where(
            statements.c.branch_id == branch_id,
            statements.c.contract_id == contract_id,
            statements.c.closed_at.is_not(None),
        )
    )
    return None if found is None else Period(found)
