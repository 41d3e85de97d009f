"""Who may read figures, and who the county's."""

from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow

_COUNTY_READERS = (*COUNTY_READERS, Role.SUPPORT_CENTRE)
WRITERS = allow(Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.PROVINCE, whole_branch=True)
"""Admits who drafts, confirms and puts in force what a county judges by."""
READERS = allow(*_COUNTY_READERS, Role.CONTRACTOR)
"""Admits who may read figures; a contractor sees its own centres only."""


def sees_county(principal: Principal) -> bool:
    """Say whether the caller may see the county's figures, the sums over all its centres."""
    return principal.centre_ids is None and not principal.roles.isdisjoint(_COUNTY_READERS)
