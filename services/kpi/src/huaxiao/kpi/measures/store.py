"""Measures in the database: what changed is appended, what it comes to is kept beside it.

Readers ask for what is known now, which is the kept sums, or for what was known at a moment, which
is the sum of the changes that were known by then.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    FromClause,
    RowMapping,
    Table,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county.store import Told
from huaxiao.kpi.tables import field_measures, measure_changes, measures
from huaxiao.shared.database import copying, within
from huaxiao.shared.periods import FIRST_PERIOD, LAST_PERIOD, Period, year_before

Key = tuple[str, int, str]
"""Centre, period, measure."""
FieldKey = tuple[str, int, str, str]
"""Field, period, centre, measure."""


class Change(NamedTuple):
    """What one feed entry adds to a measure; a tuple, as a million of them are made in a minute."""

    told: Told
    centre_id: str
    field_id: str | None
    """The responsibility field; None where the entry names none."""
    period: int
    measure: str
    amount: int

    @property
    def key(self) -> Key:
        """The measure it changes."""
        return self.centre_id, self.period, self.measure


async def record(
    connection: AsyncConnection, branch_id: int, source: str, changes: Sequence[Change]
) -> None:
    """Append changes that a peer's feed told, in its order, and move the sums by them.

    A change that is there already is refused by its key: nothing is counted twice.
    """
    if not changes:
        return
    rows = []
    sums: dict[tuple[str | None, int, str, str], int] = defaultdict(int)
    last, line = 0, 0
    for told, centre_id, field_id, period, measure, amount in changes:
        position = told.position
        line = line + 1 if position == last else 1
        last = position
        rows.append(
            (
                *(branch_id, source, position, line, told.known_at),
                *(centre_id, field_id, period, measure, amount),
            )
        )
        sums[field_id, period, centre_id, measure] += amount
    of_centres: dict[Key, int] = defaultdict(int)
    of_fields: dict[FieldKey, int] = {}
    for (field_id, period, centre_id, measure), amount in sums.items():
        of_centres[centre_id, period, measure] += amount
        if field_id is not None:
            of_fields[field_id, period, centre_id, measure] = amount
    await _append(connection, rows)
    await _move(connection, measures, branch_id, ("centre_id", "period", "measure"), of_centres)
    await _move(
        connection,
        field_measures,
        branch_id,
        ("field_id", "period", "centre_id", "measure"),
        of_fields,
    )


async def restated(
    connection: AsyncConnection, branch_id: int, stated: Sequence[Change]
) -> list[Change]:
    """Turn amounts that were stated anew, in order, into what each changes.

    What is stated as it was known already changes nothing.
    """
    if not stated:
        return []
    keys = {one.key for one in stated}
    rows = await connection.execute(
        select(measures).where(
            measures.c.branch_id == branch_id,
            tuple_(measures.c.centre_id, measures.c.period, measures.c.measure).in_(sorted(keys)),
        )
    )
    known = {(row.centre_id, row.period, row.measure): row.amount for row in rows}
    found = []
    for one in stated:
        before = known.get(one.key)
        if before != one.amount:
            found.append(one._replace(amount=one.amount - (before or 0)))
            known[one.key] = one.amount
    return found


async def _append(connection: AsyncConnection, rows: Sequence[Sequence[object]]) -> None:
    columns = [one.name for one in measure_changes.columns]
    async with copying(connection) as copy:
        await copy.into(measure_changes, columns, rows)


async def _move(
    connection: AsyncConnection,
    table: Table,
    branch_id: int,
    names: Sequence[str],
    amounts: Mapping[Any, int],
) -> None:
    """Add amounts to kept sums; a new one starts at zero."""
    if not amounts:
        return
    # One statement for all: as many as a batch has would take longer to send than to do.
    columns = {name: table.c[name].type for name in (*names, "amount")}
    rows = [(*key, amount) for key, amount in sorted(amounts.items())]
    arrays = [
        literal(list(held), ARRAY(kind))
        for held, kind in zip(zip(*rows, strict=True), columns.values(), strict=True)
    ]
    given = func.unnest(*arrays).table_valued(*columns).render_derived()
    moved = insert(table).from_select(
        ["branch_id", *columns], select(literal(branch_id), *(given.c[name] for name in columns))
    )
    await connection.execute(
        moved.on_conflict_do_update(
            index_elements=["branch_id", *names],
            set_={"amount": table.c.amount + moved.excluded.amount},
        )
    )


def held(
    branch_id: int,
    first: int,
    last: int,
    known_at: datetime | None,
    *,
    and_year_before: bool = False,
) -> FromClause:
    """Return the measures of some months: as they are kept, or as they were known at a moment."""
    spans = [(first, last)]
    if and_year_before:
        spans.append((year_before(Period(first)), year_before(Period(last))))
    kept = measures if known_at is None else measure_changes
    of_spans = or_(*(kept.c.period.between(*one) for one in spans))
    if known_at is None:
        return select(measures).where(measures.c.branch_id == branch_id, of_spans).subquery()
    table = measure_changes
    key = (table.c.centre_id, table.c.period, table.c.measure)
    # The sum of bigints is a numeric in PostgreSQL.
    amount = cast(func.sum(table.c.amount), BigInteger).label("amount")
    return (
        select(*key, amount)
        .where(
            table.c.branch_id == branch_id,
            of_spans,
            table.c.known_at <= known_at,
        )
        .group_by(*key)
        .subquery()
    )


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    centre_ids: frozenset[str] | None,
    period: int | None,
    centre_id: str | None,
    known_at: datetime | None = None,
    after: Key | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Return measures the caller may see, by centre, period and name."""
    table = held(branch_id, period or FIRST_PERIOD, period or LAST_PERIOD, known_at)
    key = (table.c.centre_id, table.c.period, table.c.measure)
    query = select(table).where(within(table.c.centre_id, centre_ids))
    if centre_id is not None:
        query = query.where(table.c.centre_id == centre_id)
    if after is not None:
        query = query.where(tuple_(*key) > after)
    rows = await connection.execute(query.order_by(*key).limit(limit))
    return rows.mappings().all()


def _held_by_field(branch_id: int, period: int, known_at: datetime | None) -> FromClause:
    if known_at is None:
        kept = field_measures
        of_period = (kept.c.branch_id == branch_id, kept.c.period == period)
        return select(kept).where(*of_period).subquery()
    table = measure_changes
    key = (table.c.field_id, table.c.period, table.c.centre_id, table.c.measure)
    return (
        select(*key, cast(func.sum(table.c.amount), BigInteger).label("amount"))
        .where(
            table.c.branch_id == branch_id,
            table.c.period == period,
            table.c.field_id.is_not(None),
            table.c.known_at <= known_at,
        )
        .group_by(*key)
        .subquery()
    )


async def amount_of(
    connection: AsyncConnection, branch_id: int, key: Key, known_at: datetime
) -> int | None:
    """Return what a measure was known to come to at a moment; None where nothing was known of it."""
    centre_id, period, measure = key
    table = held(branch_id, period, period, known_at)
    found: int | None = await connection.scalar(
        select(table.c.amount).where(table.c.centre_id == centre_id, table.c.measure == measure)
    )
    return found


async def last_known_at(
    connection: AsyncConnection, branch_id: int, source: str
) -> datetime | None:
    """Return when the last change that a peer's feed told was known there."""
    table = measure_changes
    found: datetime | None = await connection.scalar(
        select(table.c.known_at)
        .where(table.c.branch_id == branch_id, table.c.source == source)
        .order_by(table.c.position.desc())
        .limit(1)
    )
    return found


async def field_page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    centre_ids: frozenset[str] | None,
    period: int,
    field_id: str | None,
    known_at: datetime | None,
    after: FieldKey | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Return a month's measures by field, centre and name."""
    table = _held_by_field(branch_id, period, known_at)
    key = (table.c.field_id, table.c.period, table.c.centre_id, table.c.measure)
    query = select(table).where(within(table.c.centre_id, centre_ids))
    if field_id is not None:
        query = query.where(table.c.field_id == field_id)
    if after is not None:
        query = query.where(tuple_(*key) > after)
    rows = await connection.execute(query.order_by(*key).limit(limit))
    return rows.mappings().all()


async def restated_page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    since: datetime,
    until: datetime | None,
    first: int,
    last: int,
    centre_ids: frozenset[str] | None,
    centre_id: str | None,
    measure: str | None,
    after: Key | None,
    limit: int,
) -> Sequence[RowMapping]:
    """Return the measures of some months that changed after a moment: before, and by how much."""
    table = measure_changes
    later = table.c.known_at > since
    key = (table.c.centre_id, table.c.period, table.c.measure)
    zero = cast(0, BigInteger)
    query = (
        select(
            *key,
            cast(func.coalesce(func.sum(table.c.amount).filter(~later), zero), BigInteger).label(
                "before"
            ),
            cast(func.sum(table.c.amount).filter(later), BigInteger).label("change"),
            func.bool_or(~later).label("was_known"),
            func.count().filter(later).label("changes"),
        )
        .where(
            table.c.branch_id == branch_id,
            table.c.period.between(first, last),
            within(table.c.centre_id, centre_ids),
        )
        .group_by(*key)
        .having(func.bool_or(later))
        .order_by(*key)
        .limit(limit)
    )
    if until is not None:
        query = query.where(table.c.known_at <= until)
    if centre_id is not None:
        query = query.where(table.c.centre_id == centre_id)
    if measure is not None:
        query = query.where(table.c.measure == measure)
    if after is not None:
        query = query.where(tuple_(*key) > after)
    rows = await connection.execute(query)
    return rows.mappings().all()


async def changes_of(
    connection: AsyncConnection,
    branch_id: int,
    keys: Iterable[Key],
    *,
    since: datetime,
    until: datetime | None,
    most: int,
) -> dict[Key, list[RowMapping]]:
    """Return what changed measures after a moment, in order, the last ``most`` of each."""
    table = measure_changes
    key = (table.c.centre_id, table.c.period, table.c.measure)
    at = (table.c.known_at, table.c.position, table.c.line)
    newest = func.row_number().over(partition_by=key, order_by=[one.desc() for one in at])
    query = select(table, newest.label("place")).where(
        table.c.branch_id == branch_id,
        table.c.period.in_({period for _, period, _ in keys}),
        tuple_(*key).in_(sorted(keys)),
        table.c.known_at > since,
    )
    if until is not None:
        query = query.where(table.c.known_at <= until)
    numbered = query.subquery()
    rows = await connection.execute(
        select(numbered).where(numbered.c.place <= most).order_by(numbered.c.place.desc())
    )
    found: dict[Key, list[RowMapping]] = {}
    for row in rows.mappings():
        found.setdefault((row["centre_id"], row["period"], row["measure"]), []).append(row)
    return found
