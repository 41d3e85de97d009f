"""The edge of a service: one way to make an app, to say no, and to say how it is doing."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from sqlalchemy import Table
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huaxiao.shared import refusals, trace
from huaxiao.shared.asgi import header_of
from huaxiao.shared.audit.anchoring import anchoring
from huaxiao.shared.audit.log import AuditLog, keep
from huaxiao.shared.auth import Principal, TokenVerifier, authenticate
from huaxiao.shared.clock import Clock, system_clock
from huaxiao.shared.database import Database, UnsafeDatabaseError
from huaxiao.shared.deadlines import DeadlinePassed, Deadlines
from huaxiao.shared.direct import put_first
from huaxiao.shared.draining import draining
from huaxiao.shared.limits import Limits, Overloaded, Rates, Slots, TooManyRequests
from huaxiao.shared.problems import (
    Fault,
    Forbidden,
    Malformed,
    NotFound,
    Problem,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unexpected,
    all_problems,
)
from huaxiao.shared.settings import ServiceSettings
from huaxiao.shared.structured import LogFormat, RequestLog, write_log
from huaxiao.shared.telemetry import telemetry
from huaxiao.shared.trusted_keys import KeyFile, PublishedKeys
from huaxiao.shared.unit_of_work import UNANSWERED, TransactionalRoute, is_away

PROBLEM_MEDIA_TYPE = "application/problem+json"
_SENT_AGAIN = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}
_RETRY_AFTER = {
    "description": "Seconds after which to send the same request again.",
    "schema": {"type": "integer", "minimum": 1},
}
_LOOK_SECONDS = 5.0
"""How long a service that starts looks at its database's settings."""
_log = logging.getLogger(__name__)

_PYDANTIC_ZH = {
    "missing": "缺少必填字段",
    "extra_forbidden": "不允许的字段",
    "json_invalid": "不是有效的 JSON",
    "credit_code_check": "统一社会信用代码校验位不符",
    "share_out_of_range": "比例须在 0 到 1 之间",
    "greater_than": "须大于 {gt}",
    "greater_than_equal": "不得小于 {ge}",
    "less_than": "须小于 {lt}",
    "less_than_equal": "不得大于 {le}",
    "too_short": "至少须有 {min_length} 项",
    "too_long": "至多可有 {max_length} 项",
    "string_too_short": "至少须有 {min_length} 个字符",
    "string_too_long": "至多可有 {max_length} 个字符",
    "decimal_max_places": "至多 {decimal_places} 位小数",
    "enum": "只能是 {expected} 之一",
    "literal_error": "只能是 {expected} 之一",
}

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def together(*lives: Lifespan) -> Lifespan:
    """Return the life of an app that lives several lives at once, begun in this order."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for one in lives:
                await stack.enter_async_context(one(app))
            yield

    return life


def router(
    *,
    tags: Sequence[str],
    prefix: str = "/v1/branches/{branch_id}",
    route_class: type[APIRoute] = TransactionalRoute,
) -> APIRouter:
    """Return a router whose routes commit before they answer, and know all they are asked."""
    return APIRouter(
        prefix=prefix,
        tags=list(tags),
        route_class=route_class,
        dependencies=[Depends(_know_every_parameter)],
    )


async def _know_every_parameter(
    request: Request, _: Annotated[Principal, Depends(authenticate)]
) -> None:
    """Refuse query parameters that the route does not have: what was asked would go unanswered."""
    if not request.scope["query_string"]:
        return
    unknown = request.query_params.keys() - _parameters(request.scope["route"].dependant)
    if unknown:
        faults = [
            Fault(f"/query/{one}", "extra-forbidden", "no such parameter", "没有此查询参数")
            for one in sorted(unknown)
        ]
        raise Malformed(faults=faults)


def _parameters(dependant: Dependant) -> set[str]:
    """Name the query parameters of a route and of all that it depends on."""
    nested = (_parameters(one) for one in dependant.dependencies)
    return {one.alias for one in dependant.query_params}.union(*nested)


def problem_responses(*kinds: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Document the problems a route may answer with, for ``responses=``."""
    documented: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        entry = documented.setdefault(
            int(kind.status),
            {
                "description": "",
                "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": _PROBLEM_REFERENCE}}},
            },
        )
        if kind.status in _SENT_AGAIN:
            entry["headers"] = {"Retry-After": _RETRY_AFTER}
        described = f"`{kind.code}`: {kind.title}（{kind.title_zh}）"
        entry["description"] = "; ".join(filter(None, [entry["description"], described]))
    return documented


def service_app(
    *,
    service: str,
    title: str,
    settings: ServiceSettings,
    database: Database,
    idempotency_keys: Table,
    audit_log: AuditLog,
    routers: Sequence[APIRouter],
    lifespan: Lifespan | None = None,
    clock: Clock = system_clock,
) -> FastAPI:
    """Make the app every service runs as: its routers, problems, probes and documents."""

    @asynccontextmanager
    async def whole_life(app: FastAPI) -> AsyncIterator[None]:
        spare_collector()
        write_log(settings.log_format, service=service)
        try:
            await _refuse_to_forget(database)
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(
                    anchoring(settings, database, audit_log, clock=clock)
                )
                if lifespan is not None:
                    await stack.enter_async_context(lifespan(app))
                stack.enter_context(draining(app.state, seconds=settings.drain_seconds))
                yield
        finally:
            await database.close()

    app = FastAPI(
        title=title,
        version="0.1.0",
        lifespan=whole_life,
        generate_unique_id_function=_operation_id,
        responses=problem_responses(
            *(Unauthenticated, Forbidden, NotFound, TooLarge, Malformed, TooManyRequests),
            *(Unavailable, Overloaded, DeadlinePassed),
        ),
        strict_content_type=False,
        max_body_size=settings.max_body_bytes,
        telemetry=telemetry(),
    )
    app.state.service = service
    app.state.stopping = False
    """Set before the server stops: long polls end at once instead of holding it up."""
    app.state.database = database
    app.state.clock = clock
    app.state.idempotency_keys = idempotency_keys
    app.state.audit_log = audit_log
    app.state.trusted_proxies = settings.trusted_proxies
    app.state.rates = Rates(settings.caller_requests, settings.caller_window_seconds)
    keep(database, audit_log)
    app.state.token_verifier = TokenVerifier(
        KeyFile(settings.jwks_file, issuer=settings.token_issuer),
        *(PublishedKeys(one.issuer, jwks_url=one.jwks_url) for one in settings.trusted_issuers),
        service=service,
        terms=settings.trusted_issuers,
    )
    for one in routers:
        app.include_router(one)
    app.include_router(_probes)
    put_first(app)
    _render_problems(app)
    slots = Slots(settings.max_concurrent, wait_seconds=settings.max_queue_seconds)
    app.add_middleware(Limits, slots=slots, render=problem_response)
    app.add_middleware(Deadlines, seconds=settings.request_seconds, render=problem_response)
    if settings.log_format is LogFormat.JSON:
        app.add_middleware(RequestLog)
    app.add_middleware(_Tracing)
    app.openapi = _documented(app)  # type: ignore[method-assign]
    return app


async def _refuse_to_forget(database: Database) -> None:
    """Do not start on a server that may forget what it acknowledges; one that is away is waited for.

    Raises:
        UnsafeDatabaseError: a setting that keeps what is acknowledged is off.

    """
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            await database.check()
    except UnsafeDatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - readiness says so until it is back, and looks again
        _log.warning("cannot look at the database's settings yet: %r", error)


def spare_collector() -> None:
    """Let the cycle collector pass over what the process was started with, and run less often.

    A batch makes tens of thousands of objects that no cycle holds; looking for cycles among them
    took a third of intake's time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def _operation_id(route: APIRoute) -> str:
    return route.name


# --- probes -------------------------------------------------------------------------------------

_probes = APIRouter(tags=["operations"])


@_probes.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process runs. Never touches the database."""
    return {"status": "ok"}


@_probes.get("/readyz")
async def readyz(request: Request) -> dict[str, str]:
    """Say that requests can be served: the database answers and keeps what it acknowledges.

    A service that was told to stop says no, and serves what is asked until it stops.
    """
    if request.app.state.stopping:
        raise Unavailable("The service is about to stop.", "服务即将停止。")
    try:
        await request.app.state.database.check()
    except UnsafeDatabaseError as error:
        raise Unavailable(str(error), "数据库的设置可能丢失已确认的数据。") from error
    return {"status": "ready", "service": request.app.state.service}


@_probes.get("/problems")
async def list_problems() -> list[dict[str, Any]]:
    """List every problem type this process can answer with."""
    kinds = sorted(all_problems(), key=lambda kind: kind.code)
    return [
        {
            "code": kind.code,
            "status": int(kind.status),
            "title": kind.title,
            "title_zh": kind.title_zh,
            "meaning": kind.__doc__,
        }
        for kind in kinds
    ]


@_probes.get("/problems/{code}")
async def describe_problem(code: str) -> dict[str, Any]:
    """Describe one problem type: what a problem's ``type`` leads to."""
    for described in await list_problems():
        if described["code"] == code:
            return described
    raise NotFound


# --- problems -----------------------------------------------------------------------------------


def _render_problems(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, on_http_exception)
    for unavailable in UNANSWERED:
        app.add_exception_handler(unavailable, _on_database_error)
    app.add_exception_handler(Exception, _on_unexpected)


def _chinese(request: Request) -> bool:
    return request.headers.get("accept-language", "").lower().startswith("zh")


def problem_response(request: Request, problem: Problem) -> Response:
    """Render a problem for this caller."""
    chinese = _chinese(request)
    headers = {"Content-Language": "zh-CN" if chinese else "en"}
    if isinstance(problem, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    body = problem.as_json(chinese=chinese, instance=trace.current())
    return JSONResponse(body, int(problem.status), headers, PROBLEM_MEDIA_TYPE)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this type
    refusals.note(request, error)
    return problem_response(request, error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type
    faults = [fault_of(fault) for fault in error.errors()]
    return problem_response(request, Malformed(faults=faults))


def fault_of(error: dict[str, Any]) -> Fault:
    """Name one of the faults that a form was refused for."""
    place = [str(part) for part in error["loc"]]
    path = place[1:] if place[:1] == ["body"] else place
    pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
    chinese = _PYDANTIC_ZH.get(error["type"], "取值不符合要求").format_map(error.get("ctx", {}))
    return Fault(pointer, error["type"].replace("_", "-"), error["msg"], chinese)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Render what the framework itself refuses as a problem."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type
    if error.status_code == HTTPStatus.BAD_REQUEST:
        # The framework's only one: a body that is not text at all, where it was to be JSON.
        fault = Fault("", "json-invalid", error.detail, _PYDANTIC_ZH["json_invalid"])
        return problem_response(request, Malformed(faults=[fault]))
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return problem_response(request, TooLarge())
    said = _HTTP_ZH.get(error.status_code, error.detail) if _chinese(request) else error.detail
    body = {
        "type": "about:blank",
        "title": said,
        "status": error.status_code,
        "code": f"http-{error.status_code}",
        "detail": said,
    }
    return JSONResponse(body, error.status_code, error.headers, PROBLEM_MEDIA_TYPE)


async def _on_database_error(request: Request, error: Exception) -> Response:
    if is_away(error):
        _log.warning("database unavailable: %s", error)
        return problem_response(request, Unavailable())
    return await _on_unexpected(request, error)


async def _on_unexpected(request: Request, error: Exception) -> Response:
    _log.error("unexpected error, trace %s", trace.current(), exc_info=error)
    return problem_response(request, Unexpected())


# --- OpenAPI ------------------------------------------------------------------------------------

_HTTP_ZH = {404: "没有这个地址", 405: "此地址不支持该请求方法"}
"""What the framework itself refuses, in Chinese."""
_PROBLEM_REFERENCE = "#/components/schemas/Problem"
_PROBLEM_SCHEMA = {
    "title": "Problem",
    "description": "RFC 9457 problem details. `code` is stable; branch on it.",
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "message", "message_zh"],
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "message": {"type": "string"},
                    "message_zh": {"type": "string"},
                },
            },
        },
    },
}


def _documented(app: FastAPI) -> Callable[[], dict[str, Any]]:
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = _PROBLEM_SCHEMA
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        return document

    return openapi


# --- middleware ---------------------------------------------------------------------------------


class _Tracing:
    """Continue the caller's trace and name it in the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        traceparent = trace.adopt(header_of(scope, b"traceparent")).encode()

        async def traced(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"traceparent", traceparent)]
            await send(message)

        await self._app(scope, receive, traced)
