"""A deadline is of one request, whatever connection the request came by."""

import asyncio

import httpx
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from huaxiao.shared import deadlines
from huaxiao.shared.deadlines import Deadlines
from huaxiao.shared.problems import Problem


async def told(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer how much time is left, once the body has come."""
    if scope["type"] != "http":
        return
    left = deadlines.remaining()
    await Request(scope, receive).body()
    await JSONResponse(left)(scope, receive, send)


def _rendered(_: Request, problem: Problem) -> JSONResponse:
    return JSONResponse(problem.code, problem.status)


@pytest.mark.parametrize("protocol", ["h11", "httptools"])
async def test_a_request_has_its_own_deadline_on_a_connection_that_served_another(
    protocol: str,
) -> None:
    app = Deadlines(told, seconds=600, render=_rendered)
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, http=protocol, log_level="error", lifespan="off")
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn says it by this alone
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    one = httpx.Limits(max_connections=1)

    # A body so large that the server stops reading for a while, and begins again within the request.
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=one) as client:
        hurried = await client.post("/", content=b"x" * 8_000_000, headers={"Prefer": "wait=20"})
        patient = await client.get("/")
    server.should_exit = True
    await serving

    assert 0 < hurried.json() <= 20
    assert patient.json() > 20
