"""What could not be done, told in words to whoever asked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from huaxiao.console.language import LANGUAGE_COOKIE, Words, chosen
from huaxiao.console.page import Page, SignInFirst
from huaxiao.shared import web
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.problems import Malformed, NotFound, Problem, Unavailable, Unexpected

_ADVICE = {
    HTTPStatus.FORBIDDEN: (
        "如确需查看，请向县分公司申请相应角色的令牌。",
        "If you need it, ask the county for a token of another role.",
    ),
    HTTPStatus.NOT_FOUND: (
        "可能编号有误，或它不在您的查看范围内。",
        "The code may be wrong, or it is not yours to see.",
    ),
    HTTPStatus.CONFLICT: (
        "请刷新页面，查看现状后再试。",
        "Open the page again and look how it stands now.",
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "请按提示修改后重新提交。",
        "Mend what is named and send it again.",
    ),
    HTTPStatus.TOO_MANY_REQUESTS: (
        "请求过于频繁，请稍候片刻。",
        "There were many requests; wait a moment.",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "服务可能正在重启，通常几秒后恢复。",
        "A service may be starting again; that takes some seconds.",
    ),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as a page shows it."""

    status: int
    title: str
    faults: list[str]
    advice: str | None
    code: str


def told(words: Words, status: int, body: Mapping[str, Any]) -> Refusal:
    """Put a problem (RFC 9457) in words: what is wrong, where, and what to do next."""
    message = "message_zh" if words.chinese else "message"
    faults = [
        f"{str(one.get('pointer', '')).strip('/') or words('整体', 'all of it')}: {one.get(message, '')}"
        for one in body.get("errors", [])
    ]
    advice = _ADVICE.get(HTTPStatus(status)) if status in set(HTTPStatus) else None
    title = str(body.get("detail") or body.get("title") or status)
    return Refusal(
        status, title, faults, None if advice is None else words(*advice), str(body.get("code", ""))
    )


def refuse_in_words(app: FastAPI) -> None:
    """Show every refusal, a service's or the console's own, as a page."""
    app.add_exception_handler(SignInFirst, _lead_to_sign_in)
    app.add_exception_handler(PeerProblem, _on_peer_problem)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(httpx.TransportError, _on_away)
    app.add_exception_handler(Exception, _on_unexpected)


def problem_page(request: Request, problem: Problem) -> Response:
    """Show one of the console's own refusals."""
    page = _page(request)
    body = problem.as_json(chinese=page.words.chinese)
    return _shown(request, page, int(problem.status), body)


async def _lead_to_sign_in(request: Request, error: Exception) -> Response:
    expired = "?expired=true" if isinstance(error, SignInFirst) and error.expired else ""
    address = f"{request.scope.get('root_path', '')}/sign-in{expired}"
    if "hx-request" in request.headers:
        return Response(status_code=204, headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


async def _on_peer_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, PeerProblem)  # noqa: S101 - registered for this type
    if error.status == HTTPStatus.UNAUTHORIZED:
        response = await _lead_to_sign_in(request, SignInFirst(expired=True))
        _page(request).sign_out(response)
        return response
    return _shown(request, _page(request), error.status, error.body)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - registered for this type
    return problem_page(request, error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type
    return problem_page(request, Malformed(faults=[web.fault_of(one) for one in error.errors()]))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type
    if error.status_code == HTTPStatus.NOT_FOUND:
        return problem_page(request, NotFound())
    return await web.on_http_exception(request, error)


async def _on_away(request: Request, error: Exception) -> Response:
    _ = error
    return problem_page(request, Unavailable())


async def _on_unexpected(request: Request, error: Exception) -> Response:
    _ = error  # the server logs it
    return problem_page(request, Unexpected())


def _page(request: Request) -> Page:
    """Return the page that was begun, or one for nobody."""
    begun: Page | None = getattr(request.state, "page", None)
    if begun is not None:
        return begun
    asked = request.query_params.get("lang")
    return Page(request, Words(chosen(asked, request.cookies.get(LANGUAGE_COOKIE))))


def _shown(request: Request, page: Page, status: int, body: Mapping[str, Any]) -> Response:
    if "text/html" not in request.headers.get("accept", "") and "hx-request" not in request.headers:
        # Whoever does not ask for a page is a program, and is told what programs are told.
        return Response(
            _json(body), status, media_type=web.PROBLEM_MEDIA_TYPE, headers={"Vary": "Accept"}
        )
    response = page.show("problem.html", status=status, refusal=told(page.words, status, body))
    # The form stays where it was, with all that was filled in.
    response.headers["HX-Push-Url"] = "false"
    return response


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(body), ensure_ascii=False).encode()
