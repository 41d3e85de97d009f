"""Each service runs alone: by its own command, from its own environment."""

import asyncio
import signal
from collections.abc import Callable

import httpx
import pytest
from support.processes import Processes, ServiceProcess

from huaxiao.shared.auth import Role
from huaxiao.shared.provision import SERVICES


async def started(processes: Processes, service: str) -> ServiceProcess:
    """Return a running service whose peers do not answer."""
    one = processes[service]
    one.start()
    await one.ready()
    return one


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_answers_without_its_peers_and_ends_when_told(
    service: str, unstarted: Processes, branch_id: int
) -> None:
    alone = await started(unstarted, service)

    async with httpx.AsyncClient(base_url=alone.url) as http:
        health = await http.get("/healthz")
        ready = await http.get("/readyz")
        document = (await http.get("/openapi.json")).json()
        path = next(
            path for path, item in document["paths"].items() if "get" in item and "/v1/" in path
        )
        anonymous = await http.get(path.replace("{branch_id}", str(branch_id)))
    code = await asyncio.to_thread(alone.terminate)

    assert health.json() == {"status": "ok"}
    assert ready.json() == {"status": "ready", "service": service}
    assert document["info"]["title"].lower() == f"huaxiao {service}"
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "unauthenticated")
    assert code in {0, -signal.SIGTERM}
    assert "Traceback" not in alone.said()


async def test_a_service_that_ends_answers_who_waits_and_not_who_left(
    unstarted: Processes, token: Callable[..., str], branch_id: int
) -> None:
    contracts = await started(unstarted, "contracts")
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, branch_id)}"}
    feed = f"/v1/branches/{branch_id}/feed"

    async with httpx.AsyncClient(base_url=contracts.url, headers=headers) as http:
        leaving = asyncio.create_task(http.get(feed, params={"timeout": 30_000}))
        waiting = asyncio.create_task(http.get(feed, params={"timeout": 600}))
        await asyncio.sleep(0.2)
        leaving.cancel()
        assert contracts.running is not None
        contracts.running.send_signal(signal.SIGTERM)
        answered = await waiting
    await asyncio.to_thread(contracts.ended)

    assert answered.status_code == 200
    assert "graceful shutdown exceeded" not in contracts.said()
