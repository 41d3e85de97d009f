"""How one service asks another: time-outs, retries on safe calls, the caller's trace and token."""

from collections.abc import AsyncIterable, Mapping, Sequence
from functools import partial
from typing import Any, Self, TypeVar

import httpx
import msgspec
import stamina
from pydantic import BaseModel, TypeAdapter

from huaxiao.shared import deadlines, trace
from huaxiao.shared.clients.retries import ATTEMPTS, RetryBudget, Tries, retry_after
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.issuer import TokenSource
from huaxiao.shared.pages import MAX_PAGE, Page
from huaxiao.shared.wire.audit import AuditEntry
from huaxiao.shared.wire.feed import FeedEntry
from huaxiao.shared.wire.feed_standing import FeedStanding

Answer = TypeVar("Answer")
Listed = TypeVar("Listed", bound=BaseModel)
_TIMEOUT_SECONDS = 30.0
"""More than a service takes to answer (its setting ``REQUEST_SECONDS``): who gives up first is whoever
is asked, and so nothing goes on that nobody waits for."""
_UNREADY = {
    httpx.codes.TOO_MANY_REQUESTS,
    httpx.codes.BAD_GATEWAY,
    httpx.codes.SERVICE_UNAVAILABLE,
    httpx.codes.GATEWAY_TIMEOUT,
}
"""The peer, or what stands before it, is away for a moment. Every call here may be sent again."""
_LEAST_SECONDS = 1.0
_UNTOLD_SECONDS = 1.0
"""What is waited where something between us and the peer does not say how long."""
_entries = msgspec.json.Decoder(list[FeedEntry])


class PeerProblem(Exception):  # noqa: N818 - a problem (RFC 9457) received, not made here
    """A peer refused. ``code`` is the peer's own stable code.

    ``retry_after`` is after how many seconds the same may be sent again; None is that it would be
    refused again.
    """

    def __init__(
        self, status: int, code: str, body: Mapping[str, Any], *, retry_after: float | None = None
    ) -> None:
        """Keep what the peer said."""
        super().__init__(f"{status} {code}: {body.get('detail', '')} {body.get('errors', '')}")
        self.status = status
        self.code = code
        self.body = body
        self.retry_after = retry_after


class _Unready(Exception):  # noqa: N818 - tells the retry loop to go on, never leaves it
    def __init__(self, problem: PeerProblem, retry_after: float | None) -> None:
        self.problem = problem
        self.retry_after = retry_after


class ServiceClient:
    """A connection to one peer. Close it, or use it as an async context manager."""

    def __init__(
        self,
        base_url: str,
        token: TokenSource,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare a pool of connections; ``transport`` lets a test stay in process."""
        self._token = token
        self._http = httpx.AsyncClient(
            base_url=base_url.rstrip("/"), timeout=_TIMEOUT_SECONDS, transport=transport
        )
        self._retries = RetryBudget()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def feed(
        self, branch_id: int, *, after: int, limit: int = 500, wait_ms: int = 0
    ) -> list[FeedEntry]:
        """Read the peer's feed of a branch behind a position."""
        params = {"lastEventId": after, "limit": limit, "timeout": wait_ms}
        response = await self._send(
            "GET",
            f"/v1/branches/{branch_id}/feed",
            params=params,
            timeout=wait_ms / 1000 + _TIMEOUT_SECONDS,
        )
        return _entries.decode(response.content)

    async def feed_standing(self, branch_id: int) -> FeedStanding:
        """Return how far the peer's feed goes, and how far it has followed those of others."""
        standing: FeedStanding = await self._get(
            FeedStanding, f"/v1/branches/{branch_id}/feed/standing"
        )
        return standing

    async def audit_entries(
        self, branch_id: int, *, subject: str | None = None, route: str | None = None
    ) -> list[AuditEntry]:
        """Return what is on record of a branch, the newest first."""
        return await self._all(
            AuditEntry,
            f"/v1/branches/{branch_id}/audit-entries",
            params={"subject": subject, "route": route},
        )

    async def _get(
        self, kind: type[Answer] | Any, path: str, *, params: Mapping[str, Any] | None = None
    ) -> Any:
        response = await self._send("GET", path, params=params)
        return TypeAdapter(kind).validate_json(response.content)

    async def _all(
        self, kind: type[Listed], path: str, *, params: Mapping[str, Any] | None = None
    ) -> list[Listed]:
        """Return a whole list, page by page."""
        known: list[Listed] = []
        asked = dict(params or {}) | {"limit": MAX_PAGE}
        while True:
            page = await self._get(Page[kind], path, params=asked)  # type: ignore[valid-type]
            known += page.items
            if page.next_cursor is None:
                return known
            asked["cursor"] = page.next_cursor

    async def _post(
        self,
        kind: type[Answer] | Any,
        path: str,
        body: BaseModel | Sequence[BaseModel] | None,
        *,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """Send a body with an Idempotency-Key of its own, so that a retry cannot double it."""
        return await self._write("POST", kind, path, body, params)

    async def _put(
        self, kind: type[Answer] | Any, path: str, body: BaseModel | Sequence[BaseModel] | None
    ) -> Any:
        return await self._write("PUT", kind, path, body)

    async def _write(
        self,
        method: str,
        kind: type[Answer] | Any,
        path: str,
        body: BaseModel | Sequence[BaseModel] | None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        content = b"" if body is None else _encoded(body)
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(new_id())}
        response = await self._send(method, path, params=params, content=content, headers=headers)
        if kind is None:
            return None
        return TypeAdapter(kind).validate_json(response.content)

    async def _stream(
        self, path: str, chunks: AsyncIterable[bytes], *, headers: Mapping[str, str]
    ) -> httpx.Response:
        """Send a body that is read as it goes, once."""
        own = {"Authorization": f"Bearer {self._token()}"} | dict(headers)
        response = await self._http.post(path, content=chunks, headers=own, timeout=None)
        if response.is_error:
            raise _problem(response)
        return response

    async def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = _TIMEOUT_SECONDS,  # noqa: ASYNC109 - handed to httpx
    ) -> httpx.Response:
        own = {"Authorization": f"Bearer {self._token()}"} | dict(headers or {})
        if traceparent := trace.current():
            own["traceparent"] = traceparent
        given = {name: value for name, value in (params or {}).items() if value is not None}
        tries = self._retries.call()
        try:
            async for attempt in stamina.retry_context(
                on=partial(_pause, tries), attempts=ATTEMPTS, timeout=None
            ):
                with attempt:
                    response = await self._http.request(
                        method,
                        path,
                        params=given,
                        content=content,
                        headers=own | _budget(),
                        timeout=_within(timeout),
                    )
                    if response.status_code in _UNREADY:
                        raise _Unready(_problem(response), retry_after(response.headers))  # noqa: TRY301 - the retry loop is what catches it
        except _Unready as unready:
            raise unready.problem from unready
        if response.is_error:
            raise _problem(response)
        return response


class FakeFeed:
    """Stands in for a service's feed: what a test says has become true, in order."""

    def __init__(self) -> None:
        """Start with no branch."""
        self._entries: dict[int, list[FeedEntry]] = {}

    def publish(self, branch_id: int, entries: Sequence[FeedEntry]) -> None:
        """Give out entries at the branch's next positions."""
        held = self._entries.setdefault(branch_id, [])
        for entry in entries:
            position = str(len(held) + 1)
            held.append(msgspec.structs.replace(entry, id=position, branchid=branch_id))

    async def feed(
        self, branch_id: int, *, after: int, limit: int = 500, wait_ms: int = 0
    ) -> list[FeedEntry]:
        """Return the entries behind a position; there is never news to wait for."""
        _ = wait_ms
        return self._entries.get(branch_id, [])[after : after + limit]


def _encoded(body: BaseModel | Sequence[BaseModel]) -> bytes:
    if isinstance(body, BaseModel):
        return body.model_dump_json().encode()
    return b"[" + b",".join(one.model_dump_json().encode() for one in body) + b"]"


def _pause(tries: Tries, error: Exception) -> float | bool:
    """Say how many seconds to wait before another try; False is that there is none."""
    match error:
        case _Unready():
            asked = error.retry_after
        case httpx.TransportError():
            asked = None
        case _:
            return False
    return tries.pause(asked, remaining=deadlines.remaining())


def _budget() -> dict[str, str]:
    """Tell the peer how much of the caller's own time is left.

    Raises:
        DeadlinePassed: it is less than a second, the least that can be told.

    """
    deadlines.require_time(_LEAST_SECONDS)
    left = deadlines.remaining()
    return {} if left is None else {deadlines.PREFER: deadlines.wait_header(left)}


def _within(timeout: float) -> float:
    left = deadlines.remaining()
    return timeout if left is None else min(timeout, left)


def _problem(response: httpx.Response) -> PeerProblem:
    try:
        body = response.json()
    except ValueError:
        body = {"detail": response.text[:200]}
    if not isinstance(body, dict):
        body = {"detail": str(body)[:200]}
    again = None
    if response.status_code in _UNREADY:
        asked = retry_after(response.headers)
        again = _UNTOLD_SECONDS if asked is None else asked
    code = str(body.get("code", "unknown"))
    return PeerProblem(response.status_code, code, body, retry_after=again)
