"""Who may write and who may read here."""

from typing import Annotated

from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.wire.settlement import Side

Writer = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.PROVINCE, whole_branch=True)]
PayrollWriter = Annotated[
    Principal, allow(Role.COUNTY_FINANCE, Role.COUNTY_MANAGER, whole_branch=True)
]
Signatory = Annotated[Principal, allow(Role.PROVINCE, Role.COUNTY_MANAGER, Role.CONTRACTOR)]
"""Who signs for a side of a contract."""
Party = Annotated[
    Principal,
    allow(Role.PROVINCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.CONTRACTOR),
]
"""Who speaks for a side of a statement."""
Settler = Annotated[
    Principal,
    allow(Role.COUNTY_FINANCE, Role.COUNTY_MANAGER, Role.PROVINCE, whole_branch=True),
]
Reader = Annotated[Principal, allow(*COUNTY_READERS, Role.CONTRACTOR)]
BranchReader = Annotated[Principal, allow(*COUNTY_READERS)]
"""Readers of what concerns every centre of the branch at once: no contractors."""
Concerned = Annotated[Principal, allow(Role.CONTRACTOR)]
"""Who speaks for a centre."""
Decider = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.PROVINCE, whole_branch=True)]
NameReader = Annotated[
    Principal,
    allow(
        *(Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE),
        *(Role.COUNTY_MANAGER, Role.PROVINCE),
    ),
]
"""Whose work needs the name of a lead's customer."""
LeadDecider = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.PROVINCE, Role.SUPPORT_CENTRE)]
"""Approves or rejects leads (R16)."""
ListWriter = Annotated[Principal, allow(Role.PROVINCE, Role.COUNTY_MANAGER, whole_branch=True)]
"""The province keeps the negative list (R5); a county may draft its own."""
Reporter = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]
"""Everybody who works here."""


def side_of(principal: Principal, centre_id: str | None) -> Side:
    """Say for which side of a contract a caller speaks.

    The county's contract is granted by the province and contracted by the county; a centre's is
    granted by the county and contracted by the contractor of the centre (R7).

    Raises:
        Forbidden: for neither.

    """
    county = {Role.COUNTY_MANAGER, Role.COUNTY_FINANCE}
    sides = {
        Side.GRANTING: {Role.PROVINCE} if centre_id is None else county,
        Side.CONTRACTING: county if centre_id is None else {Role.CONTRACTOR},
    }
    for side, roles in sides.items():
        # A contractor speaks for its centre; whoever speaks for the branch is bound to no centre.
        bound = principal.centre_ids is not None and roles != {Role.CONTRACTOR}
        if principal.roles & roles and not bound:
            return side
    raise Forbidden
