"""Who may post, read and decide here."""

from typing import Annotated

from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow

Sender = Annotated[Principal, allow(Role.BSS_SOURCE, Role.SERVICE, Role.COUNTY_MANAGER)]
"""Posts events."""
Mender = Annotated[
    Principal,
    allow(Role.BSS_SOURCE, Role.SERVICE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE),
]
"""Reads and mends what is in quarantine."""
Closer = Annotated[Principal, allow(Role.COUNTY_FINANCE, Role.COUNTY_MANAGER, whole_branch=True)]
GeneralManager = Annotated[Principal, allow(Role.COUNTY_MANAGER, whole_branch=True)]
"""Approves a closing beyond the limit, and registers sources."""
BodyReader = Annotated[Principal, allow(Role.BSS_SOURCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)]
"""Mends what is in quarantine, and must see it for that."""
AddressReader = Annotated[
    Principal,
    allow(Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.SUPPORT_CENTRE, Role.CONTRACTOR),
]
"""Whose work needs to know where a line is."""
RuleMaker = Annotated[Principal, allow(Role.COUNTY_MANAGER, whole_branch=True)]
"""Drafts rule sets, and sets limits."""
Reader = Annotated[Principal, allow(*COUNTY_READERS, Role.SUPPORT_CENTRE, Role.CONTRACTOR)]
Earner = Annotated[Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER)]
"""Reads commissions: those of the caller's centres, and everybody their own."""
BranchReader = Annotated[Principal, allow(*COUNTY_READERS, Role.BSS_SOURCE)]
"""Readers of what concerns every centre of the branch at once: no contractors."""
RULING_READERS = (*COUNTY_READERS, Role.SUPPORT_CENTRE)
RulingReader = Annotated[Principal, allow(*RULING_READERS)]
"""Readers of rulings and of what they would move: no contractors."""
Party = Annotated[
    Principal, allow(Role.CONTRACTOR, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.SUPPORT_CENTRE)
]
"""Speaks for a centre in a dispute; the county for the pool."""
Judge = Annotated[Principal, allow(Role.SUPPORT_CENTRE, Role.COUNTY_MANAGER)]
"""Proposes the decision of a dispute."""
Confirmer = Annotated[
    Principal, allow(Role.SUPPORT_CENTRE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)
]
"""Confirms the decision of a dispute."""
