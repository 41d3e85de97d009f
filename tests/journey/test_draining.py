"""Services that are told to stop under load: they say so first, end what they began, and lose nothing."""

import asyncio
import itertools
import logging
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import asyncpg
import httpx
from support.postgres import PreparedDatabase, until_waiting
from support.processes import Processes, ServiceProcess, free_ports
from support.register import contractor, county_with_centres

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.identifiers import new_id

IN_FLIGHT = 20
PAUSE_SECONDS = 0.1
LEAD = {
    "customer_name": "云泽粮油公司",
    "about_zh": "新厂区专线两条",
    "people": [{"person_id": contractor("C1"), "share_basis_points": 10_000}],
}
_log = logging.getLogger(__name__)


@asynccontextmanager
async def closed_after(connection: asyncpg.Connection) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await connection.close()


def stop(process: ServiceProcess) -> None:
    assert process.running is not None
    process.running.send_signal(signal.SIGTERM)


async def test_a_service_that_ends_is_unready_first_and_finishes_what_it_began(
    unstarted: Processes,
    own_database: PreparedDatabase,
    token: Callable[..., str],
    branch_id: int,
) -> None:
    contracts = unstarted["contracts"]
    contracts.environment = dict(contracts.environment) | {"CONTRACTS_POOL_SIZE": str(IN_FLIGHT)}
    contracts.start()
    await contracts.ready()
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, branch_id)}"}
    base = f"{contracts.url}/v1/branches/{branch_id}"
    holder = await asyncpg.connect(own_database.url("postgres"))
    async with closed_after(holder), httpx.AsyncClient(headers=headers, timeout=30) as http:
        # With every connection made, all of them wait for the lock at the same time.
        await asyncio.gather(*(http.get(f"{base}/feed") for _ in range(IN_FLIGHT)))
        polling = asyncio.create_task(http.get(f"{base}/feed", params={"timeout": 20_000}))
        await asyncio.sleep(0.5)
        async with holder.transaction():
            await holder.execute("LOCK TABLE contracts.feed_entries IN ACCESS EXCLUSIVE MODE")
            asked = [asyncio.create_task(http.get(f"{base}/feed")) for _ in range(IN_FLIGHT)]
            await until_waiting(holder, IN_FLIGHT, seconds=2.5)
            stop(contracts)
            await asyncio.sleep(0.3)
            ready = await http.get(f"{contracts.url}/readyz")
            healthy = await http.get(f"{contracts.url}/healthz")
        answers = await asyncio.gather(*asked)
        poll = await polling
    code = await asyncio.to_thread(contracts.ended)

    assert (ready.status_code, ready.json()["code"]) == (503, "unavailable")
    assert healthy.status_code == 200
    assert Counter(one.status_code for one in answers) == {200: IN_FLIGHT}
    assert poll.status_code == 200
    assert code in {0, -signal.SIGTERM}
    assert "graceful shutdown exceeded" not in contracts.said()


@dataclass
class Gateway:
    """Two replicas of a service, taken in turns; whoever cannot answer now is passed over."""

    replicas: Sequence[ServiceProcess]
    passed_over: Counter[str] = field(default_factory=Counter)
    turns: Iterator[int] = field(default_factory=itertools.count)

    async def bring_lead(self, http: httpx.AsyncClient, branch_id: int) -> int:
        """Bring a lead until it is acknowledged, and return its number."""
        key = {"Idempotency-Key": str(new_id())}
        while True:
            one = self.replicas[next(self.turns) % len(self.replicas)]
            try:
                response = await http.post(
                    f"{one.url}/v1/branches/{branch_id}/leads", json=LEAD, headers=key
                )
            except httpx.TransportError as error:
                self.passed_over[type(error).__name__] += 1
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                self.passed_over["503"] += 1
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            assert response.status_code == httpx.codes.CREATED, response.text
            return int(response.json()["number"])


async def test_a_rolling_restart_under_load_loses_no_acknowledged_request(
    unstarted: Processes, token: Callable[..., str], branch_id: int
) -> None:
    first = unstarted["contracts"]
    [port] = free_ports(1)
    second = replace(first, port=port, log=first.log.with_name("contracts-2.log"))
    unstarted.of["second"] = second
    for one in (first, second):
        one.start()
        await one.ready()
    gateway = Gateway((first, second))
    acknowledged: list[int] = []
    done = asyncio.Event()
    clients: list[ContractsClient] = []

    def caller(role: Role, centre_ids: list[str] | None = None, **_: object) -> ContractsClient:
        signed = token(role, branch_id, centre_ids)
        clients.append(ContractsClient(first.url, lambda: signed))
        return clients[-1]

    await county_with_centres(caller, branch_id)

    async def load(http: httpx.AsyncClient) -> None:
        while not done.is_set():
            acknowledged.append(await gateway.bring_lead(http, branch_id))

    headers = {"Authorization": f"Bearer {token(Role.AUDITOR, branch_id)}"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as http:
        loading = [asyncio.create_task(load(http)) for _ in range(4)]
        for one in (first, second):
            await asyncio.sleep(0.5)
            stop(one)
            await asyncio.to_thread(one.ended)
            await one.restart()
        await asyncio.sleep(0.5)
        done.set()
        await asyncio.gather(*loading)
    kept = [one.number for one in await clients[-1].leads(branch_id)]
    for client in clients:
        await client.close()

    _log.info("%s acknowledged, passed over: %s", len(acknowledged), dict(gateway.passed_over))
    assert sorted(acknowledged) == list(range(1, len(acknowledged) + 1))
    assert sorted(kept) == sorted(acknowledged)
    assert "Traceback" not in first.said() + second.said()
