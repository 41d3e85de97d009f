"""The suite in one process is told to stop, as `huaxiao up` is by SIGTERM."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import httpx
from support.postgres import PreparedDatabase, database_like_a_new_one, until_waiting

from huaxiao.cli import embedded
from huaxiao.cli.main import serve, stay
from huaxiao.cli.suite import Keys, listen
from huaxiao.shared.auth import Role

HOST = "127.0.0.1"
BRANCH = 130123
IN_FLIGHT = 8


async def until_status(http: httpx.AsyncClient, url: str, status: int) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                # Another connection each time: the port has to be open.
                answer = await http.get(url, headers={"Connection": "close"})
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == status:
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def locked(url: str, table: str) -> AsyncIterator[asyncpg.Connection]:
    holder = await asyncpg.connect(url)
    try:
        async with holder.transaction():
            await holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield holder
    finally:
        await holder.close()


async def test_the_suite_answers_what_it_has_begun_and_is_unready_meanwhile(
    prepared: PreparedDatabase, worker: str, tmp_path: Path
) -> None:
    name = f"stopping_{worker}"
    await asyncio.to_thread(database_like_a_new_one, prepared.postgres, name)
    postgres = embedded.EmbeddedPostgres(prepared.postgres.server, name)
    before = signal.getsignal(signal.SIGTERM)
    with listen(HOST, 0) as bound:
        suite = f"http://{HOST}:{bound.getsockname()[1]}"
        running = asyncio.create_task(serve(tmp_path, bound, postgres, stay))
        token = Keys.under(tmp_path).issuer().token("t", roles=[Role.AUDITOR], branch_ids=[BRANCH])
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http:
            await until_status(http, f"{suite}/contracts/readyz", 200)
            url = postgres.url("postgres").render_as_string(hide_password=False)
            async with locked(url, "contracts.feed_entries") as holder:
                feed = f"{suite}/contracts/v1/branches/{BRANCH}/feed"
                asked = [asyncio.create_task(http.get(feed)) for _ in range(IN_FLIGHT)]
                await until_waiting(holder, IN_FLIGHT, seconds=60)
                os.kill(os.getpid(), signal.SIGTERM)
                await until_status(http, f"{suite}/contracts/readyz", 503)
                # What is at work may ask the suite's other services until it is done.
                healthy = await http.get(f"{suite}/kpi/healthz", headers={"Connection": "close"})
            answers = await asyncio.gather(*asked)
        code = await running

    assert healthy.status_code == 200
    assert [one.status_code for one in answers] == [200] * IN_FLIGHT
    assert code == 0
    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)
