"""Unresolved lines: how much of a month may be unresolved, and for how long a line."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.unresolved import store
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.attribution import UnresolvedLimits


async def set_limits(
    connection: AsyncConnection, branch_id: int, given: UnresolvedLimits, *, by: str, now: datetime
) -> UnresolvedLimits:
    """Set how much may be unresolved, and for how long.

    Raises:
        NotFound: the branch is not known.

    """
    if await intake.lock(connection, branch_id) is None:
        raise NotFound
    if await store.limits(connection, branch_id) != given:
        await store.set_limits(connection, branch_id, given, by=by, now=now)
    return given
