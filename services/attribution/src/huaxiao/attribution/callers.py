"""Who may post, read and decide here, and the condition that keeps a contractor to its centres."""

from collections.abc import Set as AbstractSet
from typing import Annotated, Any

from sqlalchemy import ColumnElement, true

from huaxiao.shared.auth import Principal, Role, allow

Sender = Annotated[Principal, allow(Role.BSS_SOURCE, Role.SERVICE, Role.COUNTY_MANAGER)]
"""Posts events."""
Mender = Annotated[
    Principal,
    allow(Role.BSS_SOURCE, Role.SERVICE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE),
]
"""Reads and mends what is in quarantine."""
Closer = Annotated[Principal, allow(Role.COUNTY_FINANCE, Role.COUNTY_MANAGER)]
RuleMaker = Annotated[Principal, allow(Role.COUNTY_MANAGER)]
"""Drafts and activates rule sets."""
Reader = Annotated[
    Principal,
    allow(
        Role.COUNTY_MANAGER,
        Role.PROVINCE,
        Role.AUDITOR,
        Role.SERVICE,
        Role.COUNTY_FINANCE,
        Role.CONTRACTOR,
    ),
]
BranchReader = Annotated[
    Principal,
    allow(
        Role.COUNTY_MANAGER,
        Role.PROVINCE,
        Role.AUDITOR,
        Role.SERVICE,
        Role.COUNTY_FINANCE,
        Role.BSS_SOURCE,
    ),
]
"""Readers of what concerns every centre of the branch at once: no contractors."""


def within(column: ColumnElement[Any], centre_ids: AbstractSet[str] | None) -> ColumnElement[bool]:
    """Return the condition that a row belongs to one of the centres; None is all of them."""
    return true() if centre_ids is None else column.in_(sorted(centre_ids))
