"""The database as a service sees it: one role, one schema, two kinds of transaction."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any

import asyncpg
from asyncpg import (
    InterfaceError,
    InternalClientError,
    OperatorInterventionError,
    PostgresConnectionError,
)
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    Table,
    bindparam,
    column,
    event,
    func,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.dialects.postgresql.asyncpg import (
    AsyncAdapt_asyncpg_connection,
    AsyncAdapt_asyncpg_dbapi,
    dialect,
)
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import Compiled, SQLCompiler
from typing_extensions import override

from huaxiao.shared.audit.changes import copied
from huaxiao.shared.audit.marks import is_derived
from huaxiao.shared.deadlines import remaining, require_time
from huaxiao.shared.provision import LOCK_TIMEOUT, writer_role
from huaxiao.shared.rows import NOTHING, Scope, scope_statements

_STATEMENT_SECONDS = 30
_SESSION = {
    "statement_timeout": f"{_STATEMENT_SECONDS}s",
    "lock_timeout": LOCK_TIMEOUT,
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
    # A plan made while a table was empty would be kept for the connection's life, and scan for ever.
    "plan_cache_mode": "force_custom_plan",
    # Rows looked up by key lie in memory or on flash; PostgreSQL's default is a spinning disk's.
    "random_page_cost": "1.1",
}
_NAMES = {
    "ix": "%(table_name)s_%(column_0_N_name)s_index",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


def service_metadata(service: str) -> MetaData:
    """Return the metadata of a service's schema, with the suite's constraint names."""
    return MetaData(schema=service, naming_convention=_NAMES)


def branch_column() -> Column[int]:
    """Return the column that leads every key: a branch's rows lie together, and on one node."""
    return Column("branch_id", Integer, primary_key=True, autoincrement=False)


def within(column: ColumnElement[Any], centre_ids: AbstractSet[str] | None) -> ColumnElement[bool]:
    """Return the condition that a row belongs to one of the caller's centres; None is all of them."""
    return true() if centre_ids is None else column.in_(sorted(centre_ids))


_MOST_PARAMETERS = 32_767
"""Of one statement, by PostgreSQL's protocol."""
_MOST_ROWS = 500
_HAS_CITUS = text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')")
_DIALECT = dialect()  # type: ignore[no-untyped-call]
_AWAY = (InterfaceError, InternalClientError, OperatorInterventionError, PostgresConnectionError)
"""What the driver says when the server has gone, is going, or lets nobody in."""


class _ScopedConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """Begins each transaction with the scope of whoever holds the connection, in one message.

    No statement of it runs longer than there is time until the deadline.
    """

    scope: Scope | None = None
    over_several_machines: bool | None = None
    """Whether the server hands on to others what it is told; unknown until rows are to be copied."""

    @override
    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        if self.scope is not None and query.startswith("BEGIN"):
            query = f"{query} {scope_statements(self.scope)}"
            left = remaining()
            if left is not None and left < _STATEMENT_SECONDS:
                query += f" SET LOCAL statement_timeout = {max(1, int(left * 1000))};"
        done: str = await super().execute(query, *args, timeout=timeout)
        return done


def _adapted(connection: AsyncConnection) -> AsyncAdapt_asyncpg_connection:
    assert connection.sync_connection is not None  # noqa: S101 - it is open
    adapted = connection.sync_connection.connection.dbapi_connection
    assert isinstance(adapted, AsyncAdapt_asyncpg_connection)  # noqa: S101 - of the one dialect
    return adapted


def _driver(connection: AsyncConnection) -> _ScopedConnection:
    driver = _adapted(connection).driver_connection
    assert isinstance(driver, _ScopedConnection)  # noqa: S101 - every one is made so
    return driver


@asynccontextmanager
async def _scoped(connection: AsyncConnection, scope: Scope) -> AsyncIterator[None]:
    driver = _driver(connection)
    driver.scope = scope
    try:
        yield
    finally:
        driver.scope = None


def adding(table: Table) -> Insert:
    """Return the statement that adds rows to a table, however many, given as ``rows`` in JSON.

    A list of objects whose members are the columns: the driver takes longer over lists of values. It
    tells the branch of each row: Citus copies to their machine rows that nothing is told of, which
    policies refuse.
    """
    of_json = func.json_to_recordset(bindparam("rows", type_=JSON)).table_valued(
        *(column(one.name, one.type) for one in table.c)
    )
    rows = of_json.render_derived("added", with_types=True)
    added = insert(table).from_select(
        list(table.c.keys()), select(*(rows.c[one.name] for one in table.c))
    )
    return added.returning(table.c.branch_id)  # type: ignore[return-value]  # it is one still


def moving_on(heads: Table) -> Insert:
    """Return the statement that moves a branch's ``position`` on by some, and tells the head then.

    The row stays locked until the transaction ends. Of a branch that has none yet, the head is what is
    given.
    """
    head = insert(heads).values({one.name: bindparam(one.name) for one in heads.c})
    moved = head.on_conflict_do_update(
        index_elements=["branch_id"],
        set_={"position": heads.c.position + head.excluded.position},
    )
    return moved.returning(*heads.c)  # type: ignore[return-value]  # it is one still


class Frequent:
    """A statement that is sent so often that what SQLAlchemy does each time counts.

    It is compiled once, takes its values as the driver does, and goes to the driver: a third of the
    time. It is part of the connection's transaction like any other. What it changes is not gathered
    for the record; so it changes tables that are derived only.
    """

    def __init__(self, statement: ClauseElement) -> None:
        """Prepare a statement, whose parameters are all given by name.

        Raises:
            ValueError: it would change a table that is on record.

        """
        table = getattr(statement, "table", None)
        if isinstance(table, Table) and not is_derived(table):
            raise ValueError(f"{table.fullname} is on record")
        self._as_made = statement

    @cached_property
    def _compiled(self) -> Compiled:
        return self._as_made.compile(dialect=_DIALECT)

    @cached_property
    def statement(self) -> str:
        """What is sent."""
        return str(self._compiled)

    @cached_property
    def _names(self) -> tuple[Sequence[str], dict[str, Any]]:
        """The parameters in their order, and the values of those that the statement gives itself."""
        compiled = self._compiled
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - so is whatever has parameters
        names = compiled.positiontup or ()
        return names, {
            one: compiled.params[one] for one in names if not compiled.binds[one].required
        }

    async def rows(self, connection: AsyncConnection, **given: Any) -> list[asyncpg.Record]:
        """Send it, and return the rows that come back.

        Raises:
            asyncpg.PostgresError: the server refuses it.
            ConnectionError: the server is away.
            TypeError: not all of its parameters are given, or others.

        """
        adapted = _adapted(connection)
        driver = adapted.driver_connection
        names, own = self._names
        if given.keys() | own.keys() != set(names):
            raise TypeError(f"{sorted(given)} are not the parameters {sorted(names)}")
        values = [given[one] if one in given else own[one] for one in names]
        try:
            if adapted._transaction is None:  # noqa: SLF001 - so SQLAlchemy knows it, too
                await _begin(connection, adapted)
            rows: list[asyncpg.Record] = await driver.fetch(self.statement, *values)
        except asyncio.CancelledError:
            await _break_off(connection)
            raise
        except _AWAY as error:
            raise ConnectionError(f"the database went away: {error}") from error
        except asyncpg.PostgresError as error:
            _without_detail(error)
            raise
        return rows


async def _begin(connection: AsyncConnection, adapted: AsyncAdapt_asyncpg_connection) -> None:
    """Begin a transaction as SQLAlchemy does when a cursor is used; what is wrong is told by the driver.

    One that the server may have begun, and SQLAlchemy does not know of, ends with its connection: on
    the next one's it would be gone on with, in the scope of this one, and never committed.
    """
    try:
        await adapted._start_transaction()  # type: ignore[no-untyped-call]  # noqa: SLF001
    except AsyncAdapt_asyncpg_dbapi.Error as error:
        await _break_off(connection)
        raise error.__cause__ or error from None


async def _break_off(connection: AsyncConnection) -> None:
    """Let a connection go in the middle of what it does, as SQLAlchemy does with one of its own.

    A server that does not answer would not answer a rollback either.
    """
    await connection.invalidate()


class ForeignRowsError(RuntimeError):
    """Rows were to be copied that lie beyond the scope of their transaction."""


class Copying:
    """Adds rows to tables that are marked as ``copied``, as the service's writer.

    Rows are on their way when ``into`` returns, and the server works on them while its caller makes
    the next ones ready: what is wrong with them is raised by the next ``into``, or at the end.

    A server that is the coordinator of others (Citus) would have to copy into theirs as the writer,
    who cannot log in, over another connection than the transaction's. There rows are added by
    statements of many rows each, as the service itself, held by the same policies as all it does.
    """

    def __init__(self, connection: AsyncConnection, driver: _ScopedConnection) -> None:
        """Begin as the service itself; it becomes the writer with the first row."""
        self._connection, self._driver, self._entered = connection, driver, False
        self._copying: asyncio.Task[str] | None = None

    async def into(
        self, table: Table, columns: Sequence[str], rows: Collection[Sequence[Any]]
    ) -> None:
        """Send rows, whose first column is the branch, once those before have been added.

        Raises:
            asyncpg.PostgresError: the server refuses rows that were sent before.
            ForeignRowsError: a row is of another branch, or the transaction sees some centres only.

        """
        if not rows:
            return
        own = self._driver.scope is not None and self._driver.scope.holds({row[0] for row in rows})
        if columns[0] != "branch_id" or not own:
            raise ForeignRowsError(table.fullname)
        if self._driver.over_several_machines is None:
            self._driver.over_several_machines = await self._connection.scalar(_HAS_CITUS)
        if self._driver.over_several_machines:
            copied(self._connection, table, len(rows))
            await self._insert(table, columns, list(rows))
            return
        if not self._entered:
            # By SQLAlchemy, which begins the transaction if this is the first that is done in it.
            await self._connection.execute(text(f"SET LOCAL ROLE {writer_role(str(table.schema))}"))
            self._entered = True
        copied(self._connection, table, len(rows))
        await self.added()
        sent = asyncio.Event()
        self._copying = asyncio.create_task(
            self._driver.copy_records_to_table(
                table.name,
                schema_name=table.schema,
                columns=list(columns),
                records=_told_when_taken(rows, sent),
            )
        )
        self._copying.add_done_callback(lambda _: sent.set())
        await sent.wait()

    async def added(self) -> None:
        """Wait until the server has added what was sent to it."""
        if self._copying is None:
            return
        try:
            await self._copying
        except asyncpg.PostgresError as error:
            _without_detail(error)
            raise
        self._copying = None

    async def _insert(
        self, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> None:
        at_once = min(_MOST_ROWS, _MOST_PARAMETERS // len(columns))
        for first in range(0, len(rows), at_once):
            some = rows[first : first + at_once]
            numbers = iter(range(1, len(some) * len(columns) + 1))
            values = ", ".join(f"({', '.join(f'${next(numbers)}' for _ in columns)})" for _ in some)
            await self._connection.exec_driver_sql(
                f"INSERT INTO {table.fullname} ({', '.join(columns)}) VALUES {values}",  # noqa: S608 - names of tables.py
                tuple(value for row in some for value in row),
            )

    async def leave(self) -> None:
        """Become the service itself again, when everything has been added."""
        await self.added()
        if self._entered:
            await self._driver.execute("SET LOCAL ROLE NONE")

    async def give_up(self) -> None:
        """Leave the connection to whoever ends the transaction, which has failed."""
        if self._copying is not None:
            self._copying.cancel()
            await asyncio.gather(self._copying, return_exceptions=True)


def _told_when_taken(
    rows: Iterable[Sequence[Any]], taken: asyncio.Event
) -> Iterator[Sequence[Any]]:
    yield from rows
    taken.set()


@asynccontextmanager
async def copying(connection: AsyncConnection) -> AsyncIterator[Copying]:
    """Let rows be added by COPY within the block, and nothing else be done meanwhile.

    PostgreSQL copies into no table whose policies hold the role. So it is done as the service's
    writer, whom they do not hold, and who may add rows to such tables and do nothing else; that the
    rows are of the transaction's own branches is held here. When the block raises, the transaction
    has failed, and the role ends with it.

    Raises:
        ConnectionError: the database went away.

    """
    copier = Copying(connection, _driver(connection))
    try:
        yield copier
        await copier.leave()
    except asyncio.CancelledError:
        await copier.give_up()
        await _break_off(connection)
        raise
    except _AWAY as error:
        raise ConnectionError(f"the database went away: {error}") from error
    finally:
        await copier.give_up()


async def _connect(*place: Any, **named: Any) -> asyncpg.Connection:
    """Connect; a server that has taken its socket with it is as away as one that refuses."""
    try:
        return await asyncpg.connect(*place, **named)
    except ConnectionError:
        raise
    except OSError as error:
        raise ConnectionError(f"the database is away: {error}") from error


def _pass_over_closed(connection: AsyncAdapt_asyncpg_connection, *_: Any) -> None:
    """Let the pool take another connection for one whose server has hung up.

    The driver knows as soon as it hears. Asking the server each time would be three messages before
    every transaction; one that went without a word is found out by the first statement, as away.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _keep_values_back(context: ExceptionContext) -> None:
    """Take out of an error the values of rows, which PostgreSQL's detail tells and a log would show."""
    told = context.original_exception
    cause = told.__cause__
    if not isinstance(cause, asyncpg.PostgresError) or (detail := _without_detail(cause)) is None:
        return
    for error in (told, context.sqlalchemy_exception):
        if error is not None:
            error.args = tuple(
                one.replace(f"\nDETAIL:  {detail}", "") if isinstance(one, str) else one
                for one in error.args
            )


def _without_detail(error: asyncpg.PostgresError) -> str | None:
    """Take its detail from an error, and return it."""
    detail: str | None = error.detail
    error.detail = None
    return detail


class Database:
    """A pool of connections as the service's own role."""

    def __init__(self, url: str, *, service: str, pool_size: int = 10) -> None:
        """Prepare the pool; nothing connects until the first use."""
        self.url = make_url(url).set(drivername="postgresql+asyncpg")
        self.service = service
        settings = _SESSION | {"application_name": f"huaxiao-{service}", "search_path": service}
        self.engine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=2,
            # The connection used last has prepared what is asked most; one seldom used begins anew.
            pool_use_lifo=True,
            # An error that is logged says which statement failed, and not what of whom it held.
            hide_parameters=True,
            connect_args={
                "async_creator_fn": _connect,
                "server_settings": settings,
                "timeout": 5,
                "connection_class": _ScopedConnection,
            },
        )
        event.listen(self.engine.sync_engine, "checkout", _pass_over_closed)
        event.listen(self.engine.sync_engine, "handle_error", _keep_values_back)

    @asynccontextmanager
    async def write(self, scope: Scope) -> AsyncIterator[AsyncConnection]:
        """Open a transaction that commits when the block ends and rolls back when it raises.

        It sees and writes rows of its scope and no others.
        """
        require_time()
        async with (
            self.engine.connect() as connection,
            _scoped(connection, scope),
            connection.begin(),
        ):
            yield connection

    @asynccontextmanager
    async def read(self, scope: Scope) -> AsyncIterator[AsyncConnection]:
        """Open a read-only transaction: one snapshot, within a scope, for all that is read in it."""
        require_time()
        async with self.engine.connect() as connection, _scoped(connection, scope):
            reader = await connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            yield reader

    async def check(self) -> None:
        """Answer a trivial query and refuse settings under which a commit may be lost.

        Raises:
            UnsafeDatabaseError: the server may forget what it has acknowledged.

        """
        async with self.read(NOTHING) as connection:
            rows = await connection.execute(
                text(
                    "SELECT name, setting FROM pg_settings WHERE name IN"
                    " ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off'"
                )
            )
            unsafe = [row.name for row in rows]
        if unsafe:
            raise UnsafeDatabaseError(unsafe)

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


class UnsafeDatabaseError(RuntimeError):
    """The server runs with settings that can lose acknowledged commits."""

    def __init__(self, settings: list[str]) -> None:
        """Name the settings that are off."""
        super().__init__(f"PostgreSQL runs with {', '.join(settings)} = off")
        self.settings = settings
