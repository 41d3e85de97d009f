"""One transaction per request, committed before the response is sent.

A route built on ``TransactionalRoute`` opens at most one transaction, commits it after the endpoint
has made its response and before any byte leaves, and so never answers 201 for a commit that
failed. In the same transaction it remembers the answer given to an ``Idempotency-Key`` (IETF
draft-07): the same key from the same caller with the same request gets that answer again; and it
puts on record who asked, and what was changed.
"""

import hashlib
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from asyncpg import PostgresError
from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import (
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection
from typing_extensions import override

from huaxiao.shared.audit.changes import Changes
from huaxiao.shared.audit.marks import DERIVED
from huaxiao.shared.audit.requests import record
from huaxiao.shared.auth import Principal, authenticate
from huaxiao.shared.database import Database, branch_column
from huaxiao.shared.problems import AnswerForgotten, Fault, IdempotencyKeyReused, Malformed
from huaxiao.shared.rows import NO_BRANCH, Scope

_ATTEMPTS = 3
_RETRYABLE = {"40001", "40P01"}
_BUSY = {
    *("55P03", "57014", "57P01", "57P02", "57P03", "08006", "08003", "40001", "40P01"),
    *("53100", "53200", "53300"),  # no disk, no memory, no connection is left
}
_NODE_FAILED = "could not commit transaction for shard"
"""What Citus says, without a code of its own, when a node was lost before anything was committed."""
_MAX_KEY = 255

DATABASE_ERRORS = (DBAPIError, PostgresError)
"""What a database says no by: through SQLAlchemy, or by its driver where that is spoken to."""
UNANSWERED = (*DATABASE_ERRORS, PoolTimeoutError, ConnectionError, TimeoutError)
"""What comes of asking a database: what it says no by, and what it is not even heard by."""

T = TypeVar("T")


def idempotency_table(metadata: MetaData) -> Table:
    """Declare where a service remembers the answers it gave.

    A key is kept as long as the books; its answer, which may show somebody's data, for a while
    (``huaxiao.shared.personal.forget_answers``).
    """
    return Table(
        "idempotency_keys",
        metadata,
        branch_column(),
        Column("caller", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("fingerprint", Text, nullable=False),
        Column("status", Integer, nullable=False),
        Column("media_type", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("answered_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index(
            "idempotency_keys_answers_index",
            "branch_id",
            "answered_at",
            postgresql_where=text("octet_length(body) > 0"),
        ),
        info=DERIVED,
    )


class _Replay(Exception):  # noqa: N818 - control flow inside this module
    def __init__(self, response: Response) -> None:
        self.response = response


class _UnitOfWork:
    """The request's transaction and its idempotency key."""

    def __init__(self, database: Database, stack: AsyncExitStack) -> None:
        """Begin with no transaction; each is opened within the rows that the caller may see."""
        self._database = database
        self._stack = stack
        self._writing: AsyncConnection | None = None
        self._scope: Scope | None = None
        self._reading: AsyncConnection | None = None
        self._changes = Changes()
        self._claimed: tuple[Table, dict[str, Any]] | None = None

    async def reading(self, scope: Scope) -> AsyncConnection:
        self._hold_to(scope)
        if self._reading is None:
            self._reading = await self._stack.enter_async_context(self._database.read(scope))
        return self._reading

    async def writing(self, scope: Scope) -> AsyncConnection:
        self._hold_to(scope)
        if self._writing is None:
            self._writing = await self._stack.enter_async_context(self._database.write(scope))
            await self._changes.of(self._writing)
        return self._writing

    def _hold_to(self, scope: Scope) -> None:
        """Refuse to take a request's transaction for a wider one than its route opened."""
        if self._scope not in {None, scope}:
            raise RuntimeError("one request, two scopes")
        self._scope = scope

    async def claim(
        self, table: Table, scope: Scope, *, key: tuple[int, str, str], fingerprint: str
    ) -> None:
        """Return quietly for a new key; raise the earlier answer for a known one.

        The claim is a row of this transaction, so a second request with the key waits here until
        the first has committed or rolled back.
        """
        connection = await self.writing(scope)
        row = dict(zip(("branch_id", "caller", "key"), key, strict=True))
        claimed = await connection.execute(
            insert(table)
            .values(**row, fingerprint=fingerprint, status=0, media_type="", body=b"")
            .on_conflict_do_nothing()
            .returning(table.c.key)
        )
        if claimed.one_or_none() is not None:
            self._claimed = (table, row)
            return
        earlier = (await connection.execute(select(table).filter_by(**row))).one()
        if earlier.fingerprint != fingerprint:
            raise IdempotencyKeyReused
        if not earlier.body and earlier.status != HTTPStatus.NO_CONTENT:
            raise AnswerForgotten
        raise _Replay(
            Response(
                earlier.body, earlier.status, {"Idempotent-Replayed": "true"}, earlier.media_type
            )
        )

    async def remember(self, response: Response) -> None:
        if self._claimed is None or self._writing is None:
            return
        table, row = self._claimed
        await self._writing.execute(
            update(table)
            .filter_by(**row)
            .values(
                status=response.status_code,
                media_type=response.headers.get("content-type", "application/json"),
                body=bytes(response.body),
            )
        )

    async def put_on_record(self, request: Request, response: Response) -> None:
        if self._writing is not None:
            await record(request, response, self._writing, self._changes)


class TransactionalRoute(APIRoute):
    """A route whose transaction ends before its response begins."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the route: endpoint, then commit, then answer; retry what the database undid."""
        endpoint = super().get_route_handler()

        async def attempt(request: Request) -> Response:
            async with AsyncExitStack() as stack:
                unit = _UnitOfWork(request.app.state.database, stack)
                request.state.unit_of_work = unit
                response = await endpoint(request)
                await unit.remember(response)
                await unit.put_on_record(request, response)
            return response

        async def handle(request: Request) -> Response:
            try:
                return await tried_again(lambda: attempt(request))
            except _Replay as replay:
                return replay.response

        return handle


async def tried_again(attempt: Callable[[], Awaitable[T]]) -> T:
    """Do what opens its transaction by itself; when the database undid it, do it again, twice at most."""
    for _ in range(_ATTEMPTS - 1):
        try:
            return await attempt()
        except DATABASE_ERRORS as error:
            if not was_undone(error):
                raise
    return await attempt()


def was_undone(error: DBAPIError | PostgresError) -> bool:
    """Say whether the database undid a transaction that may well succeed when it is tried again."""
    return sqlstate(error) in _RETRYABLE or _NODE_FAILED in str(_told_by_server(error))


def is_away(error: BaseException) -> bool:
    """Say whether an error only means that the database does not do what it is asked now.

    What was asked for has nothing to do with it, and may be asked for again.
    """
    if not isinstance(error, DATABASE_ERRORS):
        return isinstance(error, UNANSWERED)
    if isinstance(error, InterfaceError | OperationalError):
        return True
    # A connection that has heard the server's farewell and not yet its end refuses to be used.
    refused = isinstance(error, InternalError) and sqlstate(error) is None
    return refused or sqlstate(error) in _BUSY


def sqlstate(error: DBAPIError | PostgresError) -> str | None:
    """Return the SQLSTATE of a database error, if the server sent one."""
    return getattr(_told_by_server(error), "sqlstate", None)


def _told_by_server(error: DBAPIError | PostgresError) -> BaseException | None:
    """Return what the driver raised: by itself, as it does while rows are copied, or within."""
    return error.orig if isinstance(error, DBAPIError) else error


async def _caller_scope(
    request: Request, principal: Annotated[Principal, Depends(authenticate)]
) -> Scope:
    branch_id = request.path_params.get("branch_id")
    return principal.scope(None if branch_id is None else int(branch_id))


async def seeing_whole_branch(scope: Annotated[Scope, Depends(_caller_scope)]) -> Scope:
    """Widen a caller's scope to every centre of the branch, for what only all of it can decide.

    The one way to do so: a route that needs it takes ``BranchReadTx`` or ``BranchWriteTx``, and its
    module says why. The queries go on to hold what is shown to the caller's centres.
    """
    return replace(scope, centre_ids=None)


async def _read(
    request: Request, scope: Annotated[Scope, Depends(_caller_scope)]
) -> AsyncConnection:
    unit: _UnitOfWork = request.state.unit_of_work
    return await unit.reading(scope)


async def _read_branch(
    request: Request, scope: Annotated[Scope, Depends(seeing_whole_branch)]
) -> AsyncConnection:
    unit: _UnitOfWork = request.state.unit_of_work
    return await unit.reading(scope)


_Key = Annotated[str | None, Header(description="Makes this request safe to send again")]


async def _write(
    request: Request,
    principal: Annotated[Principal, Depends(authenticate)],
    scope: Annotated[Scope, Depends(_caller_scope)],
    idempotency_key: _Key = None,
) -> AsyncConnection:
    return await _writing(request, principal, scope, idempotency_key)


async def _write_branch(
    request: Request,
    principal: Annotated[Principal, Depends(authenticate)],
    scope: Annotated[Scope, Depends(seeing_whole_branch)],
    idempotency_key: _Key = None,
) -> AsyncConnection:
    return await _writing(request, principal, scope, idempotency_key)


async def _write_unremembered(
    request: Request, scope: Annotated[Scope, Depends(_caller_scope)]
) -> AsyncConnection:
    unit: _UnitOfWork = request.state.unit_of_work
    return await unit.writing(scope)


async def _write_branch_unremembered(
    request: Request, scope: Annotated[Scope, Depends(seeing_whole_branch)]
) -> AsyncConnection:
    unit: _UnitOfWork = request.state.unit_of_work
    return await unit.writing(scope)


async def _writing(
    request: Request, principal: Principal, scope: Scope, idempotency_key: str | None
) -> AsyncConnection:
    unit: _UnitOfWork = request.state.unit_of_work
    if idempotency_key is not None:
        if not _is_key(idempotency_key):
            raise Malformed(
                "Idempotency-Key must be 1 to 255 printable characters of ASCII.",
                "Idempotency-Key 必须是 1 到 255 个可见 ASCII 字符。",
                faults=[Fault("/Idempotency-Key", "bad-key", "bad key", "幂等键无效")],
            )
        await unit.claim(
            request.app.state.idempotency_keys,
            scope,
            key=(
                int(request.path_params.get("branch_id", NO_BRANCH)),
                principal.subject,
                idempotency_key,
            ),
            fingerprint=await _fingerprint(request),
        )
    return await unit.writing(scope)


def _is_key(given: str) -> bool:
    """Say whether a header is a key (IETF draft-07): bytes beyond ASCII have no one reading."""
    return 0 < len(given) <= _MAX_KEY and given.isascii() and given.isprintable()


async def _fingerprint(request: Request) -> str:
    hashed = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    # A body that a route took in piece by piece is gone; the route leaves its digest.
    streamed: str | None = getattr(request.state, "body_digest", None)
    hashed.update(await request.body() if streamed is None else streamed.encode())
    return hashed.hexdigest()


ReadTx = Annotated[AsyncConnection, Depends(_read)]
"""A read-only snapshot for this request."""
WriteTx = Annotated[AsyncConnection, Depends(_write)]
"""This request's transaction; it commits before the response is sent."""
BranchReadTx = Annotated[AsyncConnection, Depends(_read_branch)]
"""``ReadTx`` that finds the rows of every centre of the branch, whoever asks."""
BranchWriteTx = Annotated[AsyncConnection, Depends(_write_branch)]
"""``WriteTx`` that finds and writes the rows of every centre of the branch, whoever asks."""
UnrememberedTx = Annotated[AsyncConnection, Depends(_write_unremembered)]
"""``WriteTx`` whose answer is kept nowhere, by no ``Idempotency-Key``: it shows personal data."""
BranchUnrememberedTx = Annotated[AsyncConnection, Depends(_write_branch_unremembered)]
"""``BranchWriteTx`` whose answer is kept nowhere."""
