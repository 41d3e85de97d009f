"""What every step of a dispute begins with: the branch's bookings kept, and who acts."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import Counties, County
from huaxiao.attribution.domain.disputes import Actor
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.intake.store import Intake
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import NotFound

_COUNTY = {Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.SUPPORT_CENTRE}


@dataclass(frozen=True, slots=True)
class OpenBranch:
    """A branch whose bookings are kept for this transaction."""

    county: County
    intake: Intake

    @property
    def closed_through(self) -> Period | None:
        """Through which period its books are closed."""
        return self.intake.closed_through


async def open_branch(
    connection: AsyncConnection, counties: Counties, branch_id: int
) -> OpenBranch:
    """Keep a branch's bookings out until this transaction ends.

    Raises:
        NotFound: the branch is not known.

    """
    locked = await intake.lock(connection, branch_id)
    county = await counties.county(connection, branch_id)
    if county is None or locked is None:
        raise NotFound
    return OpenBranch(county, locked)


def actor(principal: Principal) -> Actor:
    """Return who acts; a token without centres speaks for the county only with a role there."""
    centre_ids = principal.centre_ids
    if centre_ids is None and not principal.roles & _COUNTY:
        centre_ids = frozenset()
    return Actor(principal.subject, centre_ids, Role.COUNTY_MANAGER in principal.roles)
