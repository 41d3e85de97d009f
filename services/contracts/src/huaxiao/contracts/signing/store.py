"""SQL of reviews and signatures."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import (
    contracts,
    fields,
    review_signatures,
    reviews,
    sealed_fields,
    withdrawals,
)


async def latest(
    connection: AsyncConnection, branch_id: int, contract_id: str
) -> RowMapping | None:
    """Return a contract's latest round of review, and whether it was withdrawn."""
    rows = await connection.execute(
        select(
            reviews, withdrawals.c.reason, withdrawals.c.withdrawn_by, withdrawals.c.withdrawn_at
        )
        .select_from(
            reviews.outerjoin(
                withdrawals,
                (withdrawals.c.branch_id == reviews.c.branch_id)
                & (withdrawals.c.contract_id == reviews.c.contract_id)
                & (withdrawals.c.round == reviews.c.round),
            )
        )
        .where(reviews.c.branch_id == branch_id, reviews.c.contract_id == contract_id)
        .order_by(reviews.c.round.desc())
        .limit(1)
    )
    return rows.mappings().one_or_none()


async def signed(
    connection: AsyncConnection, branch_id: int, contract_id: str, number: int
) -> Sequence[RowMapping]:
    """Return who has signed in a round."""
    table = review_signatures
    rows = await connection.execute(
        select(table)
        .where(
            table.c.branch_id == branch_id,
            table.c.contract_id == contract_id,
            table.c.round == number,
        )
        .order_by(table.c.signed_at, table.c.side)
    )
    return rows.mappings().all()


async def open_round(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append a round of review, and hold the contract and its fields in it."""
    await connection.execute(insert(reviews).values(**row))
    await hold(
        connection, row["branch_id"], row["contract_id"], row["round"], list(row["field_digests"])
    )


async def hold(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    number: int | None,
    field_ids: Sequence[str],
) -> None:
    """Hold a contract and those of its fields that are not sealed in a round; for None let go."""
    await connection.execute(
        update(contracts)
        .where(contracts.c.branch_id == branch_id, contracts.c.contract_id == contract_id)
        .values(review=number)
    )
    sealed = select(sealed_fields.c.field_id).where(
        sealed_fields.c.branch_id == fields.c.branch_id,
        sealed_fields.c.field_id == fields.c.field_id,
    )
    await connection.execute(
        update(fields)
        .where(
            fields.c.branch_id == branch_id,
            fields.c.field_id == func.any(list(field_ids)),
            ~sealed.exists(),
        )
        .values(review_of=None if number is None else contract_id)
    )


async def sign(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append a side's signature."""
    await connection.execute(insert(review_signatures).values(**row))


async def withdraw(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append a withdrawal."""
    await connection.execute(insert(withdrawals).values(**row))
