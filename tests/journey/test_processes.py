"""Each service runs alone: by its own command, from its own environment."""

import asyncio
import signal
from collections.abc import Callable

import httpx
import pytest
from support.processes import Processes, ServiceProcess

from huaxiao.shared.auth import Role
from huaxiao.shared.provision import SERVICES


@pytest.fixture(params=SERVICES)
async def alone(request: pytest.FixtureRequest, unstarted: Processes) -> ServiceProcess:
    """Return a running service whose peers do not answer."""
    one = unstarted[request.param]
    one.start()
    await one.ready()
    return one


async def test_a_service_answers_without_its_peers_and_ends_when_told(
    alone: ServiceProcess, token: Callable[..., str], branch_id: int
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, branch_id)}"}
    feed = f"/v1/branches/{branch_id}/feed"

    async with httpx.AsyncClient(base_url=alone.url) as http:
        health = await http.get("/healthz")
        ready = await http.get("/readyz")
        document = await http.get("/openapi.json")
        anonymous = await http.get(feed)
        waiting = asyncio.create_task(http.get(feed, params={"timeout": 600}, headers=headers))
        await asyncio.sleep(0.2)
        assert alone.running is not None
        alone.running.send_signal(signal.SIGTERM)
        answered = await waiting
    code = await asyncio.to_thread(alone.ended)

    assert health.json() == {"status": "ok"}
    assert ready.json() == {"status": "ready", "service": alone.service}
    assert document.json()["info"]["title"] == f"Huaxiao {alone.service}"
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "unauthenticated")
    assert answered.status_code == 200, "a request in flight is answered before the end"
    assert code in {0, -signal.SIGTERM}
    assert "Traceback" not in alone.said()
