"""Who may write and who may read here."""

from typing import Annotated

from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow

Writer = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.PROVINCE)]
PayrollWriter = Annotated[Principal, allow(Role.COUNTY_FINANCE, Role.COUNTY_MANAGER)]
Settler = Annotated[Principal, allow(Role.COUNTY_FINANCE, Role.COUNTY_MANAGER, Role.PROVINCE)]
Reader = Annotated[Principal, allow(*COUNTY_READERS, Role.CONTRACTOR)]
BranchReader = Annotated[Principal, allow(*COUNTY_READERS)]
"""Readers of what concerns every centre of the branch at once: no contractors."""
Concerned = Annotated[Principal, allow(Role.CONTRACTOR)]
"""Who speaks for a centre."""
Decider = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.PROVINCE)]
ListWriter = Annotated[Principal, allow(Role.PROVINCE, Role.COUNTY_MANAGER)]
"""The province keeps the negative list (R5); a county may draft its own."""
Reporter = Annotated[
    Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]
"""Everybody who works here."""
