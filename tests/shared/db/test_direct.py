"""Direct routes answer as the framework would: whoever asks cannot tell which of them it was."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from support.postgres import PreparedDatabase

from huaxiao.shared.auth import Principal, Role, allow
from huaxiao.shared.database import Database
from huaxiao.shared.direct import DirectRoute, put_first
from huaxiao.shared.settings import ServiceSettings
from huaxiao.shared.unit_of_work import TransactionalRoute
from huaxiao.shared.web import router, service_app

from .conftest import audit_log, idempotency_keys

MOST = 1_000
Manager = Annotated[Principal, allow(Role.COUNTY_MANAGER)]


def echoing(way: str, route_class: type[APIRoute]) -> APIRouter:
    routes = router(tags=["echo"], prefix=f"/v1/{way}", route_class=route_class)

    @routes.post("/echo", name=way, max_body_size=MOST, response_model=dict[str, Any])
    async def echo(request: Request, principal: Manager) -> Response:
        """Say what has arrived."""
        body = await request.body()
        told = (
            f"{principal.subject} {request.scope['route'].name} {len(body)} {request.path_params}"
        )
        return Response(told, media_type="text/plain")

    return routes


@pytest.fixture
async def asked(
    settings_for: Callable[[str], dict[str, Any]], prepared: PreparedDatabase
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the same endpoint both ways."""
    database = Database(prepared.url("kpi"), service="kit")
    app = service_app(
        service="kit",
        title="kit",
        settings=ServiceSettings(**settings_for("kpi") | {"caller_requests": 5}),
        database=database,
        idempotency_keys=idempotency_keys,
        audit_log=audit_log,
        routers=[echoing("direct", DirectRoute), echoing("injected", TransactionalRoute)],
    )
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://kit") as client:
        yield client
    await database.close()


async def told(
    asked: httpx.AsyncClient,
    way: str,
    method: str,
    query: str,
    headers: list[tuple[str, str]],
    body: bytes,
) -> tuple[int, str, dict[str, str]]:
    answer = await asked.request(method, f"/v1/{way}/echo{query}", headers=headers, content=body)
    named = {key: held for key, held in answer.headers.items() if key != "traceparent"}
    problem = answer.json() if "problem" in answer.headers["content-type"] else {}
    named.pop("content-length", None)
    return answer.status_code, problem.get("code", answer.text.replace(f" {way} ", " ")), named


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("status", "authorization", "more"),
    [
        (200, "Bearer {good}", {}),
        (200, "bearer   {good}  ", {"headers": {"traceparent": TRACE}}),
        (200, "BEARER {good}", {"body": b"x" * MOST}),
        (401, "Bearer", {}),
        (401, "Basic {good}", {}),
        (401, "{good}", {}),
        (401, "Bearer {good}x", {}),
        (401, "", {}),
        (200, "Bearer {good}", {"headers": {"Authorization": "Bearer other"}}),
        (401, "Basic {good}", {"headers": {"Authorization": "Bearer {good}"}}),
        (403, "Bearer {engineer}", {"headers": {"accept-language": "zh-CN"}}),
        (405, "Bearer {good}", {"method": "GET"}),
        (413, "Bearer {good}", {"body": b"x" * (MOST + 1)}),
        (422, "Bearer {good}", {"query": "?unknown=1"}),
        (503, "Bearer {good}", {"headers": {"prefer": "wait=0"}}),
    ],
)
async def test_a_direct_route_answers_as_one_that_is_injected(
    asked: httpx.AsyncClient,
    token: Callable[..., str],
    branch_id: int,
    status: int,
    authorization: str,
    more: dict[str, Any],
) -> None:
    tokens = {
        "good": token(Role.COUNTY_MANAGER, branch_id),
        "engineer": token(Role.ENGINEER, branch_id, person_id="P1"),
    }
    named = [("authorization", authorization)] if authorization else []
    named += more.get("headers", {}).items()
    headers = [(name, held.format_map(tokens)) for name, held in named]
    given = (more.get("method", "POST"), more.get("query", ""), headers, more.get("body", b"{}"))
    direct = await told(asked, "direct", *given)
    assert direct == await told(asked, "injected", *given)
    assert direct[0] == status


async def test_requests_of_a_caller_are_counted_over_both(
    asked: httpx.AsyncClient, token: Callable[..., str], branch_id: int
) -> None:
    headers = {"authorization": f"Bearer {token(Role.COUNTY_MANAGER, branch_id)}"}
    ways = ["direct", "injected", "direct", "injected", "direct", "direct"]
    answers = [await asked.post(f"/v1/{way}/echo", headers=headers) for way in ways]
    assert [one.status_code for one in answers] == [200] * 5 + [429]


async def test_a_direct_route_is_in_the_document_once(asked: httpx.AsyncClient) -> None:
    paths = (await asked.get("/openapi.json")).json()["paths"]
    assert {"/v1/direct/echo", "/v1/injected/echo"} <= paths.keys()
    one, other = paths["/v1/direct/echo"], paths["/v1/injected/echo"]
    assert one["post"]["responses"].keys() == other["post"]["responses"].keys()


def test_a_route_that_takes_more_cannot_be_direct() -> None:
    routes = router(tags=["echo"], route_class=DirectRoute)

    @routes.post("/echo", max_body_size=MOST)
    async def echo(branch_id: int, request: Request, principal: Manager) -> Response:
        raise NotImplementedError

    app = FastAPI()
    app.include_router(routes)
    with pytest.raises(TypeError, match="takes more"):
        put_first(app)
