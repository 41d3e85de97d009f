"""The counties this process has read, kept as long as nothing new is said about them."""

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county import store
from huaxiao.attribution.domain.organisation import Organisation
from huaxiao.attribution.domain.rule_sets import RuleBook
from huaxiao.attribution.rule_sets import store as rule_sets
from huaxiao.attribution.tables import branches


@dataclass(frozen=True, slots=True)
class County:
    """What decisions of a branch stand on: its organisation, and its rules."""

    organisation: Organisation
    rules: RuleBook


async def read(connection: AsyncConnection, branch_id: int) -> County | None:
    """Return a branch's county as of this transaction; None for a branch that is not known."""
    organisation = await store.organisation(connection, branch_id)
    if organisation is None:
        return None
    return County(organisation, await rule_sets.book(connection, branch_id))


@dataclass
class Counties:
    """Counties by branch, each as of a position in the contracts feed and its own rule sets."""

    _read: dict[int, tuple[tuple[int, int], County]] = field(default_factory=dict)

    async def county(self, connection: AsyncConnection, branch_id: int) -> County | None:
        """Return a branch's county as of this transaction; None for a branch that is not known."""
        known = (
            await store.position(connection, branch_id),
            await rule_sets.active_count(connection, branch_id),
        )
        held = self._read.get(branch_id)
        if held is not None and held[0] == known:
            return held[1]
        found = await read(connection, branch_id)
        if found is not None:
            self._read[branch_id] = (known, found)
        return found

    async def known(self, connection: AsyncConnection) -> Collection[int]:
        """Return the branches that are registered."""
        return set((await connection.execute(select(branches.c.branch_id))).scalars())
