"""The counties this process has read, kept as long as contracts says nothing new about them."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county import store
from huaxiao.attribution.domain.organisation import Organisation
from huaxiao.attribution.tables import branches


@dataclass
class Counties:
    """Organisations by branch, each as of a position in the contracts feed."""

    _read: dict[int, tuple[int, Organisation]] = field(default_factory=dict)

    async def organisation(
        self, connection: AsyncConnection, branch_id: int
    ) -> Organisation | None:
        """Return a branch's county as of this transaction; None for a branch that is not known."""
        position = await store.position(connection, branch_id)
        held = self._read.get(branch_id)
        if held is not None and held[0] == position:
            return held[1]
        found = await store.organisation(connection, branch_id)
        if found is not None:
            self._read[branch_id] = (position, found)
        return found

    async def known(self, connection: AsyncConnection) -> Collection[int]:
        """Return the branches that are registered."""
        return set((await connection.execute(select(branches.c.branch_id))).scalars())
