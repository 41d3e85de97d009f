"""The feeds: positions without gaps, and no follower ahead of what it follows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.cli.doctor.findings import Finding, Level, unless_found
from huaxiao.shared.feed import Feed

CHECK = "feeds"


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a branch's feed holds."""

    entries: int
    first: int
    last: int


async def check(
    connection: AsyncConnection, feeds: Mapping[str, Feed], followers: Mapping[str, Table]
) -> list[Finding]:
    """Look at every feed, by service, and at how far each follower says that it has come."""
    found: list[Finding] = []
    ends: dict[str, dict[int, int]] = {}
    for service, feed in feeds.items():
        heads = await _heads(connection, feed)
        held = await _held(connection, feed)
        ends[feed.source] = heads
        for branch_id in sorted({*heads, *held}):
            found += [
                Finding(
                    CHECK,
                    Level.WRONG,
                    what,
                    "Restore the service from a backup; followers read on from where they stand.",
                    service,
                    branch_id,
                )
                for what in feed_faults(heads.get(branch_id, 0), held.get(branch_id))
            ]
    for service, positions in followers.items():
        for row in await connection.execute(select(positions)):
            what = follower_fault(
                row.source, row.position, ends.get(row.source, {}).get(row.branch_id, 0)
            )
            if what is not None:
                found.append(_ahead(service, row.branch_id, what))
    return unless_found(CHECK, found, "positions run without gaps, and nobody is ahead of them")


def feed_faults(head: int, held: Stretch | None) -> Iterator[str]:
    """Yield what is wrong between a feed's counter and its entries."""
    entries, first, last = (held.entries, held.first, held.last) if held else (0, 1, 0)
    if entries != last - first + 1 or first != 1:
        yield f"positions {first} to {last} hold {entries} entries: some are missing"
    if last != head:
        yield f"the last entry is {last}, but positions up to {head} were given out"


def follower_fault(source: str, position: int, end: int) -> str | None:
    """Say that a follower is ahead of what it follows."""
    if position <= end:
        return None
    return f"has followed {source} up to {position}, which ends at {end}"


def _ahead(service: str, branch_id: int, what: str) -> Finding:
    next_step = (
        "The followed service was put back to an older state: restore both from backups of one"
        " moment. For kpi, `huaxiao rebuild-kpi` makes its figures again."
    )
    return Finding(CHECK, Level.WRONG, what, next_step, service, branch_id)


async def _heads(connection: AsyncConnection, feed: Feed) -> dict[int, int]:
    rows: Sequence[tuple[int, int]] = [
        (row.branch_id, row.position) for row in await connection.execute(select(feed.heads))
    ]
    return dict(rows)


async def _held(connection: AsyncConnection, feed: Feed) -> dict[int, Stretch]:
    table = feed.entries
    rows = await connection.execute(
        select(
            table.c.branch_id,
            func.count().label("entries"),
            func.min(table.c.position).label("first"),
            func.max(table.c.position).label("last"),
        ).group_by(table.c.branch_id)
    )
    return {row.branch_id: Stretch(row.entries, row.first, row.last) for row in rows}
