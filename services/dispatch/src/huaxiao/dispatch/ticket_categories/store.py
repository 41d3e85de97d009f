"""The lock under which ticket categories are drafted and activated."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

_DRAFTING = 28
"""Class of the advisory locks under which a branch's versions are drafted and activated."""


async def draft_alone(connection: AsyncConnection, branch_id: int) -> None:
    """Wait until nobody else changes this branch's versions, and keep others waiting."""
    await connection.execute(select(func.pg_advisory_xact_lock(_DRAFTING, branch_id)))
