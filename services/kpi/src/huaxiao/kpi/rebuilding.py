"""Make everything again that the feeds told: empty the tables, follow from the start, compare.

``python -m huaxiao.kpi.rebuilding`` reads ``KPI_MIGRATION_DATABASE_URL``, the owner's, and needs the
service to run beside it: whoever follows the feeds finds the positions at zero and fills the tables.
What people decided (figures, targets of units) is not touched.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Table, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from huaxiao.kpi import tables
from huaxiao.shared.rows import OPENED

_TOLD: Mapping[Table, str] = {
    tables.branches: "/contracts",
    tables.centres: "/contracts",
    tables.centre_changes: "/contracts",
    tables.places: "/contracts",
    tables.contracts: "/contracts",
    tables.base_months: "/contracts",
    tables.reorganisations: "/contracts",
    tables.closed_periods: "/attribution",
    tables.uncounted_periods: "/attribution",
}
"""What keeps facts by the position of the feed they came from."""
_SUMS = (tables.measures, tables.field_measures)
_POLL_SECONDS = 0.5
_PATIENCE_SECONDS = 120.0


class NotFollowedError(RuntimeError):
    """Nobody follows the feeds, so the tables do not fill."""


@dataclass(frozen=True)
class Held:
    """What stood in the tables, up to how far each branch's feeds were followed."""

    positions: Mapping[tuple[int, str], int]
    digests: Mapping[str, tuple[int, int]]
    """Of each table how many rows, and a sum over the hashes of all, whatever their order."""


@dataclass(frozen=True)
class Rebuilt:
    """What came out, beside what was there before."""

    before: Held
    after: Held
    sums_that_differ: int
    """Kept sums that are not the sum of their changes."""

    @property
    def identical(self) -> bool:
        """Whether every row that was there is there again, no other, and the sums add up."""
        return self.before.digests == self.after.digests and not self.sums_that_differ

    def differing(self) -> list[str]:
        """Name the tables that came out otherwise."""
        before, after = self.before.digests, self.after.digests
        return [name for name, held in before.items() if after[name] != held]


async def rebuild(
    url: URL,
    *,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
    patience_seconds: float = _PATIENCE_SECONDS,
) -> Rebuilt:
    """Empty the tables as their owner, wait until the feeds are followed again, compare.

    Raises:
        NotFollowedError: nothing was followed for a while.

    """
    engine = create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        connect_args={"server_settings": OPENED},
    )
    try:
        async with engine.begin() as connection:
            before = await _empty(connection)
        loop = asyncio.get_running_loop()
        done, since = -1, loop.time()
        goal = sum(before.positions.values())
        while True:
            async with engine.connect() as connection:
                held = await _positions(connection)
            reached = sum(min(held[one], last) for one, last in before.positions.items())
            tell(reached, goal)
            if reached == goal:
                break
            if reached > done:
                done, since = reached, loop.time()
            elif loop.time() - since > patience_seconds:
                raise NotFollowedError(f"stopped at {reached} of {goal} entries")
            await asyncio.sleep(_POLL_SECONDS)
        async with engine.connect() as connection:
            after = Held(held, await _digests(connection, before.positions))
            return Rebuilt(before, after, await _sums_that_differ(connection))
    finally:
        await engine.dispose()


async def _empty(connection: AsyncConnection) -> Held:
    everything = (*_TOLD, tables.measure_changes, *_SUMS)
    names = ", ".join(one.fullname for one in everything)
    # Whoever applies entries is waited for; whoever comes later finds its position moved.
    await connection.execute(text(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE"))
    positions = await _positions(connection)
    before = Held(positions, await _digests(connection, positions))
    await connection.execute(text(f"TRUNCATE {names}"))
    await connection.execute(text("UPDATE kpi.feed_positions SET position = 0"))
    return before


async def _positions(connection: AsyncConnection) -> dict[tuple[int, str], int]:
    rows = await connection.execute(
        text("SELECT branch_id, source, position FROM kpi.feed_positions")
    )
    return {(row.branch_id, row.source): row.position for row in rows}


async def _digests(
    connection: AsyncConnection, positions: Mapping[tuple[int, str], int]
) -> dict[str, tuple[int, int]]:
    """Digest what feeds told up to some positions: what came since is of no account."""
    found = {}
    given = {
        "branches": [branch_id for branch_id, _ in positions],
        "sources": [source for _, source in positions],
        "lasts": list(positions.values()),
    }
    for table in (*_TOLD, tables.measure_changes):
        source = "held.source" if table is tables.measure_changes else f"'{_TOLD[table]}'"
        columns = ", ".join(f"held.{one.name}" for one in table.columns)
        row = (
            await connection.execute(
                text(
                    f"SELECT count(*), coalesce(sum(hashtextextended(ROW({columns})::text, 0)), 0)"  # noqa: S608 - names of tables
                    f" FROM {table.fullname} AS held"
                    " JOIN unnest(CAST(:branches AS int[]), CAST(:sources AS text[]),"
                    "             CAST(:lasts AS bigint[])) AS up_to (branch_id, source, last)"
                    f" ON up_to.branch_id = held.branch_id AND up_to.source = {source}"
                    " AND held.position <= up_to.last"
                ),
                given,
            )
        ).one()
        found[table.name] = (int(row[0]), int(row[1]))
    return found


async def _sums_that_differ(connection: AsyncConnection) -> int:
    found = 0
    for table in _SUMS:
        key = [one.name for one in table.primary_key.columns]
        named = ", ".join(key)
        of_fields = "WHERE field_id IS NOT NULL" if "field_id" in key else ""
        same = " AND ".join(f"kept.{one} = summed.{one}" for one in key)
        found += (
            await connection.execute(
                text(
                    f"SELECT count(*) FROM {table.fullname} AS kept FULL JOIN"  # noqa: S608 - names of tables
                    f" (SELECT {named}, sum(amount) AS amount FROM kpi.measure_changes {of_fields}"
                    f"  GROUP BY {named}) AS summed ON {same}"
                    " WHERE kept.amount IS DISTINCT FROM summed.amount"
                )
            )
        ).scalar_one()
    return found


def main() -> None:
    """Rebuild the service whose owner's URL is in the environment; 1 when something differs."""
    done = asyncio.run(rebuild(make_url(os.environ["KPI_MIGRATION_DATABASE_URL"])))
    lines = [f"{name}: {count} rows" for name, (count, _) in done.after.digests.items()]
    lines += [f"{name} came out otherwise" for name in done.differing()]
    if done.sums_that_differ:
        lines.append(f"{done.sums_that_differ} kept sums are not the sum of their changes")
    sys.stdout.write("\n".join(lines) + "\n")
    raise SystemExit(0 if done.identical else 1)


if __name__ == "__main__":
    main()
