"""Whose signatures are trusted: the keys of a file, and of issuers that publish theirs.

A file may be changed while services run, so that a key is replaced without a stop: the new one is put
beside the old, tokens are signed with it, and the old one is taken out. An issuer of OpenID Connect
publishes its keys itself (OpenID Connect Discovery 1.0, RFC 8414); they are fetched when a token needs
them, and again from time to time, never more often than every half minute.
"""

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

ALGORITHMS = frozenset({"EdDSA", "ES256", "PS256", "RS256"})
"""By which a token may be signed. Which one it must be is the key's to say and never the token's."""
BOUND_SUBJECT = "huaxiao_subject"
"""Member of a JWK: the key speaks for this service and nobody else, so a stolen one opens no more."""
_RSA_BITS = 2048
_LOOK_EVERY_SECONDS = 2.0
_ASK_EVERY_SECONDS = 30.0
_OLD_AFTER_SECONDS = 600.0
_GONE_AFTER_SECONDS = 86_400.0
_TIMEOUT_SECONDS = 5.0
_MAX_DOCUMENT_BYTES = 1024 * 1024
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_log = logging.getLogger(__name__)


def require_private(url: str) -> None:
    """Refuse to fetch keys where somebody between could put in others.

    Raises:
        ValueError: it is neither https nor on this machine.

    """
    parsed = httpx.URL(url)
    if parsed.scheme != "https" and parsed.host not in _LOOPBACK:
        raise ValueError(f"keys are fetched by https only: {url}")


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key, the one algorithm it is good for, and whom it may speak for."""

    key: Any
    algorithm: str
    bound_subject: str | None = None


def trusted_keys(document: Mapping[str, Any]) -> dict[str, TrustedKey]:
    """Return the keys of a JWKS document (RFC 7517) by ``kid``.

    Keys without a ``kid``, for encryption, of other algorithms, shared secrets and RSA keys below 2,048
    bits are passed over.

    Raises:
        jwt.PyJWTError: the document has no key that can be read.
        KeyError, TypeError: it is not a JWKS document.

    """
    found = {}
    members = {one.get("kid"): one for one in document["keys"]}
    for one in jwt.PyJWKSet.from_dict(dict(document)).keys:
        weak = isinstance(one.key, RSAPublicKey) and one.key.key_size < _RSA_BITS
        if one.key_id is None or one.algorithm_name not in ALGORITHMS or weak:
            continue
        if one.public_key_use in {None, "sig"}:
            bound = members[one.key_id].get(BOUND_SUBJECT)
            found[one.key_id] = TrustedKey(one.key, one.algorithm_name, bound)
    return found


class KeySource(Protocol):
    """An issuer's keys as known now."""

    issuer: str
    generation: int
    """Another number whenever the keys are others."""

    def keys(self) -> Mapping[str, TrustedKey]:
        """Return the keys by ``kid``."""
        ...

    async def renew(self, kid: str) -> None:
        """See whether there are others, as a token names a key."""
        ...


class KeyFile:
    """The suite's own issuer: a JWKS file, looked at again every two seconds at most."""

    def __init__(self, path: Path, *, issuer: str) -> None:
        """Read the file.

        Raises:
            OSError, ValueError: there is none, or it is not a JWKS document.

        """
        self.issuer = issuer
        self.generation = 0
        self._path = path
        self._stamp = self._seen()
        self._keys = trusted_keys(json.loads(path.read_text()))
        self._looked_at = time.monotonic()

    def keys(self) -> Mapping[str, TrustedKey]:
        """Return the keys; a changed file is read, and one that cannot be read changes nothing."""
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_EVERY_SECONDS:
            self._looked_at = now
            self._look()
        return self._keys

    def _look(self) -> None:
        try:
            stamp = self._seen()
            if stamp != self._stamp:
                self._keys = trusted_keys(json.loads(self._path.read_text()))
                self._stamp = stamp
                self.generation += 1
        except (OSError, ValueError, LookupError, TypeError, AttributeError, jwt.PyJWTError):
            _log.exception("keys of %s cannot be read; those known before stay", self._path)

    def _seen(self) -> tuple[int, int, int]:
        status = self._path.stat()
        return status.st_ino, status.st_size, status.st_mtime_ns

    async def renew(self, kid: str) -> None:
        """Do nothing: a file is looked at as it is used."""


class KnownKeys:
    """Keys that do not change."""

    generation = 0

    def __init__(self, document: Mapping[str, Any], *, issuer: str) -> None:
        """Take a JWKS document."""
        self.issuer = issuer
        self._keys = trusted_keys(document)

    def keys(self) -> Mapping[str, TrustedKey]:
        """Return the keys."""
        return self._keys

    async def renew(self, kid: str) -> None:
        """Do nothing."""


class PublishedKeys:
    """The keys that an issuer publishes.

    A token with a ``kid`` that is not known waits while they are fetched; keys older than ten minutes
    are fetched beside. An issuer that cannot be reached keeps its word for a day, then has none.
    """

    def __init__(
        self,
        issuer: str,
        *,
        jwks_url: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Take whom to ask; nothing is asked before a token needs it."""
        self.issuer = issuer
        self.generation = 0
        self._jwks_url = jwks_url
        self._transport = transport
        self._keys: dict[str, TrustedKey] = {}
        self._fetched_at = self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    def keys(self) -> Mapping[str, TrustedKey]:
        """Return the keys; none when they were last heard of a day ago."""
        if self._keys and time.monotonic() - self._fetched_at >= _GONE_AFTER_SECONDS:
            self._keys = {}
            self.generation += 1
        return self._keys

    async def renew(self, kid: str) -> None:
        """Fetch the keys where this one is not among them, or they are old."""
        now = time.monotonic()
        known = kid in self._keys
        if known and now - self._fetched_at < _OLD_AFTER_SECONDS:
            return
        if self._asking is None and now - self._asked_at >= _ASK_EVERY_SECONDS:
            self._asked_at = now
            self._asking = asyncio.create_task(self._ask())
        if not known and self._asking is not None:
            await asyncio.shield(self._asking)

    async def _ask(self) -> None:
        try:
            found = trusted_keys(await self._published())
        except (
            httpx.HTTPError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            jwt.PyJWTError,
        ):
            _log.exception("keys of %s cannot be fetched; those known before stay", self.issuer)
        else:
            self._keys = found
            self._fetched_at = time.monotonic()
            self.generation += 1
        finally:
            self._asking = None

    async def _published(self) -> dict[str, Any]:
        async with httpx.AsyncClient(
            timeout=_TIMEOUT_SECONDS, follow_redirects=False, transport=self._transport
        ) as http:
            if self._jwks_url is None:
                where = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
                said = await _document(http, where)
                if said["issuer"] != self.issuer:
                    raise ValueError(f"{where} speaks for {said['issuer']}")
                require_private(said["jwks_uri"])
                self._jwks_url = str(said["jwks_uri"])
            return await _document(http, self._jwks_url)


async def _document(http: httpx.AsyncClient, url: str) -> dict[str, Any]:
    async with asyncio.timeout(_TIMEOUT_SECONDS), http.stream("GET", url) as response:
        response.raise_for_status()
        if response.has_redirect_location:
            raise ValueError(f"{url} leads elsewhere")
        body = b""
        async for part in response.aiter_bytes():
            body += part
            if len(body) > _MAX_DOCUMENT_BYTES:
                raise ValueError(f"{url} is too long")
    document: dict[str, Any] = json.loads(body)
    return document
