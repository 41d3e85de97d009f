"""Rows of what came: counts by sender, day and outcome, and the ranges of senders' numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Table, and_, func, or_, select, text, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.sequences import Range, count_of, gaps, merged, runs
from huaxiao.attribution.tables import (
    UNPLACED,
    held_events,
    intake_counts,
    intake_sequences,
    unplaced_counts,
)
from huaxiao.shared.database import Frequent, adding
from huaxiao.shared.periods import BUSINESS_ZONE, business_day
from huaxiao.shared.wire.attribution import (
    Completeness,
    MissingNumbers,
    NumberRun,
    Outcome,
    SenderSequence,
)

_GAPS_SHOWN = 100
_RUNS_SHOWN = 100


def _adding_to(table: Table) -> Frequent:
    added = adding(table)
    return Frequent(
        added.on_conflict_do_update(
            index_elements=list(table.primary_key),
            set_={"events": table.c.events + added.excluded.events},
        )
    )


_COUNT, _COUNT_UNPLACED = _adding_to(intake_counts), _adding_to(unplaced_counts)


class _Held(NamedTuple):
    """What is still in quarantine, since when, and what of it waits; what has been dismissed."""

    events: int = 0
    oldest: datetime | None = None
    parked: int = 0
    oldest_parked: datetime | None = None
    dismissed: int = 0


async def count(
    connection: AsyncConnection,
    branch_id: int,
    outcomes: Mapping[tuple[str, Outcome], int],
    *,
    now: datetime,
) -> None:
    """Add a batch's outcomes to its senders' day."""
    if not outcomes:
        return
    rows = [
        {
            "branch_id": branch_id,
            "day": business_day(now),
            "source": source,
            "outcome": outcome,
            "events": events,
        }
        for (source, outcome), events in sorted(outcomes.items())
    ]
    await _COUNT.rows(connection, rows=msgspec.json.encode(rows).decode())


async def count_unplaced(
    connection: AsyncConnection,
    outcomes: Mapping[tuple[str, str, Outcome], int],
    *,
    now: datetime,
) -> None:
    """Add what came of events of no branch to the day of who posted them, and of their sources."""
    if not outcomes:
        return
    rows = [
        {
            "branch_id": UNPLACED,
            "posted_by": posted_by,
            "day": business_day(now),
            "source": source,
            "outcome": outcome,
            "events": events,
        }
        for (posted_by, source, outcome), events in sorted(outcomes.items())
    ]
    await _COUNT_UNPLACED.rows(connection, rows=msgspec.json.encode(rows).decode())


async def number(
    connection: AsyncConnection, branch_id: int, came: Mapping[str, Iterable[int]]
) -> None:
    """Remember which of their numbers senders' events carried, in as few ranges as can be."""
    table = intake_sequences
    for source, numbers in sorted(came.items()):
        new = merged((one, one) for one in numbers)
        touched = and_(
            table.c.branch_id == branch_id,
            table.c.source == source,
            or_(
                *(and_(table.c.first <= last + 1, table.c.last >= first - 1) for first, last in new)
            ),
        )
        removed = await connection.execute(
            table.delete().where(touched).returning(table.c.first, table.c.last)
        )
        ranges: list[Range] = [(row.first, row.last) for row in removed]
        await connection.execute(
            insert(table),
            [
                {"branch_id": branch_id, "source": source, "first": first, "last": last}
                for first, last in merged([*ranges, *new])
            ],
        )


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    first: date,
    last: date,
    source: str | None,
    after: tuple[str, str],
    limit: int,
    posted_by: str | None = None,
) -> list[Completeness]:
    """Return what came by day and sender; what belongs to no branch, of who posted it alone."""
    table = intake_counts if posted_by is None else unplaced_counts
    own = true() if posted_by is None else unplaced_counts.c.posted_by == posted_by
    keys = (
        await connection.execute(
            select(table.c.day, table.c.source)
            .where(
                table.c.branch_id == branch_id,
                own,
                table.c.day.between(first, last),
                true() if source is None else table.c.source == source,
                text("(day::text, source) > (:after_day, :after_source)").bindparams(
                    after_day=after[0], after_source=after[1]
                ),
            )
            .group_by(table.c.day, table.c.source)
            .order_by(table.c.day, table.c.source)
            .limit(limit)
        )
    ).all()
    if not keys:
        return []
    days = {key.day for key in keys}
    counts: Counter[tuple[date, str, str]] = Counter()
    for row in await connection.execute(
        select(table).where(table.c.branch_id == branch_id, own, table.c.day.in_(days))
    ):
        counts[row.day, row.source, row.outcome] += row.events
    kept = true() if posted_by is None else held_events.c.posted_by == posted_by
    held = await _held(connection, branch_id, min(days), max(days), kept)
    return [_row(key.day, key.source, counts, held) for key in keys]


def _row(
    day: date,
    source: str,
    counts: Counter[tuple[date, str, str]],
    held: Mapping[tuple[date, str], _Held],
) -> Completeness:
    of = {outcome: counts[day, source, outcome] for outcome in Outcome}
    still = held.get((day, source), _Held())
    return Completeness(
        day=day,
        source=source,
        received=sum(of.values()),
        booked=of[Outcome.BOOKED],
        duplicates=of[Outcome.DUPLICATE],
        parked=of[Outcome.PARKED],
        refused=of[Outcome.REFUSED],
        conflicts=of[Outcome.CONFLICT],
        held_now=still.events,
        oldest_held_at=still.oldest,
        parked_now=still.parked,
        oldest_parked_at=still.oldest_parked,
        dismissed_now=still.dismissed,
    )


async def _held(
    connection: AsyncConnection, branch_id: int, first: date, last: date, own: ColumnElement[bool]
) -> dict[tuple[date, str], _Held]:
    """Count what is in quarantine by the day it came, how long the oldest has been, what is dismissed."""
    table = held_events
    parked = table.c.outcome == Outcome.PARKED
    day = func.date(func.timezone(BUSINESS_ZONE.key, table.c.received_at))
    rows = await connection.execute(
        select(
            day.label("day"),
            func.coalesce(table.c.source, "").label("source"),
            func.count().label("events"),
            func.min(table.c.received_at).label("oldest"),
            func.count().filter(parked).label("parked"),
            func.min(table.c.received_at).filter(parked).label("oldest_parked"),
        )
        .where(
            table.c.branch_id == branch_id,
            own,
            table.c.resolved_at.is_(None),
            day.between(first, last),
        )
        .group_by(text("1, 2"))
    )
    found = {
        (row.day, row.source): _Held(row.events, row.oldest, row.parked, row.oldest_parked)
        for row in rows
    }
    # Asked apart, so that each is found by its own index among all that has ever been held.
    laid_down = await connection.execute(
        select(
            day.label("day"),
            func.coalesce(table.c.source, "").label("source"),
            func.count().label("events"),
        )
        .where(table.c.branch_id == branch_id, own, table.c.dismissed, day.between(first, last))
        .group_by(text("1, 2"))
    )
    for row in laid_down:
        key = (row.day, row.source)
        found[key] = found.get(key, _Held())._replace(dismissed=row.events)
    return found


async def sequences(
    connection: AsyncConnection, branch_id: int, *, after: str, limit: int
) -> list[SenderSequence]:
    """Return how far each sender's numbers have come, and which are missing."""
    table = intake_sequences
    sources = (
        await connection.execute(
            select(table.c.source)
            .where(table.c.branch_id == branch_id, table.c.source > after)
            .distinct()
            .order_by(table.c.source)
            .limit(limit)
        )
    ).scalars()
    found = []
    for source in list(sources):
        rows = await connection.execute(
            select(table.c.first, table.c.last)
            .where(table.c.branch_id == branch_id, table.c.source == source)
            .order_by(table.c.first)
        )
        ranges: list[Range] = [(row.first, row.last) for row in rows]
        parted = runs(ranges)
        missing = [gap for run in parted for gap in gaps(run)]
        found.append(
            SenderSequence(
                source=source,
                first=ranges[0][0],
                last=ranges[-1][1],
                missing_count=count_of(missing),
                missing=[
                    MissingNumbers(first=first, last=last) for first, last in missing[:_GAPS_SHOWN]
                ],
                runs=[
                    NumberRun(first=run[0][0], last=run[-1][1], came=count_of(run))
                    for run in parted[:_RUNS_SHOWN]
                ],
            )
        )
    return found
