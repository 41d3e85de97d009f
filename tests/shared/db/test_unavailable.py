"""A database that lets nobody in is away for a moment: 503 with Retry-After, and not a fault of ours."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from sqlalchemy import make_url, text
from support.postgres import PreparedDatabase

from huaxiao.cli import embedded
from huaxiao.shared.auth import Principal, Role, allow
from huaxiao.shared.database import Database, copying
from huaxiao.shared.rows import NOTHING
from huaxiao.shared.settings import ServiceSettings
from huaxiao.shared.unit_of_work import WriteTx
from huaxiao.shared.web import router, service_app

from .conftest import audit_log, idempotency_keys, notes

SOCKET = ".s.PGSQL.5432"
OUT_OF = ("disk_full", "out_of_memory", "too_many_connections")
"""What a server may run out of, by the names of PostgreSQL's conditions."""
Served = Callable[[str], Awaitable[httpx.AsyncClient]]


@dataclass
class Meeting:
    """Where a test meets a request that is in the middle of its transaction."""

    backend: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)


meeting = Meeting()
routes = router(tags=["meeting"])


@routes.post("/meeting/{way}")
async def meet(
    branch_id: int,
    way: str,
    tx: WriteTx,
    principal: Annotated[Principal, allow(Role.COUNTY_MANAGER)],
) -> None:
    meeting.backend.put_nowait(await tx.scalar(text("SELECT pg_backend_pid()")) or 0)
    await meeting.go_on.wait()
    if way == "copy":
        async with copying(tx) as copy:
            await copy.into(notes, ("branch_id", "note_id"), [(branch_id, "n")])
    if way in OUT_OF:
        await tx.execute(text(f"DO $$ BEGIN RAISE {way}; END $$"))
    await tx.execute(text("SELECT 1"))


@pytest.fixture
async def served(settings_for: Callable[[str], dict[str, Any]]) -> AsyncIterator[Served]:
    """Serve the route, and the probes, on a database."""
    opened: list[Database | httpx.AsyncClient] = []

    async def serve(url: str) -> httpx.AsyncClient:
        settings = ServiceSettings(**settings_for("kpi") | {"database_url": url})
        database = Database(url, service="kit")
        app = service_app(
            service="kit",
            title="kit",
            settings=settings,
            database=database,
            idempotency_keys=idempotency_keys,
            audit_log=audit_log,
            routers=[routes],
        )
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://kit")
        opened.extend([client, database])
        return client

    yield serve
    for one in opened:
        await (one.aclose() if isinstance(one, httpx.AsyncClient) else one.close())


@asynccontextmanager
async def way_that_swallows_the_end(folder: Path) -> AsyncIterator[Path]:
    """Open a socket that leads to the server's and passes on all but the end of a connection."""
    passing: list[asyncio.Task[None]] = []
    ends: list[asyncio.StreamWriter] = []

    async def pass_on(source: asyncio.StreamReader, goal: asyncio.StreamWriter) -> None:
        while piece := await source.read(65_536):
            goal.write(piece)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, here = await asyncio.open_unix_connection(folder / SOCKET)
        ways = ((reader, here), (there, writer))
        ends.extend([here, writer])
        passing.extend(asyncio.create_task(pass_on(*one)) for one in ways)

    place = Path(tempfile.mkdtemp(prefix="hx-"))
    server = await asyncio.start_unix_server(carry, place / SOCKET)
    try:
        yield place
    finally:
        server.close()
        for one in passing:
            one.cancel()
        await asyncio.gather(*passing, return_exceptions=True)
        for end in ends:
            end.close()
        await asyncio.gather(*(one.wait_closed() for one in ends), return_exceptions=True)
        shutil.rmtree(place)


def is_away(response: httpx.Response) -> bool:
    return (
        response.status_code == 503
        and response.json()["code"] == "unavailable"
        and int(response.headers["retry-after"]) > 0
    )


async def test_a_server_that_takes_no_more_connections_is_away(
    served: Served,
    prepared: PreparedDatabase,
    worker: str,
    tamper: Callable[..., Awaitable[None]],
) -> None:
    name = f"full_{worker}"
    await embedded.create_database(prepared.postgres, name)
    await tamper(f'ALTER DATABASE "{name}" CONNECTION LIMIT 0')
    client = await served(PreparedDatabase(prepared.postgres, name).url("kpi"))

    assert is_away(await client.get("/readyz"))


async def test_a_server_that_has_taken_its_socket_with_it_is_away(served: Served) -> None:
    client = await served("postgresql://kpi@/huaxiao?host=/nowhere")

    assert is_away(await client.get("/readyz"))


@pytest.mark.parametrize("way", ["query", "copy"])
async def test_a_server_that_goes_in_the_middle_is_away_before_its_connections_have_ended(
    served: Served,
    kit: object,
    prepared: PreparedDatabase,
    tamper: Callable[..., Awaitable[None]],
    manager: dict[str, str],
    branch_id: int,
    way: str,
) -> None:
    url = make_url(prepared.url("postgres"))
    meeting.go_on.clear()
    async with way_that_swallows_the_end(Path(str(url.query["host"]))) as place:
        through = url.update_query_dict({"host": str(place)})
        client = await served(through.render_as_string(hide_password=False))
        path = f"/v1/branches/{branch_id}/meeting/{way}"
        asking = asyncio.create_task(client.post(path, headers=manager))
        backend = await meeting.backend.get()
        await tamper(f"SELECT pg_terminate_backend({backend}, 5000)")
        await asyncio.sleep(0.1)
        meeting.go_on.set()

        assert is_away(await asyncio.wait_for(asking, 30))


async def test_a_connection_whose_server_has_hung_up_is_not_given_out_again(
    prepared: PreparedDatabase, tamper: Callable[..., Awaitable[None]]
) -> None:
    database = Database(prepared.url("kpi"), service="kpi", pool_size=1)
    try:
        async with database.read(NOTHING) as connection:
            backend = await connection.scalar(text("SELECT pg_backend_pid()"))
        await tamper(f"SELECT pg_terminate_backend({backend}, 5000)")
        await asyncio.sleep(0.1)

        async with database.read(NOTHING) as connection:
            assert await connection.scalar(text("SELECT pg_backend_pid()")) != backend
    finally:
        await database.close()


@pytest.mark.parametrize("way", OUT_OF)
async def test_a_server_that_has_run_out_of_something_is_away(
    served: Served,
    kit: object,
    prepared: PreparedDatabase,
    manager: dict[str, str],
    branch_id: int,
    way: str,
) -> None:
    client = await served(prepared.url("kpi"))
    meeting.go_on.set()

    answer = await client.post(f"/v1/branches/{branch_id}/meeting/{way}", headers=manager)
    meeting.backend.get_nowait()

    assert is_away(answer)
