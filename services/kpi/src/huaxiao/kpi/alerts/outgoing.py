"""What leaves for a webhook: signed, to where an installation lets it go, and nowhere inside.

A URL must be https, on a host whose every address is public; the connection goes to the address that
was looked at, so that a name cannot answer otherwise the second time. Redirects are not followed. An
installation may allow hosts by name, which then may be inside and without TLS.
"""

import asyncio
import hashlib
import hmac
import ipaddress
import re
import socket
from collections.abc import Collection, Sequence
from datetime import datetime
from http import HTTPStatus

import httpx

from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.alerts import DELIVERY_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER

_TIMEOUT_SECONDS = 10.0
_PATIENCE_SECONDS = 30.0
_HOST = re.compile(r"[A-Za-z0-9.:-]+")
_PORTS = {"http": 80, "https": 443}
_UNICAST = ipaddress.ip_network("2000::/3")
"""All IPv6 that is given out as public; what lies outside leads inside, or to IPv4 in its guise."""
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")


class ForbiddenUrl(Problem):
    """A webhook may not lead there: not https, or to an address that is not public."""

    code = "forbidden-url"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "A webhook must be https and lead to a public address"
    title_zh = "回调地址须为 https 且指向公网地址"


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a body sent at a moment: HMAC-SHA256 over both."""
    signed = f"{timestamp}.".encode() + body
    return "v1=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def is_public(address: str) -> bool:
    """Say whether an address is reached over the internet, and is nobody's inside."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip not in _UNICAST or ip in _SIX_TO_FOUR or ip.teredo is not None:
            return False
    return ip.is_global and not ip.is_multicast


def checked(url: str, allowed: Collection[str]) -> httpx.URL:
    """Return a URL that a webhook may have; whether its addresses are public is not asked yet.

    Raises:
        ForbiddenUrl: it is no URL, has a password in it, or is not https on a host not allowed.

    """
    try:
        parsed = httpx.URL(url)
        port = parsed.port
    except (httpx.InvalidURL, ValueError) as error:
        raise ForbiddenUrl from error
    named = _HOST.fullmatch(parsed.host) is not None
    if parsed.scheme not in _PORTS or not named or parsed.userinfo or parsed.fragment:
        raise ForbiddenUrl
    if is_allowed(parsed, allowed):
        return parsed
    if parsed.scheme != "https" or port is not None:
        # Another port of a public host is as likely somebody's inside as not.
        raise ForbiddenUrl
    return parsed


def is_allowed(url: httpx.URL, allowed: Collection[str]) -> bool:
    """Say whether an installation allows a host, named with its port unless it is the usual one."""
    port = f":{url.port}" if url.port is not None else ""
    return f"{url.host}{port}" in allowed


async def address_of(url: httpx.URL, allowed: Collection[str]) -> str:
    """Look up where a URL leads.

    Raises:
        ForbiddenUrl: no name has that form, or one of its addresses is not public and its host is
            not allowed.
        OSError: nobody knows the name.

    """
    port = url.port or _PORTS[url.scheme]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            url.host, port, type=socket.SOCK_STREAM
        )
    except UnicodeError as error:
        raise ForbiddenUrl from error
    addresses: Sequence[str] = [str(one[4][0]) for one in found]
    if not is_allowed(url, allowed) and not all(map(is_public, addresses)):
        raise ForbiddenUrl
    return addresses[0]


async def send(
    client: httpx.AsyncClient,
    url: str,
    secret: str,
    delivery_id: str,
    body: bytes,
    *,
    allowed: Collection[str],
    now: datetime,
) -> int:
    """Send a body, signed; return the status of the answer, of which nothing else is read.

    Raises:
        ForbiddenUrl: it leads where no webhook may.
        OSError: the name is not known, or the answer took too long.
        httpx.HTTPError: nobody answered.

    """
    wanted = checked(url, allowed)
    address = await address_of(wanted, allowed)
    timestamp = int(now.timestamp())
    request = client.build_request(
        "POST",
        wanted.copy_with(host=address),
        content=body,
        headers={
            "Host": wanted.netloc.decode("ascii"),
            "Content-Type": "application/json",
            DELIVERY_HEADER: delivery_id,
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: signature(secret, timestamp, body),
        },
        # The certificate must be the name's, though the connection goes to its address.
        extensions={"sni_hostname": wanted.host},
    )
    # However slowly an answer trickles in, it is waited for no longer.
    async with asyncio.timeout(_PATIENCE_SECONDS):
        response = await client.send(request, stream=True)
        await response.aclose()
    return response.status_code


def outgoing_client() -> httpx.AsyncClient:
    """Return a client that follows no redirect and asks no proxy of the environment."""
    return httpx.AsyncClient(
        timeout=_TIMEOUT_SECONDS, follow_redirects=False, trust_env=False, http2=False
    )
