"""Who a token speaks for, and which ones speak for nobody."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from huaxiao.shared import auth
from huaxiao.shared.auth import Principal, Role, TokenVerifier
from huaxiao.shared.issuer import Issuer, new_private_jwk, service_tokens
from huaxiao.shared.problems import NotFound, Unauthenticated
from huaxiao.shared.trusted_keys import KnownKeys

ISSUER = "https://tokens.test"
OPERATOR, OF_KPI = new_private_jwk(), new_private_jwk()


def issuer(key: dict[str, str], *, name: str = ISSUER, at: datetime | None = None) -> Issuer:
    return Issuer(key, issuer=name, clock=(lambda: at) if at else lambda: datetime.now(UTC))


@pytest.fixture
def verifier() -> TokenVerifier:
    keys = [
        *issuer(OPERATOR).public_jwks()["keys"],
        *issuer(OF_KPI).public_jwks(only_service="kpi")["keys"],
    ]
    return TokenVerifier(KnownKeys({"keys": keys}, issuer=ISSUER), service="attribution")


def managers(made_by: Issuer, **given: Any) -> str:
    return made_by.token("test", roles=[Role.COUNTY_MANAGER], branch_ids=[130123], **given)


async def test_a_good_token_says_who_may_enter_which_branch_and_see_which_centre(
    verifier: TokenVerifier,
) -> None:
    found = await verifier.verify(managers(issuer(OPERATOR), centre_ids=["C1"], person_id="P1"))
    assert found == Principal(
        "test", frozenset({Role.COUNTY_MANAGER}), frozenset({130123}), frozenset({"C1"}), "P1"
    )
    assert found.may_enter(130123)
    assert not found.may_enter(130124)
    found.require_centre("C1")
    with pytest.raises(NotFound):
        found.require_centre("C2")


async def test_a_services_key_speaks_for_that_service_and_nobody_else(
    verifier: TokenVerifier,
) -> None:
    own = service_tokens(issuer(OF_KPI), service="kpi", audience="attribution")()
    assert (await verifier.verify(own)).subject == "service:kpi"
    stolen = issuer(OF_KPI)
    for token in (
        managers(stolen),
        service_tokens(stolen, service="dispatch", audience="attribution")(),
        stolen.token("service:kpi", roles=[Role.SERVICE, Role.COUNTY_MANAGER], branch_ids=None),
    ):
        with pytest.raises(Unauthenticated):
            await verifier.verify(token)


async def test_a_token_for_another_service_is_no_good_here(verifier: TokenVerifier) -> None:
    elsewhere = service_tokens(issuer(OF_KPI), service="kpi", audience="contracts")()
    with pytest.raises(Unauthenticated):
        await verifier.verify(elsewhere)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        managers(issuer(new_private_jwk())),
        managers(issuer(OPERATOR, name="https://elsewhere.test")),
        managers(issuer(OPERATOR, at=datetime.now(UTC) - timedelta(days=1))),
        managers(issuer(OPERATOR))[:-4] + "AAAA",
        jwt.encode({"sub": "x"}, "secret" * 8, algorithm="HS256", headers={"typ": "at+jwt"}),
        jwt.encode({"sub": "x"}, None, algorithm="none", headers={"typ": "at+jwt"}),
    ],
    ids=["empty", "no-json", "unknown-key", "other-issuer", "expired", "forged", "hmac", "none"],
)
async def test_whatever_is_wrong_with_a_token_it_speaks_for_nobody(
    verifier: TokenVerifier, token: str
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


async def test_a_token_that_was_good_is_refused_from_its_end_on(
    verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = managers(issuer(OPERATOR))
    assert await verifier.verify(token) == await verifier.verify(token)
    ends = jwt.decode(token, options={"verify_signature": False})["exp"] + 30
    end = datetime.fromtimestamp(ends, UTC)
    monkeypatch.setattr(auth, "system_clock", lambda: end - timedelta(seconds=0.1))
    assert (await verifier.verify(token)).subject == "test"
    monkeypatch.setattr(auth, "system_clock", lambda: end)
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


async def test_many_tokens_do_not_make_a_good_one_bad(verifier: TokenVerifier) -> None:
    first = managers(issuer(OPERATOR))
    for number in range(1_100):
        person = f"P{number}"
        token = managers(issuer(OPERATOR), person_id=person)
        assert (await verifier.verify(token)).person_id == person
    assert (await verifier.verify(first)).person_id is None
