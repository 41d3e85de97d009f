"""Who asked for a change, and from where."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from fastapi import Request

from huaxiao.shared import trace
from huaxiao.shared.asgi import header_of
from huaxiao.shared.audit.values import plain, shown
from huaxiao.shared.auth import Principal
from huaxiao.shared.masking import masked_query, masked_text

IpNetwork = IPv4Network | IPv6Network
_REASONS = ("reason", "note")
"""Members of a body that say why, the plainest first."""
_REASON_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change comes from."""

    subject: str
    roles: tuple[str, ...]
    person_id: str | None
    token_id: str | None
    client: str | None
    """The address it was asked from; None for what a service does by itself."""
    trace_id: str | None
    method: str
    route: str
    path: str
    query: str


def own_origin(service: str, route: str) -> Origin:
    """Return the origin of what a service does by itself."""
    return Origin(
        subject=f"service:{service}",
        roles=("service",),
        person_id=None,
        token_id=None,
        client=None,
        trace_id=_trace_id(),
        method="",
        route=route,
        path="",
        query="",
    )


def origin_of(request: Request) -> Origin:
    """Return the origin of a request whose caller has been authenticated."""
    principal: Principal = request.state.principal
    return Origin(
        subject=plain(principal.subject),
        roles=tuple(sorted(map(str, principal.roles))),
        person_id=plain(principal.person_id),
        token_id=plain(principal.token_id),
        client=client_address(request, request.app.state.trusted_proxies),
        trace_id=_trace_id(),
        method=request.method,
        route=request.scope["route"].name,
        path=_shown(request.scope["path"]),
        query=_query_of(request),
    )


@lru_cache(maxsize=1_000)
def _shown(path: str) -> str:
    return masked_text(str(plain(path)))


def _query_of(request: Request) -> str:
    asked: bytes = request.scope["query_string"]
    return str(plain(masked_query(asked.decode("latin-1")))) if asked else ""


def _trace_id() -> str | None:
    current = trace.current()
    return None if current is None else current.split("-")[1]


def client_address(request: Request, trusted: Collection[IpNetwork]) -> str | None:
    """Return who sent a request: the peer, or whom a trusted proxy names.

    From the right, each address was added by the one after it: the first that is no trusted proxy's
    is the last that somebody trusted has seen.
    """
    if request.client is None:
        return None
    seen = request.client.host
    forwarded = header_of(request.scope, b"x-forwarded-for")
    named = forwarded.split(",") if forwarded else []
    while named and _within(seen, trusted):
        before = named.pop().strip()
        if not _is_address(before):
            break
        seen = before
    return seen


def _within(address: str, networks: Collection[IpNetwork]) -> bool:
    return _is_address(address) and any(ip_address(address) in one for one in networks)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def reason_of(request: Request) -> str | None:
    """Return the reason a body gives for what it asks, masked; None when it gives none."""
    body: bytes | None = getattr(request, "_body", None)
    if not body or len(body) > _REASON_BYTES or body[:1] != b"{":
        return None
    try:
        given: Any = json.loads(body)
    except ValueError:
        return None
    for name in _REASONS:
        if isinstance(held := given.get(name), str):
            reason: Any = shown({name: held})[name]
            return reason if isinstance(reason, str) else None
    return None
