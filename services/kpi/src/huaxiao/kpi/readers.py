"""Who may read figures, and who the county's."""

from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.problems import Forbidden

_COUNTY_READERS = (*COUNTY_READERS, Role.SUPPORT_CENTRE)
WRITERS = allow(Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.PROVINCE, whole_branch=True)
"""Admits who drafts, confirms and puts in force what a county judges by."""
READERS = allow(*_COUNTY_READERS, Role.CONTRACTOR)
"""Admits who may read figures; a contractor sees its own centres only."""


def sees_county(principal: Principal) -> bool:
    """Say whether the caller may see the county's figures, the sums over all its centres."""
    return principal.centre_ids is None and not principal.roles.isdisjoint(_COUNTY_READERS)


def require_unit(principal: Principal, centre_id: str | None) -> None:
    """Let nobody see a centre beyond their scope, or the county who sees single centres only.

    Raises:
        NotFound: the centre lies outside the caller's scope.
        Forbidden: the county was asked for, by somebody who may see centres only.

    """
    if centre_id is not None:
        principal.require_centre(centre_id)
    elif not sees_county(principal):
        raise Forbidden
