"""Who looks, read from a token that the console does not trust."""

import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.console.guarding import ForeignForm, require_form_key
from huaxiao.console.navigation import SECTIONS, offered
from huaxiao.console.visitors import LONGEST_TOKEN, NoTokenError, Visitor
from huaxiao.shared.auth import Role
from huaxiao.shared.issuer import Issuer

CLAIMS = {
    "sub": "somebody",
    "roles": ["contractor"],
    "branch_ids": [130123, 130102],
    "centre_ids": ["C2", "C1"],
    "person_id": "P06",
    "exp": 1_800_000_000,
}


def token(claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"head.{body}.signature"


def test_a_visitor_is_who_the_token_says() -> None:
    found = Visitor.of(token(CLAIMS))

    assert found.roles == {Role.CONTRACTOR}
    assert (found.branch_ids, found.centre_ids) == ((130102, 130123), ("C1", "C2"))
    assert found.expires_at == datetime.fromtimestamp(1_800_000_000, UTC)
    assert not found.decides_for_county(Role.CONTRACTOR)


def test_the_suites_own_tokens_are_read(issuer: Issuer) -> None:
    made = issuer.token("manager", roles=[Role.COUNTY_MANAGER], branch_ids=None)

    found = Visitor.of(made)

    assert (found.branch_ids, found.centre_ids) == (None, None)
    assert found.decides_for_county(Role.COUNTY_MANAGER)


def test_claims_of_another_issuer_stand_behind_its_prefix() -> None:
    prefixed = {f"hx_{name}": value for name, value in CLAIMS.items()} | {"sub": "a", "exp": 1}

    assert Visitor.of(token(prefixed), claim_prefix="hx_").roles == {Role.CONTRACTOR}


@pytest.mark.parametrize("absent", ["sub", "roles", "branch_ids", "centre_ids", "exp"])
def test_a_token_without_a_claim_is_nobodys(absent: str) -> None:
    with pytest.raises(NoTokenError):
        Visitor.of(token({name: value for name, value in CLAIMS.items() if name != absent}))


@given(st.text() | st.binary().map(lambda raw: f"a.{base64.b64encode(raw).decode()}.c"))
def test_anything_else_is_nobodys_and_never_an_error_of_another_kind(text: str) -> None:
    with pytest.raises(NoTokenError):
        Visitor.of(text)


def test_a_token_that_no_cookie_holds_is_refused() -> None:
    with pytest.raises(NoTokenError):
        Visitor.of(token(CLAIMS | {"sub": "x" * LONGEST_TOKEN}))


def test_a_token_is_not_shown_by_accident() -> None:
    made = token(CLAIMS)

    assert made not in repr(Visitor.of(made))


def test_a_form_key_is_of_one_token_alone() -> None:
    one, other = (Visitor.of(token(CLAIMS | {"sub": name})) for name in ("one", "other"))

    require_form_key(one, one.form_key)
    for sent in (other.form_key, "", None, "ü"):
        with pytest.raises(ForeignForm):
            require_form_key(one, sent)


def test_every_role_is_offered_a_page_and_none_but_its_own() -> None:
    for role in Role:
        sections = offered(Visitor.of(token(CLAIMS | {"roles": [role]})))
        assert sections
        assert all(role in one.roles for one in sections)
    assert len({one.name for one in SECTIONS}) == len(SECTIONS)
