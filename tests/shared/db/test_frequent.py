"""Statements that go to the driver are part of the transaction, and refused where they must be."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import asyncpg
import pytest
from sqlalchemy import bindparam, insert, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from support.postgres import PreparedDatabase

from huaxiao.attribution.tables import received_events
from huaxiao.kpi.tables import feed, unit_targets
from huaxiao.shared.database import Database, Frequent, copying
from huaxiao.shared.rows import Scope

_HEAD = Frequent(
    insert(feed.heads).values(branch_id=bindparam("branch_id"), position=bindparam("position"))
)
_TWO = Frequent(select(bindparam("one"), literal(7).label("other")))


@pytest.fixture
async def database(prepared: PreparedDatabase) -> Database:
    return Database(prepared.url("kpi"), service="kpi", pool_size=1)


async def position(database: Database, branch_id: int) -> int:
    async with database.read(Scope.of_branch(branch_id)) as connection:
        return await feed.head(connection, branch_id)


async def test_what_is_sent_first_is_undone_with_its_transaction(
    database: Database, branch_id: int
) -> None:
    with pytest.raises(KeyError):  # noqa: PT012 - in the middle of the transaction
        async with database.write(Scope.of_branch(branch_id)) as connection:
            await _HEAD.rows(connection, branch_id=branch_id, position=3)
            raise KeyError
    assert await position(database, branch_id) == 0
    async with database.write(Scope.of_branch(branch_id)) as connection:
        await _HEAD.rows(connection, branch_id=branch_id, position=4)
    assert await position(database, branch_id) == 4
    await database.close()


async def test_it_sees_and_writes_within_its_scope_alone(
    database: Database, branch_id: int
) -> None:
    async with database.write(Scope.of_branch(branch_id)) as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await _HEAD.rows(connection, branch_id=branch_id + 1, position=3)
    await database.close()


async def test_an_error_tells_no_values_of_rows(database: Database, branch_id: int) -> None:
    async with database.write(Scope.of_branch(branch_id)) as connection:
        await _HEAD.rows(connection, branch_id=branch_id, position=1)
        with pytest.raises(asyncpg.UniqueViolationError) as raised:
            await _HEAD.rows(connection, branch_id=branch_id, position=2)
    assert raised.value.detail is None
    assert str(branch_id) not in str(raised.value)
    await database.close()


async def test_a_server_that_hangs_up_is_away(
    database: Database, prepared: PreparedDatabase, branch_id: int
) -> None:
    other = await asyncpg.connect(prepared.url("postgres"))
    async with database.engine.connect() as connection:
        backend = await connection.scalar(text("SELECT pg_backend_pid()"))
        await other.execute("SELECT pg_terminate_backend($1)", backend)
        with pytest.raises(ConnectionError):
            await _HEAD.rows(connection, branch_id=branch_id, position=1)
        await connection.invalidate()
    await other.close()
    await database.close()


async def test_a_server_that_hangs_up_before_the_transaction_begins_is_away(
    database: Database, prepared: PreparedDatabase, branch_id: int
) -> None:
    other = await asyncpg.connect(prepared.url("postgres"))
    with pytest.raises(ConnectionError):  # noqa: PT012 - what leaves the transaction counts
        async with database.write(Scope.of_branch(branch_id)) as connection:
            raw = await connection.get_raw_connection()
            assert raw.driver_connection is not None
            backend = raw.driver_connection.get_server_pid()
            await other.execute("SELECT pg_terminate_backend($1)", backend)
            await _HEAD.rows(connection, branch_id=branch_id, position=1)
    await other.close()
    await database.close()


async def test_a_transaction_that_was_broken_off_as_it_began_is_nobody_elses(
    database: Database, branch_id: int
) -> None:
    other = branch_id + 1_000_000
    with pytest.raises(asyncio.CancelledError):  # noqa: PT012 - what leaves the transaction counts
        async with database.write(Scope.of_branch(other)) as connection:
            beginning = asyncio.create_task(
                _HEAD.rows(connection, branch_id=other, position=1),
            )
            # It has told the server to begin, and has no answer yet.
            await asyncio.sleep(0)
            beginning.cancel()
            await beginning
    async with database.write(Scope.of_branch(branch_id)) as connection:
        await _HEAD.rows(connection, branch_id=branch_id, position=3)
    await database.engine.dispose()
    assert await position(database, branch_id) == 3
    await database.close()


Stop = Callable[[], None]


async def ask(connection: AsyncConnection, _: int, stop: Stop) -> None:
    stop()
    await _TWO.rows(connection, one="1")


async def copy(connection: AsyncConnection, branch_id: int, stop: Stop) -> None:
    columns = ("branch_id", "source", "event_id", "digest", "received_at")
    row = (branch_id, "/kit", "e-1", b"", datetime.now(UTC))
    async with copying(connection) as rows:
        await rows.into(received_events, columns, [row])
        stop()


@pytest.mark.parametrize("do", [ask, copy])
async def test_nobody_waits_for_a_server_that_does_not_answer_to_undo_what_was_broken_off(
    prepared: PreparedDatabase,
    branch_id: int,
    do: Callable[[AsyncConnection, int, Stop], Awaitable[None]],
) -> None:
    database = Database(prepared.url("attribution"), service="attribution", pool_size=1)
    stopped: asyncio.Queue[int] = asyncio.Queue()

    async def begin() -> None:
        async with database.write(Scope.of_branch(branch_id)) as connection:
            backend = await connection.scalar(text("SELECT pg_backend_pid()")) or 0

            def stop() -> None:
                os.kill(backend, signal.SIGSTOP)
                stopped.put_nowait(backend)

            await do(connection, branch_id, stop)

    doing = asyncio.create_task(begin())
    backend = await stopped.get()
    try:
        await asyncio.sleep(0.1)
        doing.cancel()
        await asyncio.wait([doing], timeout=20)
        assert doing.cancelled()
    finally:
        os.kill(backend, signal.SIGCONT)
    async with database.read(Scope.of_branch(branch_id)) as connection:
        assert not (await connection.execute(select(received_events))).all()
    await database.close()


@pytest.mark.parametrize("given", [{}, {"one": "1", "two": "2"}, {"two": "2"}])
async def test_its_parameters_are_given_all_and_no_others(
    database: Database, given: dict[str, str]
) -> None:
    async with database.write(Scope.of_branch(130_123)) as connection:
        with pytest.raises(TypeError, match="parameters"):
            await _TWO.rows(connection, **given)
    await database.close()


async def test_values_of_its_own_go_along(database: Database) -> None:
    async with database.write(Scope.of_branch(130_123)) as connection:
        ((one, other),) = await _TWO.rows(connection, one="1")
    assert (one, other) == ("1", 7)
    await database.close()


def test_what_is_on_record_is_not_changed_unseen() -> None:
    with pytest.raises(ValueError, match="unit_targets is on record"):
        Frequent(insert(unit_targets))
