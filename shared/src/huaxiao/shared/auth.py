"""Who is calling, and what their token lets them see.

Bearer JWTs (RFC 9068 shape), EdDSA only, keys from a JWKS file. A principal carries roles, the
branches it may act in and the centres it may see; ``None`` means all of them. Store functions take
``principal.centre_ids`` and apply it in SQL: a contractor sees its own centre and no other.
"""

import hashlib
import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from huaxiao.shared.problems import Fault, Forbidden, Malformed, NotFound, Unauthenticated
from huaxiao.shared.rows import NO_BRANCH, Scope

_TOKENS_KEPT = 1_000
_LEEWAY_SECONDS = 30
_BRANCH_CODE = re.compile(r"[1-9][0-9]{5}", re.ASCII)
_TOKEN_TYPE = "at+jwt"  # noqa: S105 - RFC 9068's media type, not a secret
BOUND_SUBJECT = "huaxiao_subject"
"""Member of a JWK: the key speaks for this service and nobody else, so a stolen one opens no more."""
SUITE_AUDIENCE = "huaxiao"
"""Audience of people's tokens: good at every service of the suite."""


class Role(StrEnum):
    """What a caller is (the plan's people, the systems around them, and the services)."""

    PROVINCE = "province"
    COUNTY_MANAGER = "county_manager"
    COUNTY_FINANCE = "county_finance"
    CONTRACTOR = "contractor"
    ENGINEER = "engineer"
    SUPPORT_CENTRE = "support_centre"
    BSS_SOURCE = "bss_source"
    AUDITOR = "auditor"
    SERVICE = "service"


COUNTY_READERS = (
    Role.COUNTY_MANAGER,
    Role.PROVINCE,
    Role.AUDITOR,
    Role.SERVICE,
    Role.COUNTY_FINANCE,
)
"""Who reads what concerns every centre of a county at once."""


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller."""

    subject: str
    roles: frozenset[Role]
    branch_ids: frozenset[int] | None
    """Branches the caller may act in; None is every branch."""
    centre_ids: frozenset[str] | None
    """Centres the caller may see; None is every centre of its branches."""
    person_id: str | None = None
    """The person behind an engineer's or contractor's token."""

    def may_enter(self, branch_id: int) -> bool:
        """Say whether the branch is within the caller's scope."""
        return self.branch_ids is None or branch_id in self.branch_ids

    def may_see(self, centre_id: str) -> bool:
        """Say whether the centre is within the caller's scope."""
        return self.centre_ids is None or centre_id in self.centre_ids

    def scope(self, branch_id: int | None) -> Scope:
        """Return the rows that a transaction of the caller's may see, of one branch or all of theirs.

        Whoever decides between centres, as the support centre does, is bound to one and must find
        the rows of all; what they are shown is up to the queries.

        Raises:
            NotFound: the branch is beyond the caller's.

        """
        centre_ids = None if Role.SUPPORT_CENTRE in self.roles else self.centre_ids
        if branch_id is None:
            own = None if self.branch_ids is None else self.branch_ids | {NO_BRANCH}
            return Scope(own, centre_ids, self.person_id)
        if not self.may_enter(branch_id):
            raise NotFound
        return Scope(frozenset({branch_id}), centre_ids, self.person_id)

    def require_centre(self, centre_id: str) -> None:
        """Raise NotFound for a centre outside the scope, as if it did not exist."""
        if not self.may_see(centre_id):
            raise NotFound


class TokenVerifier:
    """Checks bearer tokens for one audience against a fixed set of keys."""

    def __init__(self, jwks: dict[str, Any], *, issuer: str, service: str) -> None:
        """Take the trusted keys; a ``kid`` outside them is refused."""
        self._keys = {
            key.key_id: key for key in jwt.PyJWKSet.from_dict(jwks).keys if key.key_id is not None
        }
        self._bound: dict[str, str] = {
            key["kid"]: key[BOUND_SUBJECT] for key in jwks["keys"] if BOUND_SUBJECT in key
        }
        self._issuer = issuer
        self._audience = [service, SUITE_AUDIENCE]
        self._verified: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()
        """Whom tokens speak for, and until when, by their digest: a signature stays what it is."""

    @classmethod
    def from_file(cls, path: Path, *, issuer: str, service: str) -> "TokenVerifier":
        """Read the JWKS document."""
        return cls(json.loads(path.read_text()), issuer=issuer, service=service)

    def verify(self, token: str) -> Principal:
        """Return whom a token speaks for.

        Raises:
            Unauthenticated: anything at all is wrong with it.

        """
        digest = hashlib.sha256(token.encode()).digest()
        principal, expires_at = self._verified.get(digest) or self._examine(token)
        if time.time() >= expires_at + _LEEWAY_SECONDS:
            self._verified.pop(digest, None)
            raise Unauthenticated
        self._verified[digest] = principal, expires_at
        self._verified.move_to_end(digest)
        if len(self._verified) > _TOKENS_KEPT:
            self._verified.popitem(last=False)
        return principal

    def _examine(self, token: str) -> tuple[Principal, float]:
        """Check a token's signature and claims; return whom it speaks for, and when it expires."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ", "").lower() != _TOKEN_TYPE:
                raise Unauthenticated
            claims = jwt.decode(
                token,
                self._keys[header["kid"]],
                algorithms=["EdDSA"],
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
            principal = _principal(claims)
            bound = self._bound.get(header["kid"])
            if bound is not None and (
                principal.subject != bound or principal.roles != {Role.SERVICE}
            ):
                raise Unauthenticated
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise Unauthenticated from error
        return principal, float(claims["exp"])


def _principal(claims: dict[str, Any]) -> Principal:
    branches, centres = claims["branch_ids"], claims["centre_ids"]
    principal = Principal(
        subject=str(claims["sub"]),
        roles=frozenset(Role(role) for role in claims["roles"]),
        branch_ids=None if branches == "*" else frozenset(int(branch) for branch in branches),
        centre_ids=None if centres == "*" else frozenset(str(centre) for centre in centres),
        person_id=claims.get("person_id"),
    )
    # What is no code of a branch, a centre or a person is refused here, before anything is asked with it.
    Scope(principal.branch_ids, principal.centre_ids, principal.person_id)
    return principal


_bearer = HTTPBearer(auto_error=False, description="JWT of a trusted issuer")


async def authenticate(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """Return the caller, and keep it out of branches beyond its scope (as not found)."""
    if credentials is None:
        raise Unauthenticated
    verifier: TokenVerifier = request.app.state.token_verifier
    principal = verifier.verify(credentials.credentials)
    branch_id = request.path_params.get("branch_id")
    if branch_id is not None and not principal.may_enter(_branch_of(str(branch_id))):
        raise NotFound
    return principal


def _branch_of(code: str) -> int:
    """Return the branch that a path names, in the one spelling that a code has.

    What reads a path as a number takes ``+130123`` and ``130123.0`` for it too: a scope that was
    asked of the text only would be walked around.

    Raises:
        Malformed: it is spelled otherwise.

    """
    if _BRANCH_CODE.fullmatch(code) is None:
        fault = Fault(
            "/path/branch_id", "bad-code", "a branch is six digits", "分公司为六位县级行政区划代码"
        )
        raise Malformed(faults=[fault])
    return int(code)


def allow(*roles: Role, whole_branch: bool = False) -> Any:
    """Admit callers with one of these roles; everyone else gets 403.

    With ``whole_branch`` a token that is bound to centres is refused as well: who acts for the
    branch is bound to none.

    Use as ``principal: Annotated[Principal, allow(Role.COUNTY_MANAGER)]``. The roles stay readable
    on the dependency (``allowed_roles``), so that a test can check every route.
    """
    return Depends(_role_check(frozenset(roles), whole_branch=whole_branch))


def _role_check(roles: frozenset[Role], *, whole_branch: bool) -> Callable[..., Any]:
    async def check(principal: Annotated[Principal, Depends(authenticate)]) -> Principal:
        if not roles & principal.roles or (whole_branch and principal.centre_ids is not None):
            raise Forbidden
        return principal

    check.allowed_roles = roles  # type: ignore[attr-defined]
    return check
