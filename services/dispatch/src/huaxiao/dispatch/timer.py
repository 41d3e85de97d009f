"""What becomes due in dispatch while nobody asks."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from huaxiao.dispatch import placements
from huaxiao.dispatch.appointments import handlers as appointments
from huaxiao.dispatch.appraisals import timing as appraisals
from huaxiao.dispatch.clocks import handlers as clocks
from huaxiao.dispatch.orders import handlers as orders
from huaxiao.dispatch.rounds import handlers as rounds
from huaxiao.dispatch.tables import branches
from huaxiao.shared.database import Database
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.ticking import Job

JOBS: Mapping[str, Job] = {
    # First, so that what the others record does not enter evidence that is to be frozen.
    "appraisals": appraisals.keep_calendar,
    "places to come": placements.take_up,
    "orders left behind": orders.take_back,
    "rounds": rounds.create_due,
    "service clocks": clocks.ring,
    "holds": appointments.expire,
}
"""By the name that a failure is logged under, in the order in which they are done."""


async def known_branches(database: Database) -> Sequence[int]:
    """Return the branches that dispatch has been told of."""
    async with database.read(EVERYTHING) as connection:
        found = await connection.scalars(select(branches.c.branch_id).order_by("branch_id"))
        return found.all()
