"""Who looks: what the token in the cookie says of its bearer.

The console checks no signature. What a token claims decides only which pages are offered; whatever
is shown or done, a service has verified the token first.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from huaxiao.shared.auth import Role

SESSION_COOKIE = "huaxiao_session"
LONGEST_TOKEN = 3_800
"""Characters; a browser keeps no cookie of more than 4,096 bytes."""
_FORM_KEY = b"huaxiao console form"


class NoTokenError(ValueError):
    """What was given is not the token of anybody."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """The bearer of a token, as the token itself tells."""

    token: str = field(repr=False)
    subject: str
    roles: frozenset[Role]
    branch_ids: tuple[int, ...] | None
    """Branches the visitor may enter; None is every branch."""
    centre_ids: tuple[str, ...] | None
    """Centres the visitor sees; None is every centre."""
    person_id: str | None
    expires_at: datetime

    @classmethod
    def of(cls, token: str, *, claim_prefix: str = "") -> "Visitor":
        """Read a token without trusting it.

        Raises:
            NoTokenError: it is no JWT with the claims of one.

        """
        if len(token) > LONGEST_TOKEN:
            raise NoTokenError
        try:
            claims = _claims(token)
            branches = claims[f"{claim_prefix}branch_ids"]
            centres = claims[f"{claim_prefix}centre_ids"]
            person = claims.get(f"{claim_prefix}person_id")
            return cls(
                token=token,
                subject=str(claims["sub"]),
                roles=frozenset(Role(one) for one in claims[f"{claim_prefix}roles"]),
                branch_ids=None if branches == "*" else tuple(sorted(map(int, branches))),
                centre_ids=None if centres == "*" else tuple(sorted(map(str, centres))),
                person_id=None if person is None else str(person),
                expires_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
            )
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
            raise NoTokenError from error

    @property
    def form_key(self) -> str:
        """What a form of this visitor carries, and no other site can know: made from the token."""
        return hmac.new(self.token.encode(), _FORM_KEY, hashlib.sha256).hexdigest()

    def may(self, *roles: Role) -> bool:
        """Say whether the visitor has one of these roles."""
        return not self.roles.isdisjoint(roles)

    def decides_for_county(self, *roles: Role) -> bool:
        """Say whether the visitor has one of these roles and is bound to no centre."""
        return self.centre_ids is None and self.may(*roles)


def _claims(token: str) -> dict[str, Any]:
    _, claims, _ = token.split(".")
    read = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    if not isinstance(read, dict):
        raise NoTokenError
    return read
