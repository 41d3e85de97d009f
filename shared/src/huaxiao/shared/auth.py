"""Who is calling, and what their token lets them see.

Bearer JWTs (RFC 9068 shape) of the suite's own issuer and of others that an installation trusts. A
principal carries roles, the branches it may act in and the centres it may see; ``None`` means all.
Store functions take ``principal.centre_ids`` and apply it in SQL: a contractor sees its own centre
and no other.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, Self

import jwt
from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict, Field, model_validator

from huaxiao.shared.asgi import first_header_of
from huaxiao.shared.clock import system_clock
from huaxiao.shared.problems import Fault, Forbidden, Malformed, NotFound, Unauthenticated
from huaxiao.shared.rows import NO_BRANCH, Scope
from huaxiao.shared.trusted_keys import KeySource, require_private

_TOKENS_KEPT = 1_000
_LEEWAY_SECONDS = 30
_BRANCH_CODE = re.compile(r"[1-9][0-9]{5}", re.ASCII)
_TOKEN_TYPES = {"at+jwt", "application/at+jwt"}
"""RFC 9068. An identity token has another type, and opens nothing."""
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
    token_id: str | None = field(default=None, compare=False)
    """What the issuer calls the token (``jti``); who the caller is does not rest on it."""

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
            raise OutOfScope


class OutOfScope(NotFound):
    """What was asked for is not for this caller to see; it is told nothing more than ``NotFound``."""


class TrustedIssuer(BaseModel):
    """An issuer of a county's or carrier's own, and how far its word goes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(description="the `iss` of its tokens; where discovery begins")
    jwks_url: str | None = Field(
        default=None, description="where its keys are; by default what its discovery document says"
    )
    claim_prefix: str = Field(
        default="",
        description="what stands before `roles`, `branch_ids`, `centre_ids`, `person_id`",
    )
    roles: frozenset[Annotated[Role, Field(strict=False)]] = Field(
        default=frozenset(Role) - {Role.SERVICE},
        description="the roles it may give; services speak by their own keys only",
    )
    branch_ids: frozenset[int] | None = Field(
        default=None, description="the branches it may speak of; by default all of them"
    )

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if Role.SERVICE in self.roles:
            raise ValueError("an issuer cannot make services: they sign with their own keys")
        for url in filter(None, (self.issuer, self.jwks_url)):
            require_private(url)
        return self


class TokenVerifier:
    """Checks bearer tokens for one audience by the keys of the issuers that are trusted."""

    def __init__(
        self, *sources: KeySource, service: str, terms: Sequence[TrustedIssuer] = ()
    ) -> None:
        """Take the trusted issuers' keys; a token of another issuer, or key, is refused.

        ``terms`` say how far an issuer's word goes; the suite's own has none.

        Raises:
            ValueError: two sources speak for the same issuer.

        """
        self._sources = {source.issuer: source for source in sources}
        if len(self._sources) < len(sources):
            raise ValueError("an issuer has one source of keys")
        self._terms = {one.issuer: one for one in terms}
        self._audience = [service, SUITE_AUDIENCE]
        self._verified: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()
        """Whom tokens speak for, and until when, by their digest: a signature stays what it is."""
        self._generation = 0

    async def verify(self, token: str) -> Principal:
        """Return whom a token speaks for; keys that it needs and nobody knows are asked for.

        Raises:
            Unauthenticated: anything at all is wrong with it.

        """
        digest = hashlib.sha256(token.encode()).digest()
        self._forget_what_other_keys_said()
        held = self._verified.get(digest)
        if held is None:
            held = await self._examine(token)
        principal, expires_at = held
        if system_clock().timestamp() >= expires_at + _LEEWAY_SECONDS:
            self._verified.pop(digest, None)
            raise Unauthenticated
        self._verified[digest] = held
        self._verified.move_to_end(digest)
        if len(self._verified) > _TOKENS_KEPT:
            self._verified.popitem(last=False)
        return principal

    def _forget_what_other_keys_said(self) -> None:
        """Drop what was found before keys were replaced: one that was taken out opens nothing."""
        for source in self._sources.values():
            source.keys()
        generation = sum(source.generation for source in self._sources.values())
        if generation != self._generation:
            self._generation = generation
            self._verified.clear()

    async def _examine(self, token: str) -> tuple[Principal, float]:
        """Check a token's signature and claims; return whom it speaks for, and when it expires."""
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ", "").lower() not in _TOKEN_TYPES:
                raise Unauthenticated
            said = jwt.decode(token, options={"verify_signature": False})
            source = self._sources[said["iss"]]
            await source.renew(header["kid"])
            trusted = source.keys()[header["kid"]]
            claims = jwt.decode(
                token,
                trusted.key,
                algorithms=[trusted.algorithm],
                audience=self._audience,
                issuer=source.issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
            principal = _principal(claims, self._terms.get(source.issuer))
            bound = trusted.bound_subject
            if bound is not None and (
                principal.subject != bound or principal.roles != {Role.SERVICE}
            ):
                raise Unauthenticated
        except (jwt.PyJWTError, LookupError, ValueError, TypeError, AttributeError) as error:
            raise Unauthenticated from error
        return principal, float(claims["exp"])


def _principal(claims: dict[str, Any], terms: TrustedIssuer | None) -> Principal:
    """Return whom claims speak for.

    Raises:
        Unauthenticated: the issuer has no say in a role or branch that it names.
        KeyError, ValueError, TypeError: they do not say whom.

    """
    prefix = "" if terms is None else terms.claim_prefix
    branches, centres = claims[f"{prefix}branch_ids"], claims[f"{prefix}centre_ids"]
    found = Principal(
        subject=str(claims["sub"]),
        roles=frozenset(Role(role) for role in claims[f"{prefix}roles"]),
        branch_ids=None if branches == "*" else frozenset(int(branch) for branch in branches),
        centre_ids=None if centres == "*" else frozenset(str(centre) for centre in centres),
        person_id=claims.get(f"{prefix}person_id"),
        token_id=claims.get("jti"),
    )
    # What is no code of a branch, a centre or a person is refused here, before anything is asked with it.
    Scope(found.branch_ids, found.centre_ids, found.person_id)
    if terms is None:
        return found
    beyond = terms.branch_ids is not None and (
        found.branch_ids is None or not found.branch_ids <= terms.branch_ids
    )
    if beyond or not found.roles <= terms.roles:
        raise Unauthenticated
    # Two issuers may call two people by one name; what is remembered of a caller is kept by it.
    return replace(found, subject=f"{terms.issuer}#{found.subject}")


_bearer = HTTPBearer(auto_error=False, description="JWT of a trusted issuer")


async def authenticate(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """Return the caller, and keep it out of branches beyond its scope (as not found)."""
    return await _authenticated(request, None if credentials is None else credentials.credentials)


async def _authenticated(request: Request, token: str | None) -> Principal:
    if not token:
        raise Unauthenticated
    state = request.app.state
    verifier: TokenVerifier = state.token_verifier
    principal = await verifier.verify(token)
    request.state.principal = principal
    if Role.SERVICE not in principal.roles:
        state.rates.take(principal.subject)
    branch_id = request.path_params.get("branch_id")
    if branch_id is not None and not principal.may_enter(branch_of(str(branch_id))):
        raise OutOfScope
    return principal


def branch_of(code: str) -> int:
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


class Reach(StrEnum):
    """How far a token must reach for what a route does."""

    ANY = "any"
    WHOLE_BRANCH = "whole_branch"
    """Bound to no centre: who acts for the branch is bound to none."""
    EVERY_BRANCH = "every_branch"
    """Bound to no branch either: it concerns none, or all."""

    def held_by(self, principal: Principal) -> bool:
        """Say whether a caller's token reaches so far."""
        match self:
            case Reach.ANY:
                return True
            case Reach.WHOLE_BRANCH:
                return principal.centre_ids is None
            case _:
                return principal.centre_ids is None and principal.branch_ids is None


def allow(*roles: Role, whole_branch: bool = False, every_branch: bool = False) -> Any:
    """Admit callers with one of these roles, whose token reaches far enough; others get 403.

    Use as ``principal: Annotated[Principal, allow(Role.COUNTY_MANAGER)]``. Roles and reach stay
    readable on the dependency, for the table of who may do what and the test that tries it.
    """
    reach = Reach.WHOLE_BRANCH if whole_branch else Reach.ANY
    return Depends(_role_check(frozenset(roles), Reach.EVERY_BRANCH if every_branch else reach))


Check = Callable[[Principal], Awaitable[Principal]]
"""Admits a caller, or raises Forbidden."""


def _role_check(roles: frozenset[Role], reach: Reach) -> Check:
    async def check(principal: Annotated[Principal, Depends(authenticate)]) -> Principal:
        if not roles & principal.roles or not reach.held_by(principal):
            raise Forbidden
        return principal

    check.allowed_roles = roles  # type: ignore[attr-defined]
    check.reach = reach  # type: ignore[attr-defined]
    return check


def checks_of(dependant: Dependant) -> Iterator[Any]:
    """Yield what ``allow`` put before a route, wherever it stands among the route's dependencies."""
    if hasattr(dependant.call, "allowed_roles"):
        yield dependant.call
    for inner in dependant.dependencies:
        yield from checks_of(inner)


async def admitted(request: Request, check: Check) -> Principal:
    """Return the caller of a request for which nothing is injected, if it may be served.

    Raises:
        Unauthenticated, Forbidden, TooManyRequests: it may not.

    """
    scheme, _, token = first_header_of(request.scope, b"authorization").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else None
    return await check(await _authenticated(request, bearer))
