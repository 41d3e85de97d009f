"""One address for several replicas of a service: every request goes to the next one that answers."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

_HOST = "127.0.0.1"
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


@dataclass
class Balancer:
    """Passes requests on, in turn."""

    urls: Sequence[str]
    port: int

    def __post_init__(self) -> None:
        self._turn = itertools.cycle(self.urls)
        self._http = httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=None))

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self.port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        request = Request(scope, receive)
        body = await request.body()
        for _ in self.urls:
            try:
                answer = await self._http.send(self._passed(request, body), stream=True)
            except httpx.ConnectError:
                # Nothing was asked of it: another may be.
                continue
            except httpx.TransportError:
                await Response(status_code=502)(scope, receive, send)
                return
            headers = {k: v for k, v in answer.headers.items() if k not in _HOP_BY_HOP}
            passed = StreamingResponse(answer.aiter_raw(), answer.status_code, headers)
            await passed(scope, receive, send)
            await answer.aclose()
            return
        await Response(status_code=503, headers={"Retry-After": "1"})(scope, receive, send)

    def _passed(self, request: Request, body: bytes) -> httpx.Request:
        url = f"{next(self._turn)}{request.url.path}?{request.url.query}"
        headers = [one for one in request.headers.items() if one[0] not in _HOP_BY_HOP]
        return self._http.build_request(request.method, url, headers=headers, content=body)

    async def close(self) -> None:
        await self._http.aclose()


@asynccontextmanager
async def balanced(balancers: Sequence[Balancer]) -> AsyncIterator[None]:
    """Listen for all of them until the block ends."""
    servers = [
        uvicorn.Server(uvicorn.Config(one, _HOST, one.port, lifespan="off", log_level="warning"))
        for one in balancers
    ]
    serving = [asyncio.create_task(one.serve()) for one in servers]
    try:
        while not all(one.started for one in servers):  # noqa: ASYNC110 - uvicorn sets a flag
            await asyncio.sleep(0.02)
        yield
    finally:
        for one in servers:
            one.should_exit = one.force_exit = True
        await asyncio.gather(*serving)
        await asyncio.gather(*(balancer.close() for balancer in balancers))
