"""SQL of verification: what is sealed, and every row that stands for it."""

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import RowMapping, func, select, union
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import (
    contracts,
    feed,
    fields,
    sealed_channels,
    sealed_customers,
    sealed_fields,
    sealed_resources,
    sealed_scopes,
    signatures,
)
from huaxiao.shared.database import within


async def seals_of_fields(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    contract_id: str | None,
) -> Sequence[RowMapping]:
    """Return the sealed fields within the scope, each with its draft row."""
    query = (
        select(
            fields,
            sealed_fields.c.digest,
            sealed_fields.c.document,
            sealed_fields.c.contract_id,
        )
        .join(
            sealed_fields,
            (sealed_fields.c.branch_id == fields.c.branch_id)
            & (sealed_fields.c.field_id == fields.c.field_id),
        )
        .where(fields.c.branch_id == branch_id, within(fields.c.centre_id, centre_ids))
        .order_by(fields.c.field_id)
    )
    if contract_id is not None:
        query = query.where(sealed_fields.c.contract_id == contract_id)
    return (await connection.execute(query)).mappings().all()


async def signatures_of_contracts(
    connection: AsyncConnection,
    branch_id: int,
    centre_ids: AbstractSet[str] | None,
    contract_id: str | None,
) -> Sequence[RowMapping]:
    """Return the signed contracts within the scope, each with its draft row."""
    query = (
        select(contracts, signatures.c.digest, signatures.c.document)
        .join(
            signatures,
            (signatures.c.branch_id == contracts.c.branch_id)
            & (signatures.c.contract_id == contracts.c.contract_id),
        )
        .where(contracts.c.branch_id == branch_id, within(contracts.c.centre_id, centre_ids))
        .order_by(contracts.c.contract_id)
    )
    if contract_id is not None:
        query = query.where(contracts.c.contract_id == contract_id)
    return (await connection.execute(query)).mappings().all()


async def published(
    connection: AsyncConnection, branch_id: int, kind: str, centre_ids: AbstractSet[str] | None
) -> Sequence[RowMapping]:
    """Return what was published of a kind within the scope: what it is of, its digest and fields."""
    table = feed.entries
    rows = await connection.execute(
        select(
            table.c.subject,
            table.c.data["digest"].astext.label("digest"),
            table.c.data["field_ids"].label("field_ids"),
        )
        .where(
            table.c.branch_id == branch_id,
            table.c.type == kind,
            within(table.c.data["centre_id"].astext, centre_ids),
        )
        .order_by(table.c.subject)
    )
    return rows.mappings().all()


async def orphans(connection: AsyncConnection, branch_id: int) -> Sequence[str]:
    """Return the fields that hold something against overlaps and have no seal."""
    sealed = select(sealed_fields.c.field_id).where(sealed_fields.c.branch_id == branch_id)
    held = union(
        *(
            select(table.c.field_id).where(
                table.c.branch_id == branch_id, table.c.field_id.not_in(sealed)
            )
            for table in (sealed_scopes, sealed_customers, sealed_channels, sealed_resources)
        )
    ).subquery()
    return (await connection.scalars(select(held.c.field_id).order_by(held.c.field_id))).all()


async def scopes(
    connection: AsyncConnection, branch_id: int, field_ids: Sequence[str]
) -> dict[str, dict[str, list[Any]]]:
    """Return what the database holds against overlaps, by field, as its seal would have it."""
    found: dict[str, dict[str, list[Any]]] = {
        field_id: {
            "address_prefixes": [],
            "resource_prefixes": [],
            "customers": [],
            "channel_ids": [],
        }
        for field_id in field_ids
    }
    for name, table, columns in (
        (
            "address_prefixes",
            sealed_scopes,
            [
                sealed_scopes.c.prefix,
                func.lower(sealed_scopes.c.scope).label("lower"),
                func.upper(sealed_scopes.c.scope).label("upper"),
                func.lower(sealed_scopes.c.term).label("term_from"),
                (func.upper(sealed_scopes.c.term) - 1).label("term_to"),
            ],
        ),
        ("resource_prefixes", sealed_resources, ["prefix", "term_from", "term_to"]),
        ("customers", sealed_customers, ["customer_id", "segment", "term_from", "term_to"]),
        ("channel_ids", sealed_channels, ["channel_id", "term_from", "term_to"]),
    ):
        chosen = [table.c[one] if isinstance(one, str) else one for one in columns]
        rows = await connection.execute(
            select(table.c.field_id, *chosen)
            .where(table.c.branch_id == branch_id, table.c.field_id == func.any(list(field_ids)))
            .order_by(table.c.field_id, chosen[0].collate("C"))
        )
        held = defaultdict(list)
        for row in rows.mappings():
            held[row["field_id"]].append({key: row[key] for key in row if key != "field_id"})
        for field_id, given in held.items():
            found[field_id][name] = given
    return found
