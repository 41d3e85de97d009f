"""What a transaction changes, row by row, taken where statements are executed.

Before an UPDATE or DELETE the rows it is about to change are read and locked; when the transaction
is about to end, the same rows are read again by key. So a row that was changed twice is told once,
as it was at first and as it is at last. Rows that are added are told as they were given.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Select,
    Table,
    Update,
    event,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql.dml import OnConflictDoNothing
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.visitors import replacement_traverse

from huaxiao.shared.audit.marks import is_derived, is_pay, told_by_digest
from huaxiao.shared.audit.values import plain, shown
from huaxiao.shared.documents import digest

_OPTION = "huaxiao_changes"
_EACH = 50
"""Rows added to a table by one statement beyond which they are counted instead of told."""
_AT_ONCE = 100
Key = tuple[Any, ...]
Item = TypeVar("Item")
Row = Mapping[str, Any]


@dataclass
class _Touched:
    """What a transaction did to one table."""

    before: dict[Key, Row | None] = field(default_factory=dict)
    """Rows as they were before the first statement that changed them; None for none."""
    added: list[Row] = field(default_factory=list)
    counted: int = 0
    digests: list[str] = field(default_factory=list)


class Changes:
    """Gathers what one transaction changes."""

    def __init__(self, *, only_pay: bool = False) -> None:
        """Gather everything that goes on record, or only what is money or pay."""
        self._only_pay = only_pay
        self._tables: dict[Table, _Touched] = {}

    def __bool__(self) -> bool:
        """Say whether anything was touched that goes on record."""
        return bool(self._tables)

    async def of(self, connection: AsyncConnection) -> None:
        """Gather what is executed on a connection from now on."""
        await connection.execution_options(**{_OPTION: self})

    async def told(self, connection: AsyncConnection) -> list[dict[str, Any]]:
        """Return what changed, by table and key: what was before, and what is now."""
        told: list[dict[str, Any]] = []
        for table, touched in sorted(self._tables.items(), key=lambda one: one[0].name):
            apart = told_by_digest(table)
            after: dict[Key, Row] = {}
            for keys in _some(touched.before):
                rows = await connection.execute(_by_keys(table, keys))
                after |= {_key(table, row): row for row in rows.mappings()}
            told += _differences(table, touched, after)
            told += [{"table": table.name, "added": shown(row, apart)} for row in touched.added]
            if touched.counted:
                counted = {"table": table.name, "rows_added": touched.counted}
                told.append(counted | ({"digests": touched.digests} if touched.digests else {}))
        return told

    def copied(self, table: Table, rows: int) -> None:
        """Count rows that were added by COPY, which no statement tells of."""
        if self._goes_on_record(table):
            self._touched(table).counted += rows

    def before(
        self, connection: Connection, statement: Insert | Update | Delete, given: Sequence[Row]
    ) -> None:
        """Take what a statement is about to change, given its parameters."""
        table = statement.table
        if not isinstance(table, Table) or not self._goes_on_record(table):
            return
        if isinstance(statement, Insert):
            self._adding(connection, table, statement, given)
        else:
            self._changing(connection, table, statement, given)

    def _goes_on_record(self, table: Table) -> bool:
        return is_pay(table) if self._only_pay else not is_derived(table)

    def _touched(self, table: Table) -> _Touched:
        return self._tables.setdefault(table, _Touched())

    def _changing(
        self, connection: Connection, table: Table, statement: Update | Delete, given: Sequence[Row]
    ) -> None:
        where = statement.whereclause
        for some in _some(given or [{}]):
            query: Select[Any] = select(*table.columns)
            if where is not None:
                query = query.where(or_(*(_filled(where, one) for one in some)))
            # As the statement itself will lock them.
            query = query.with_for_update(of=table, key_share=isinstance(statement, Update))
            self._keep(table, connection.execute(query).mappings())

    def _adding(
        self, connection: Connection, table: Table, statement: Insert, given: Sequence[Row]
    ) -> None:
        rows = list(_rows(statement, given))
        touched = self._touched(table)
        if not rows or len(rows) > _EACH:
            touched.counted += len(rows)
            touched.digests.append(digest([plain(row) for row in rows]))
            return
        conflict = statement._post_values_clause  # noqa: SLF001 - nothing else tells of it
        names = [column.name for column in table.primary_key]
        if conflict is None or any(name not in row for row in rows for name in names):
            touched.added += rows
            return
        keys = [tuple(row[name] for name in names) for row in rows]
        query = _by_keys(table, keys)
        if not isinstance(conflict, OnConflictDoNothing):
            query = query.with_for_update(key_share=True)
        self._keep(table, connection.execute(query).mappings())
        for key in keys:
            touched.before.setdefault(key, None)

    def _keep(self, table: Table, rows: Iterable[Any]) -> None:
        for row in rows:
            self._touched(table).before.setdefault(_key(table, row), dict(row))


def _some(of: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield items, as many at a time as go into one query."""
    rest = iter(of)
    while some := list(islice(rest, _AT_ONCE)):
        yield some


def watch(engine: AsyncEngine) -> None:
    """Let what is executed on an engine's connections be gathered where somebody asks for it."""
    if not event.contains(engine.sync_engine, "before_execute", _before_execute):
        event.listen(engine.sync_engine, "before_execute", _before_execute)


def copied(connection: AsyncConnection, table: Table, rows: int) -> None:
    """Tell whoever gathers a connection's changes of rows that were added by COPY."""
    assert connection.sync_connection is not None  # noqa: S101 - the connection is open
    changes = connection.sync_connection.get_execution_options().get(_OPTION)
    if changes is not None:
        changes.copied(table, rows)


def _before_execute(
    connection: Connection,
    statement: Any,
    many: Sequence[Row],
    one: Row,
    _options: Mapping[str, Any],
) -> None:
    changes = connection.get_execution_options().get(_OPTION)
    if changes is not None and isinstance(statement, Insert | Update | Delete):
        changes.before(connection, statement, many or ([one] if one else []))


def _filled(where: ColumnElement[bool], given: Row) -> ColumnElement[bool]:
    """Return a condition with the parameters of one execution in their places."""
    if not given:
        return where

    def place(element: Any, **_: Any) -> Any:
        named = isinstance(element, BindParameter) and element.key in given
        return literal(given[element.key], element.type) if named else None

    return replacement_traverse(where, {}, place)


def _by_keys(table: Table, keys: Sequence[Key]) -> Select[Any]:
    """Select rows by their whole keys; the branch, which leads them, is one and the same."""
    first, *rest = table.primary_key
    branches = sorted({key[0] for key in keys})
    query = select(*table.columns).where(first.in_(branches))
    return query.where(tuple_(*rest).in_([key[1:] for key in keys])) if rest else query


def _key(table: Table, row: Mapping[Any, Any]) -> Key:
    return tuple(row[column.name] for column in table.primary_key)


def _rows(statement: Insert, given: Sequence[Row]) -> Iterator[Row]:
    """Yield the rows a statement adds, as far as they are given as values."""
    if statement._multi_values:  # noqa: SLF001 - as above
        for rows in statement._multi_values:  # noqa: SLF001
            for row in rows:
                yield _literals(row) if isinstance(row, dict) else {}
        return
    values = _literals(statement._values or {})  # noqa: SLF001
    for one in given or ([{}] if values else []):
        yield values | {name: one[name] for name in one if name in statement.table.c}


def _literals(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the values that are no expressions, by the names of their columns."""
    found: dict[str, Any] = {}
    for column, value in values.items():
        name = column if isinstance(column, str) else column.name
        if isinstance(value, BindParameter):
            found[name] = value.value
        elif not hasattr(value, "__clause_element__") and not hasattr(value, "compile"):
            found[name] = value
    return found


def _differences(
    table: Table, touched: _Touched, after: Mapping[Key, Row]
) -> Iterator[dict[str, Any]]:
    names = [column.name for column in table.primary_key][1:]
    apart = told_by_digest(table)
    for key, before in touched.before.items():
        now = after.get(key)
        told: dict[str, Any] = {"table": table.name}
        told |= {"key": shown(dict(zip(names, key[1:], strict=True)))}
        if before is None:
            if now is not None:
                yield {"table": table.name, "added": shown(now, apart)}
        elif now is None:
            yield told | {"removed": shown(before, apart)}
        else:
            changed = [name for name in before if plain(before[name]) != plain(now[name])]
            if changed:
                yield told | {
                    "before": shown({name: before[name] for name in changed}, apart),
                    "after": shown({name: now[name] for name in changed}, apart),
                }
