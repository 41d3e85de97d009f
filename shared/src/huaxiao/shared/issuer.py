"""An issuer of tokens: for the embedded suite, and for services to speak for themselves.

A county with an identity provider of its own puts that provider's public keys in the JWKS file and
needs none of this but ``ServiceTokens``.
"""

import base64
import json
import os
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from huaxiao.shared.auth import SUITE_AUDIENCE, Role
from huaxiao.shared.clock import Clock, system_clock
from huaxiao.shared.trusted_keys import BOUND_SUBJECT

_SERVICE_LIFETIME = timedelta(minutes=5)
_RENEW_BEFORE = timedelta(minutes=1)
TokenSource = Callable[[], str]


class Issuer:
    """Signs tokens with one Ed25519 key."""

    def __init__(
        self, private_jwk: dict[str, str], *, issuer: str, clock: Clock = system_clock
    ) -> None:
        """Take the private key as a JWK (RFC 8037)."""
        self._jwk = private_jwk
        self._key = Ed25519PrivateKey.from_private_bytes(_decode(private_jwk["d"]))
        self._issuer = issuer
        self._clock = clock

    @classmethod
    def from_file(cls, path: Path, *, issuer: str, clock: Clock = system_clock) -> "Issuer":
        """Read a private JWK."""
        return cls(json.loads(path.read_text()), issuer=issuer, clock=clock)

    def public_jwks(self, *, only_service: str | None = None) -> dict[str, list[dict[str, str]]]:
        """Return the document that verifiers read; it may bind the key to one service."""
        public = {name: value for name, value in self._jwk.items() if name != "d"}
        bound = {} if only_service is None else {BOUND_SUBJECT: _subject(only_service)}
        return {"keys": [public | {"use": "sig", "alg": "EdDSA"} | bound]}

    def token(
        self,
        subject: str,
        *,
        roles: Sequence[Role],
        branch_ids: Sequence[int] | None,
        centre_ids: Sequence[str] | None = None,
        person_id: str | None = None,
        audience: str = SUITE_AUDIENCE,
        lifetime: timedelta = timedelta(hours=8),
    ) -> str:
        """Sign a token; ``None`` for branches or centres means all of them."""
        now = self._clock()
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "sub": subject,
            "aud": audience,
            "iat": now,
            "exp": now + lifetime,
            "jti": secrets.token_hex(8),
            "roles": list(roles),
            "branch_ids": "*" if branch_ids is None else list(branch_ids),
            "centre_ids": "*" if centre_ids is None else list(centre_ids),
        }
        if person_id is not None:
            claims["person_id"] = person_id
        headers = {"kid": self._jwk["kid"], "typ": "at+jwt"}
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers=headers)


def service_tokens(issuer: Issuer, *, service: str, audience: str) -> TokenSource:
    """Return a source of this service's own short-lived tokens for one peer."""
    held: list[tuple[datetime, str]] = []

    def token() -> str:
        now = system_clock()
        if not held or held[0][0] <= now:
            fresh = issuer.token(
                _subject(service),
                roles=[Role.SERVICE],
                branch_ids=None,
                audience=audience,
                lifetime=_SERVICE_LIFETIME,
            )
            held[:] = [(now + _SERVICE_LIFETIME - _RENEW_BEFORE, fresh)]
        return held[0][1]

    return token


def _subject(service: str) -> str:
    return f"service:{service}"


def new_private_jwk() -> dict[str, str]:
    """Make an Ed25519 key as a private JWK."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kid = secrets.token_hex(8)
    return {"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": _encode(public), "d": _encode(private)}


def ensure_key(key_file: Path, jwks_file: Path, *, issuer: str) -> Issuer:
    """Read the key of an embedded suite, or make it, readable by its owner alone."""
    if not key_file.exists():
        key_file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(key_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(new_private_jwk(), file)
    made = Issuer.from_file(key_file, issuer=issuer)
    jwks_file.write_text(json.dumps(made.public_jwks()))
    return made


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(value: str) -> bytes:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
