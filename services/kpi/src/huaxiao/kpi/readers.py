"""Who may read figures, and who the county's."""

from huaxiao.shared.auth import Principal, Role, allow

_COUNTY_READERS = frozenset(
    {
        Role.PROVINCE,
        Role.COUNTY_MANAGER,
        Role.COUNTY_FINANCE,
        Role.SUPPORT_CENTRE,
        Role.AUDITOR,
        Role.SERVICE,
    }
)
READERS = allow(*sorted(_COUNTY_READERS), Role.CONTRACTOR)
"""Admits who may read figures; a contractor sees its own centres only."""


def sees_county(principal: Principal) -> bool:
    """Say whether the caller may see the county's figures, the sums over all its centres."""
    return principal.centre_ids is None and not _COUNTY_READERS.isdisjoint(principal.roles)
