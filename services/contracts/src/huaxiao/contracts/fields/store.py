"""SQL of responsibility fields and of what is sealed."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Select, Table, Text, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, INT8MULTIRANGE, Range, insert
from sqlalchemy.dialects.postgresql.ranges import MultiRange
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.tables import (
    address_units,
    coverage_declarations,
    divisions,
    fields,
    sealed_channels,
    sealed_customers,
    sealed_fields,
    sealed_resources,
    sealed_scopes,
)
from huaxiao.shared.addresses import address_range
from huaxiao.shared.database import within
from huaxiao.shared.wire.contracts import DivisionLevel


def _with_seal(*columns: Any) -> Select[*tuple[Any, ...]]:
    joined = fields.outerjoin(
        sealed_fields,
        (sealed_fields.c.branch_id == fields.c.branch_id)
        & (sealed_fields.c.field_id == fields.c.field_id),
    )
    return select(
        *columns, sealed_fields.c.digest, sealed_fields.c.contract_id, sealed_fields.c.sealed_at
    ).select_from(joined)


async def lock(connection: AsyncConnection, branch_id: int, field_id: str) -> bool:
    """Lock a field until this transaction ends; False when there is none."""
    found = await connection.scalar(
        select(fields.c.field_id)
        .where(fields.c.branch_id == branch_id, fields.c.field_id == field_id)
        .with_for_update()
    )
    return found is not None


async def add(
    connection: AsyncConnection, branch_id: int, field_id: str, row: Mapping[str, Any]
) -> bool:
    """Insert a draft; False when its id is taken."""
    added = await connection.execute(
        insert(fields)
        .values(branch_id=branch_id, field_id=field_id, **row)
        .on_conflict_do_nothing()
        .returning(fields.c.field_id)
    )
    return added.one_or_none() is not None


async def replace(
    connection: AsyncConnection, branch_id: int, field_id: str, row: Mapping[str, Any]
) -> None:
    """Replace a draft, which the caller has locked."""
    await connection.execute(
        update(fields)
        .where(fields.c.branch_id == branch_id, fields.c.field_id == field_id)
        .values(**row)
    )


async def load(
    connection: AsyncConnection,
    branch_id: int,
    field_id: str,
    centre_ids: AbstractSet[str] | None,
) -> RowMapping | None:
    """Return a field within the scope, with its seal."""
    rows = await connection.execute(
        _with_seal(fields).where(
            fields.c.branch_id == branch_id,
            fields.c.field_id == field_id,
            within(fields.c.centre_id, centre_ids),
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
    """Return fields within the scope behind an id, with their seals and without their scopes."""
    columns = [column for column in fields.c if column is not fields.c.scope]
    rows = await connection.execute(
        _with_seal(*columns)
        .where(
            fields.c.branch_id == branch_id,
            fields.c.field_id > after,
            within(fields.c.centre_id, centre_ids),
        )
        .order_by(fields.c.field_id)
        .limit(limit)
    )
    return rows.mappings().all()


async def lock_several(
    connection: AsyncConnection, branch_id: int, field_ids: Sequence[str]
) -> dict[str, RowMapping]:
    """Lock fields until this transaction ends, in one order for all, and return them by id."""
    chosen = (fields.c.branch_id == branch_id) & fields.c.field_id.in_(field_ids)
    await connection.execute(
        select(fields.c.field_id).where(chosen).order_by(fields.c.field_id).with_for_update()
    )
    rows = await connection.execute(_with_seal(fields).where(chosen))
    return {row["field_id"]: row for row in rows.mappings()}


async def newest_term(connection: AsyncConnection, branch_id: int) -> int | None:
    """Return the first period of the newest field."""
    found: int | None = await connection.scalar(
        select(func.max(fields.c.term_from)).where(fields.c.branch_id == branch_id)
    )
    return found


async def of_period(
    connection: AsyncConnection, branch_id: int, period: int, *, sealed_only: bool
) -> Sequence[RowMapping]:
    """Return every field of a period with its scope, drafts too unless they are left out."""
    query = _with_seal(fields).where(
        fields.c.branch_id == branch_id,
        fields.c.term_from <= period,
        fields.c.term_to >= period,
    )
    if sealed_only:
        query = query.where(sealed_fields.c.digest.is_not(None))
    return (await connection.execute(query.order_by(fields.c.field_id))).mappings().all()


async def whole(
    connection: AsyncConnection, branch_id: int, centre_ids: AbstractSet[str] | None
) -> Sequence[RowMapping]:
    """Return every field within the scope, with what it covers."""
    rows = await connection.execute(
        select(fields)
        .where(fields.c.branch_id == branch_id, within(fields.c.centre_id, centre_ids))
        .order_by(fields.c.field_id)
    )
    return rows.mappings().all()


async def villages(connection: AsyncConnection, branch_id: int) -> dict[str, str]:
    """Return the branch's villages: names by code."""
    rows = await connection.execute(
        select(divisions.c.code, divisions.c.name).where(
            divisions.c.branch_id == branch_id, divisions.c.level == DivisionLevel.VILLAGE
        )
    )
    return {row.code: row.name for row in rows}


async def units(connection: AsyncConnection, branch_id: int) -> dict[str, str]:
    """Return the branch's address units below villages: names by code."""
    rows = await connection.execute(
        select(address_units.c.code, address_units.c.name).where(
            address_units.c.branch_id == branch_id
        )
    )
    return {row.code: row.name for row in rows}


async def declaration(
    connection: AsyncConnection, branch_id: int, period: int
) -> RowMapping | None:
    """Return what was declared of a period's coverage."""
    rows = await connection.execute(
        select(coverage_declarations).where(
            coverage_declarations.c.branch_id == branch_id,
            coverage_declarations.c.period == period,
        )
    )
    return rows.mappings().one_or_none()


async def add_declaration(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Append a declaration."""
    await connection.execute(insert(coverage_declarations).values(**row))


# --- sealing ------------------------------------------------------------------------------------


def _term(document: Mapping[str, Any]) -> Range[int]:
    return Range(document["term_from"], document["term_to"] + 1, bounds="[)")


async def fields_met(connection: AsyncConnection, document: Mapping[str, Any]) -> list[str]:
    """Return the sealed fields that cover some of the same in some of the same term."""
    scope, branch_id = document["scope"], document["branch_id"]
    ranges = MultiRange(
        Range(*address_range(prefix), bounds="[)") for prefix in scope["address_prefixes"]
    )
    met = set(
        await connection.scalars(
            select(sealed_scopes.c.field_id).where(
                sealed_scopes.c.scope.op("&&", is_comparison=True)(literal(ranges, INT8MULTIRANGE)),
                sealed_scopes.c.term.overlaps(_term(document)),
            )
        )
    )
    listed = [
        (sealed_customers, "customer_id", [one["customer_id"] for one in scope["customers"]]),
        (sealed_channels, "channel_id", scope["channel_ids"]),
    ]
    for table, name, ids in listed:
        met.update(await _listed(connection, table, name, ids, branch_id, document))
    met.update(await _resources(connection, scope["resource_prefixes"], branch_id, document))
    return sorted(met)


async def _resources(
    connection: AsyncConnection,
    prefixes: Sequence[str],
    branch_id: int,
    document: Mapping[str, Any],
) -> Sequence[str]:
    """Return the fields whose prefixes begin with one of these, or one of these with theirs."""
    given = select(func.unnest(literal(list(prefixes), ARRAY(Text))).label("prefix")).subquery()
    own = given.c.prefix
    rows = await connection.scalars(
        select(sealed_resources.c.field_id)
        .join(
            given,
            func.starts_with(sealed_resources.c.prefix, own)
            | func.starts_with(own, sealed_resources.c.prefix),
        )
        .where(
            sealed_resources.c.branch_id == branch_id,
            sealed_resources.c.term_from <= document["term_to"],
            sealed_resources.c.term_to >= document["term_from"],
        )
        .distinct()
    )
    return rows.all()


async def _listed(
    connection: AsyncConnection,
    table: Table,
    name: str,
    ids: Sequence[str],
    branch_id: int,
    document: Mapping[str, Any],
) -> Sequence[str]:
    rows = await connection.scalars(
        select(table.c.field_id)
        .where(
            table.c.branch_id == branch_id,
            table.c[name] == func.any(list(ids)),
            table.c.term_from <= document["term_to"],
            table.c.term_to >= document["term_from"],
        )
        .distinct()
    )
    return rows.all()


async def seal(
    connection: AsyncConnection,
    document: Mapping[str, Any],
    *,
    contract_id: str,
    digest: str,
    now: datetime,
) -> None:
    """Append a field's seal and what it covers; the database refuses what is already covered."""
    own = {"branch_id": document["branch_id"], "field_id": document["field_id"]}
    term = {"term_from": document["term_from"], "term_to": document["term_to"]}
    scope = document["scope"]
    await connection.execute(
        insert(sealed_fields).values(
            **own, contract_id=contract_id, digest=digest, document=document, sealed_at=now
        )
    )
    rows: list[tuple[Table, list[dict[str, Any]]]] = [
        (
            sealed_scopes,
            [
                {
                    "prefix": prefix,
                    "scope": Range(*address_range(prefix), bounds="[)"),
                    "term": _term(document),
                }
                for prefix in scope["address_prefixes"]
            ],
        ),
        (sealed_customers, [one | term for one in scope["customers"]]),
        (sealed_channels, [{"channel_id": one} | term for one in scope["channel_ids"]]),
        (sealed_resources, [{"prefix": one} | term for one in scope["resource_prefixes"]]),
    ]
    for table, covered in rows:
        if covered:
            await connection.execute(insert(table), [own | one for one in covered])
