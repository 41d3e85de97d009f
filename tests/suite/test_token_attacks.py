"""Tokens that somebody made up, bent or stole: refused by every service, without saying why."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

from huaxiao.cli.suite import TOKEN_ISSUER, Keys, create_service
from huaxiao.shared.auth import SUITE_AUDIENCE, Role
from huaxiao.shared.issuer import Issuer, new_private_jwk, service_tokens
from huaxiao.shared.provision import SERVICES

BRANCH_ID = 130123
Attack = Callable[["Forge"], str]


class Forge:
    """What an attacker has: a good token, the public keys, keys of their own."""

    def __init__(self, keys: Keys, issuer: Issuer, service: str) -> None:
        self.issuer = issuer
        self.service = service
        self.public: dict[str, Any] = issuer.public_jwks()["keys"][0]
        held = json.loads(keys.private.read_text())
        self._suite_key = Ed25519PrivateKey.from_private_bytes(
            base64.urlsafe_b64decode(held["d"] + "==")
        )
        self.own_key = Ed25519PrivateKey.generate()
        self.own_rsa = generate_private_key(65537, 2048)
        self.good = self.signed()

    def claims(self, **changed: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        claims = {
            "iss": TOKEN_ISSUER,
            "sub": "manager",
            "aud": SUITE_AUDIENCE,
            "iat": now,
            "exp": now + timedelta(hours=1),
            "roles": [Role.COUNTY_MANAGER],
            "branch_ids": [BRANCH_ID],
            "centre_ids": "*",
        } | changed
        return {name: value for name, value in claims.items() if value is not None}

    def signed(
        self, key: Ed25519PrivateKey | None = None, headers: Any = None, **changed: Any
    ) -> str:
        """Sign with the suite's own key unless told otherwise: only what is changed is wrong.

        By hand, since what makes tokens for honest people refuses to make most of these.
        """
        message = self._unsigned({"alg": "EdDSA"} | (headers or {}), changed)
        return f"{message}.{_base64((key or self._suite_key).sign(message.encode()))}"

    def by_hmac(self, secret: bytes) -> str:
        """Sign with what everybody may read as if it were a secret."""
        message = self._unsigned({"alg": "HS256"}, {})
        return f"{message}.{_base64(hmac.digest(secret, message.encode(), 'sha256'))}"

    def by_rsa(self, **headers: Any) -> str:
        """Sign with an RSA key of the attacker's own."""
        header = {"kid": self.public["kid"], "typ": "at+jwt"} | headers
        return jwt.encode(self.claims(), self.own_rsa, algorithm="RS256", headers=header)

    def _unsigned(self, headers: dict[str, Any], changed: dict[str, Any]) -> str:
        header = {"kid": self.public["kid"], "typ": "at+jwt"} | headers
        claims = {
            name: int(value.timestamp()) if isinstance(value, datetime) else value
            for name, value in self.claims(**changed).items()
        }
        present = {name: value for name, value in header.items() if value is not None}
        return f"{_encoded(present)}.{_encoded(claims)}"

    def spliced(self, header: dict[str, Any], claims: dict[str, Any] | None = None) -> str:
        """Put another header, or other claims, before the good token's signature."""
        old_header, payload, signature = self.good.split(".")
        if claims is not None:
            payload = _encoded(_decoded(payload) | claims)
        return ".".join((_encoded(_decoded(old_header) | header), payload, signature))

    def public_pem(self) -> bytes:
        return self._suite_key.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )


def _decoded(part: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
    return found


def _encoded(document: dict[str, Any]) -> str:
    return _base64(json.dumps(document).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _rsa_jwk(forge: Forge) -> dict[str, Any]:
    found: dict[str, Any] = RSAAlgorithm.to_jwk(forge.own_rsa.public_key(), as_dict=True)
    return found


HOUR = timedelta(hours=1)
ATTACKS: dict[str, Attack] = {
    "empty": lambda _: "",
    "garbage": lambda _: "garbage",
    "three-parts-of-nothing": lambda _: "a.b.c",
    "not-latin": lambda _: "令牌.令牌.令牌".encode().decode("latin-1"),
    "very-long": lambda forge: forge.good + "A" * 20_000,
    "algorithm-none": lambda forge: forge.spliced({"alg": "none"}).rpartition(".")[0] + ".",
    "algorithm-none-in-capitals": lambda forge: forge.spliced({"alg": "NONE"}),
    "signature-stripped": lambda forge: forge.good.rpartition(".")[0] + ".",
    "signature-altered": lambda forge: forge.good[:-6] + "AAAAAA",
    "claims-altered": lambda forge: forge.spliced({}, {"branch_ids": "*"}),
    "hmac-of-the-public-key": lambda forge: forge.by_hmac(forge.public_pem()),
    "hmac-of-the-jwk": lambda forge: forge.by_hmac(json.dumps(forge.public).encode()),
    "other-algorithm-named": lambda forge: forge.spliced({"alg": "RS256"}),
    "rsa-for-an-edwards-key": lambda forge: forge.by_rsa(),
    "other-key": lambda forge: forge.signed(forge.own_key),
    "key-brought-along": lambda forge: forge.by_rsa(jwk=_rsa_jwk(forge), kid="mine"),
    "key-brought-along-under-a-known-name": lambda forge: forge.by_rsa(jwk=_rsa_jwk(forge)),
    "keys-to-be-fetched": lambda forge: forge.signed(
        forge.own_key, headers={"jku": "http://127.0.0.1:9/jwks.json"}
    ),
    "certificate-to-be-fetched": lambda forge: forge.signed(
        forge.own_key, headers={"x5u": "http://127.0.0.1:9/cert.pem"}
    ),
    "key-named-by-a-path": lambda forge: forge.signed(
        forge.own_key, headers={"kid": "../../../../dev/null"}
    ),
    "key-named-by-sql": lambda forge: forge.signed(
        forge.own_key, headers={"kid": "x' UNION SELECT 'key"}
    ),
    "key-unknown": lambda forge: forge.signed(headers={"kid": "unknown"}),
    "key-not-named": lambda forge: forge.signed(headers={"kid": None}),
    "key-named-by-a-number": lambda forge: forge.signed(headers={"kid": 7}),
    "critical-extension": lambda forge: forge.signed(
        headers={"crit": ["urn:unheard-of"], "urn:unheard-of": True}
    ),
    "type-of-an-identity-token": lambda forge: forge.signed(headers={"typ": "JWT"}),
    "type-missing": lambda forge: forge.signed(headers={"typ": None}),
    "expired": lambda forge: forge.signed(exp=datetime.now(UTC) - HOUR),
    "never-expires": lambda forge: forge.signed(exp=None),
    "not-yet": lambda forge: forge.signed(nbf=datetime.now(UTC) + HOUR),
    "issued-later": lambda forge: forge.signed(iat=datetime.now(UTC) + HOUR),
    "issued-at-no-time": lambda forge: forge.signed(iat=None),
    "other-issuer": lambda forge: forge.signed(iss="https://elsewhere.example"),
    "issuer-missing": lambda forge: forge.signed(iss=None),
    "issuer-a-list": lambda forge: forge.signed(iss=[TOKEN_ISSUER]),
    "other-audience": lambda forge: forge.signed(aud="somewhere-else"),
    "audience-missing": lambda forge: forge.signed(aud=None),
    "for-another-service": lambda forge: service_tokens(
        forge.issuer,
        service="kpi",
        audience=next(one for one in SERVICES if one != forge.service),
    )(),
    "subject-missing": lambda forge: forge.signed(sub=None),
    "roles-missing": lambda forge: forge.signed(roles=None),
    "role-unknown": lambda forge: forge.signed(roles=["superuser"]),
    "branches-missing": lambda forge: forge.signed(branch_ids=None),
    "branches-no-list": lambda forge: forge.signed(branch_ids={"$ne": 1}),
    "stranger's": lambda _: Issuer(new_private_jwk(), issuer=TOKEN_ISSUER).token(
        "x", roles=[Role.COUNTY_MANAGER], branch_ids=[BRANCH_ID]
    ),
}


def _a_route(app: Any) -> str:
    """Return the address of something that everybody with a token is let through to."""
    for path, operations in app.openapi()["paths"].items():
        if path.startswith("/v1/branches/{branch_id}") and "get" in operations:
            return str(path).replace("{branch_id}", str(BRANCH_ID))
    raise AssertionError


@pytest.mark.parametrize("service", SERVICES)
async def test_no_made_up_bent_or_stolen_token_opens_a_service(
    service: str, settings_for: Callable[[str], dict[str, Any]], keys: Keys, issuer: Issuer
) -> None:
    app = create_service(service, settings_for(service))
    forge = Forge(keys, issuer, service)
    url = _a_route(app)
    transport = httpx.ASGITransport(app=app)
    answers = {}
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        good = await client.get(url, headers={"Authorization": f"Bearer {forge.good}"})
        for name, attack in ATTACKS.items():
            bearer = b"Bearer " + attack(forge).encode("latin-1")
            answers[name] = await client.get(url, headers={b"Authorization": bearer})
        for name, header in {
            "no-token": {},
            "basic": {"Authorization": "Basic YWRtaW46YWRtaW4="},
            "twice": {"Authorization": f"Bearer {forge.good}, Bearer {forge.good}"},
            "in-the-query": {"X-Authorization": f"Bearer {forge.good}"},
        }.items():
            answers[name] = await client.get(f"{url}?access_token={forge.good}", headers=header)
    await app.state.database.close()

    assert good.status_code != httpx.codes.UNAUTHORIZED
    taken = {name for name, answer in answers.items() if answer.status_code != 401}
    assert taken == set()
    told = {
        json.dumps({name: said for name, said in answer.json().items() if name != "instance"})
        for answer in answers.values()
    }
    assert len(told) == 1
    assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers.values())
