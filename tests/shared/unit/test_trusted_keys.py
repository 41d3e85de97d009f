"""Issuers of a county's own, and keys that are replaced while the suite runs."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from pydantic import ValidationError

from huaxiao.shared.auth import Role, TokenVerifier, TrustedIssuer
from huaxiao.shared.issuer import Issuer, new_private_jwk
from huaxiao.shared.problems import Unauthenticated
from huaxiao.shared.trusted_keys import KeyFile, PublishedKeys, trusted_keys

OWN = "https://huaxiao.test"
SIGNERS: dict[str, Any] = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
}
WRITERS: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm}


def public(algorithm: str, key: Any, kid: str) -> dict[str, Any]:
    found: dict[str, Any] = WRITERS[algorithm].to_jwk(key.public_key(), as_dict=True)
    return found | {"kid": kid, "alg": algorithm, "use": "sig"}


class Provider:
    """An OpenID Connect provider, as far as verifiers ask of one."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.keys: list[dict[str, Any]] = []
        self.leads_to: str | None = None
        self.speaks_for: str | None = None
        self.away = False
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                answer = provider.answer(self.path)
                if provider.away or answer is None:
                    self.send_error(503)
                    return
                body = json.dumps(answer).encode()
                self.send_response(302 if provider.leads_to else 200)
                if provider.leads_to:
                    self.send_header("Location", provider.leads_to)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}/county"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path: str) -> dict[str, Any] | None:
        if path == "/county/.well-known/openid-configuration":
            jwks = f"{self.issuer}/keys"
            return {"issuer": self.speaks_for or self.issuer, "jwks_uri": jwks}
        return {"keys": self.keys} if path == "/county/keys" else None

    def token(self, algorithm: str = "RS256", key: Any = None, *, kid: str, **changed: Any) -> str:
        now = datetime.now(UTC)
        claims = {
            "iss": self.issuer,
            "sub": "alice",
            "aud": "huaxiao",
            "iat": now,
            "exp": now + timedelta(hours=1),
            "roles": ["county_manager"],
            "branch_ids": [130123],
            "centre_ids": "*",
        } | changed
        headers = {"kid": kid, "typ": "at+jwt"}
        return jwt.encode(claims, key or SIGNERS[algorithm], algorithm=algorithm, headers=headers)


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    made.keys = [public(algorithm, key, algorithm) for algorithm, key in SIGNERS.items()]
    yield made
    made.server.shutdown()
    made.server.server_close()


def trusting(provider: Provider, **terms: Any) -> TokenVerifier:
    trusted = TrustedIssuer(issuer=provider.issuer, **terms)
    source = PublishedKeys(trusted.issuer, jwks_url=trusted.jwks_url)
    return TokenVerifier(source, service="kpi", terms=[trusted])


async def refuses(verifier: TokenVerifier, token: str) -> bool:
    try:
        await verifier.verify(token)
    except Unauthenticated:
        return True
    return False


@pytest.mark.parametrize("algorithm", sorted(SIGNERS))
async def test_a_providers_people_are_known_by_the_keys_that_it_publishes(
    provider: Provider, algorithm: str
) -> None:
    found = await trusting(provider).verify(provider.token(algorithm, kid=algorithm))

    assert found.subject == f"{provider.issuer}#alice"
    assert found.roles == {Role.COUNTY_MANAGER}
    assert found.branch_ids == {130123}
    assert provider.asked == ["/county/.well-known/openid-configuration", "/county/keys"]


async def test_keys_may_be_where_the_installation_says(provider: Provider) -> None:
    verifier = trusting(provider, jwks_url=f"{provider.issuer}/keys")
    assert not await refuses(verifier, provider.token(kid="RS256"))
    assert provider.asked == ["/county/keys"]


async def test_claims_may_have_a_prefix(provider: Provider) -> None:
    prefixed = {
        f"https://county.example/{name}": value
        for name, value in {"roles": ["auditor"], "branch_ids": "*", "centre_ids": ["C1"]}.items()
    }
    verifier = trusting(provider, claim_prefix="https://county.example/")
    found = await verifier.verify(provider.token(kid="RS256", **prefixed))
    assert (found.roles, found.branch_ids, found.centre_ids) == ({Role.AUDITOR}, None, {"C1"})


@pytest.mark.parametrize(
    "said",
    [
        {"roles": ["service"]},
        {"roles": ["county_manager", "service"]},
        {"roles": ["province"]},
        {"branch_ids": "*"},
        {"branch_ids": [130123, 130124]},
    ],
    ids=["service", "service-too", "role-not-given", "every-branch", "another-branch"],
)
async def test_an_issuer_has_no_say_beyond_its_terms(
    provider: Provider, said: dict[str, Any]
) -> None:
    terms = {"roles": {Role.COUNTY_MANAGER}, "branch_ids": {130123}}
    verifier = trusting(provider, **terms)
    assert not await refuses(verifier, provider.token(kid="RS256"))
    assert await refuses(verifier, provider.token(kid="RS256", **said))


def test_no_issuer_can_be_trusted_to_make_services_or_without_tls() -> None:
    for wrong in (
        {"issuer": "https://id.example", "roles": ["service"]},
        {"issuer": "http://id.example"},
        {"issuer": "https://id.example", "jwks_url": "http://id.example/keys"},
    ):
        with pytest.raises(ValidationError):
            TrustedIssuer.model_validate(wrong)


async def test_one_issuers_key_does_not_sign_for_another(provider: Provider) -> None:
    verifier = trusting(provider)
    forged = provider.token(kid="RS256", iss=OWN)
    assert await refuses(verifier, forged)


@pytest.mark.parametrize("how", ["leads elsewhere", "speaks for another", "away"])
async def test_a_provider_that_cannot_be_trusted_or_reached_lets_nobody_in(
    provider: Provider, how: str
) -> None:
    provider.leads_to = "http://127.0.0.1:9/" if how == "leads elsewhere" else None
    provider.speaks_for = OWN if how == "speaks for another" else None
    provider.away = how == "away"
    assert await refuses(trusting(provider), provider.token(kid="RS256"))


async def test_unknown_keys_do_not_make_a_provider_be_asked_again_and_again(
    provider: Provider,
) -> None:
    verifier = trusting(provider)
    for number in range(50):
        assert await refuses(verifier, provider.token(kid=f"made-up-{number}"))
    assert len(provider.asked) == 2


async def test_a_provider_replaces_its_key_and_nobody_notices(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = trusting(provider)
    of_before = provider.token(kid="RS256")
    assert not await refuses(verifier, of_before)
    fresh = rsa.generate_private_key(65537, 2048)
    later = _later(monkeypatch)

    provider.keys.append(public("RS256", fresh, "fresh"))
    later(31)
    assert not await refuses(verifier, provider.token("RS256", fresh, kid="fresh"))
    assert not await refuses(verifier, of_before)

    provider.keys = [public("RS256", fresh, "fresh")]
    later(601)
    # What is old is fetched beside the request that finds it so; the next one knows.
    another = provider.token("RS256", fresh, kid="fresh", sub="bob")
    assert not await refuses(verifier, another)
    for _ in range(500):
        if await refuses(verifier, of_before):
            return
        await asyncio.sleep(0.01)
    pytest.fail("a key that was taken out is good for ever")


async def test_a_provider_that_is_away_keeps_its_word_for_a_day(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = trusting(provider)
    assert not await refuses(verifier, provider.token(kid="RS256"))
    provider.away = True
    later = _later(monkeypatch)
    later(86_000)
    assert not await refuses(verifier, provider.token(kid="RS256", sub="bob"))
    later(500)
    assert await refuses(verifier, provider.token(kid="RS256", sub="carol"))


def _later(monkeypatch: pytest.MonkeyPatch) -> Any:
    passed = [0.0]
    real = time.monotonic

    def later(seconds: float) -> None:
        passed[0] += seconds

    monkeypatch.setattr("huaxiao.shared.trusted_keys.time.monotonic", lambda: real() + passed[0])
    return later


async def test_the_suites_own_key_is_replaced_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = (Issuer(new_private_jwk(), issuer=OWN) for _ in range(2))
    path = tmp_path / "jwks.json"

    def put(*issuers: Issuer) -> None:
        unfinished = tmp_path / "unfinished"
        keys = [key for one in issuers for key in one.public_jwks()["keys"]]
        unfinished.write_text(json.dumps({"keys": keys}))
        unfinished.replace(path)

    def by(one: Issuer) -> str:
        return one.token("manager", roles=[Role.COUNTY_MANAGER], branch_ids=[130123])

    put(old)
    verifier = TokenVerifier(KeyFile(path, issuer=OWN), service="kpi")
    later = _later(monkeypatch)
    of_before = by(old)
    assert not await refuses(verifier, of_before)

    put(old, new)
    later(3)
    assert [await refuses(verifier, one) for one in (of_before, by(old), by(new))] == [False] * 3

    path.write_text("{half a docu")
    later(3)
    assert [await refuses(verifier, one) for one in (of_before, by(new))] == [False] * 2

    put(new)
    later(3)
    assert [await refuses(verifier, one) for one in (of_before, by(old))] == [True] * 2
    assert not await refuses(verifier, by(new))


def test_weak_and_foreign_keys_are_passed_over() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    document = {
        "keys": [
            public("RS256", weak, "weak"),
            public("RS256", SIGNERS["RS256"], "for-encryption") | {"use": "enc"},
            {"kty": "oct", "k": "c2VjcmV0", "kid": "shared", "alg": "HS256"},
            public("ES256", SIGNERS["ES256"], "good"),
        ]
    }
    assert set(trusted_keys(document)) == {"good"}
