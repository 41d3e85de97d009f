"""Who may write and who may read here."""

from typing import Annotated

from huaxiao.shared.auth import Principal, Role, allow

OrderReader = Annotated[
    Principal,
    allow(
        Role.COUNTY_MANAGER,
        Role.CONTRACTOR,
        Role.ENGINEER,
        Role.SUPPORT_CENTRE,
        Role.AUDITOR,
        Role.PROVINCE,
        Role.SERVICE,
    ),
]
OrderWriter = Annotated[
    Principal, allow(Role.COUNTY_MANAGER, Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE)
]
"""Everybody who works on orders, each held to their own."""
Asker = Annotated[
    Principal,
    allow(
        Role.COUNTY_MANAGER,
        Role.CONTRACTOR,
        Role.SUPPORT_CENTRE,
        Role.BSS_SOURCE,
        Role.SERVICE,
    ),
]
"""Who asks for work: people at a front end, and the systems around them."""
CrewKeeper = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.CONTRACTOR)]
