"""Who may write and who may read here."""

from collections.abc import Collection
from typing import Annotated

from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow

_DIRECTING = {Role.COUNTY_MANAGER, Role.CONTRACTOR, Role.SUPPORT_CENTRE}
_READING = _DIRECTING.union(COUNTY_READERS)


def acts_as_engineer(principal: Principal) -> bool:
    """Say whether a caller acts for themself only: an engineer who directs nobody, else what they may."""
    return Role.ENGINEER in principal.roles and not principal.roles & _DIRECTING


def reads_as_engineer(principal: Principal, *, readers: Collection[Role] = _READING) -> bool:
    """Say whether a caller is shown what is theirs only: an engineer who is no reader besides."""
    return Role.ENGINEER in principal.roles and principal.roles.isdisjoint(readers)


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
TicketWorker = Annotated[
    Principal, allow(Role.CONTRACTOR, Role.ENGINEER, Role.SUPPORT_CENTRE, Role.COUNTY_MANAGER)
]
"""Takes the steps of tickets, each held to those that their centres raised or owe."""
CrewKeeper = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.CONTRACTOR)]
