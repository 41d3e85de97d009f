"""The counties this process has read, kept as long as nothing new is said about them."""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county import store
from huaxiao.attribution.domain.organisation import Organisation
from huaxiao.attribution.domain.rule_sets import RuleBook
from huaxiao.attribution.domain.telling.case import Names
from huaxiao.attribution.domain.timelines import Timeline
from huaxiao.attribution.rule_sets import store as rule_sets
from huaxiao.attribution.tables import branches
from huaxiao.shared.periods import Period

TIMELINES_KEPT = 400_000
"""Subscriptions whose owners a process remembers, about half a kilobyte each: more than a county has."""


@dataclass(frozen=True, slots=True)
class County:
    """What decisions of a branch stand on: its organisation, its rules, and what all of it is called."""

    organisation: Organisation
    rules: RuleBook
    names: Names


@dataclass(frozen=True, slots=True)
class Standing:
    """A branch as this process saw it last under the branch's lock; others may have gone on since."""

    county: County
    closed_through: Period | None
    mark: int
    timelines: dict[str, Timeline]
    """Whose subscriptions are, as of the mark; of those that were asked for."""

    def is_like(self, other: "Standing") -> bool:
        """Say whether what is booked on one is what would be booked on the other."""
        return (
            self.county is other.county
            and self.mark == other.mark
            and self.closed_through == other.closed_through
            and self.timelines is other.timelines
        )


async def read(connection: AsyncConnection, branch_id: int) -> County | None:
    """Return a branch's county as of this transaction; None for a branch that is not known."""
    organisation = await store.organisation(connection, branch_id)
    if organisation is None:
        return None
    rules = await rule_sets.book(connection, branch_id)
    return County(organisation, rules, await store.names(connection, branch_id))


@dataclass
class Counties:
    """What this process remembers of branches, each part for as long as the database says it holds."""

    _read: dict[int, tuple[tuple[int, int], County]] = field(default_factory=dict)
    """Counties as of a position in the contracts feed and a number of active rule sets."""
    _registered: set[int] = field(default_factory=set)
    _seen: OrderedDict[int, Standing] = field(default_factory=OrderedDict)
    """The branch written to last comes last."""

    async def county(self, connection: AsyncConnection, branch_id: int) -> County | None:
        """Return a branch's county as of this transaction; None for a branch that is not known."""
        known = await store.standing_on(connection, branch_id)
        held = self._read.get(branch_id)
        if held is not None and held[0] == known:
            return held[1]
        found = await read(connection, branch_id)
        if found is not None:
            self._read[branch_id] = (known, found)
        return found

    async def registered(
        self, connection: AsyncConnection, branch_ids: Collection[int]
    ) -> set[int]:
        """Return which of these branches are registered."""
        if missing := set(branch_ids) - self._registered:
            found = await connection.scalars(
                select(branches.c.branch_id).where(branches.c.branch_id.in_(missing))
            )
            self._registered |= set(found)
        return self.known_registered(branch_ids)

    def known_registered(self, branch_ids: Collection[int]) -> set[int]:
        """Return which of these are known to be: a branch that is registered once stays so."""
        return set(branch_ids) & self._registered

    def seen(self, branch_id: int) -> Standing | None:
        """Return a branch as it was seen last; None while somebody is at work on it."""
        return self._seen.get(branch_id)

    def borrow(self, branch_id: int, mark: int) -> dict[str, Timeline]:
        """Take out the timelines read so far as of a mark, to add to them.

        Borrow under the branch's lock only, and ``keep`` what came of it at the end: under another
        mark when something was decided, so that nothing holds if the transaction then fails.
        """
        standing = self._seen.pop(branch_id, None)
        return {} if standing is None or standing.mark != mark else standing.timelines

    def keep(self, branch_id: int, standing: Standing) -> None:
        """Remember how a branch stands; what is known of those longest not written to goes."""
        self._seen[branch_id] = standing
        self._seen.move_to_end(branch_id)
        while sum(len(one.timelines) for one in self._seen.values()) > TIMELINES_KEPT:
            self._seen.popitem(last=False)
