"""What is wrong when all is quiet again: nothing, if the promises hold."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import asyncpg
from sqlalchemy.engine import make_url
from support.county_at_work import IN_THE_BOOKS, PAID_IN, Work
from support.processes import Processes

from huaxiao.cli.doctor.examining import examine
from huaxiao.cli.doctor.findings import Level
from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM
from huaxiao.cli.story import NotSeenError, Story, until
from huaxiao.shared.auth import Role
from huaxiao.shared.clock import system_clock
from huaxiao.shared.wire.attribution import Outcome
from huaxiao.shared.wire.dispatch import OrderState
from huaxiao.shared.wire.kpi import Unit

_CONVERGED_SECONDS = 90.0
_PUBLISHING = ("contracts", "attribution", "dispatch")
_AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What the driver says of a server that has gone, or has said that it goes and not gone yet."""


async def findings(
    work: Work, *, database_url: str, contracts_url: str, answered_500: Callable[[], list[str]]
) -> list[str]:
    """Say what is wrong; the database is looked at as its superuser.

    What lies in the database is looked at first: where that is wrong already, nobody waits for it
    to come right.
    """
    found = list(work.torn) + answered_500()
    if work.unseen:
        some = sorted(work.unseen)[:3]
        found.append(f"{len(work.unseen)} events acknowledged and not there to be seen: {some}")
    found += (
        await _kept(database_url, work)
        + await _on_record(database_url, work)
        + await _feeds(database_url)
        + await _doctor(contracts_url, database_url, work.story)
    )
    if found:
        return found
    try:
        await _all_come_to_the_same(work)
    except NotSeenError as error:
        return [str(error)]
    found += await _books(work.story)
    found += await _work_and_pay(work)
    found += await _kept(database_url, work) + await _on_record(database_url, work)
    found += await _feeds(database_url)
    return found + await _doctor(contracts_url, database_url, work.story) + answered_500()


def answered_500(processes: Processes) -> list[str]:
    """Find requests that a service could not answer, other than by saying that it is away."""
    found = []
    for one in processes.of.values():
        lines = [line for line in one.said().splitlines() if '" 500 ' in line]
        if lines:
            found.append(f"{one.service} answered 500 {len(lines)} times: {lines[0]}")
    return found


# --- convergence --------------------------------------------------------------------------------


async def _all_come_to_the_same(work: Work) -> None:
    """Wait until nothing is left to follow, and every order is worked off."""
    story, expected = work.story, work.story.sample.expected

    async def all_there() -> bool:
        orders = await story.orders_now()
        return len(orders) == expected.orders + len(work.orders)

    await until(all_there, "every order is there, once", patience=_CONVERGED_SECONDS)
    await story.orders()
    await work.work_off()

    async def followed() -> bool:
        return (
            await _accounts(story) == await _balances(story)
            and await _measured(story, "orders.done", TERM_FROM) == expected.orders
            and await _measured(story, "pay", PAID_IN) == sum(work.pay_fen.values())
        )

    began = time.monotonic()
    try:
        await until(followed, "kpi follows the other three", patience=_CONVERGED_SECONDS)
        work.drained = time.monotonic() - began
    except NotSeenError as error:
        kpi, attribution = await _accounts(story), await _balances(story)
        done = await _measured(story, "orders.done", TERM_FROM)
        pay = await _measured(story, "pay", PAID_IN)
        raise NotSeenError(
            f"{error}; accounts apart: {_differences(kpi, attribution)},"
            f" orders done {done} of {expected.orders}, pay {pay} of {sum(work.pay_fen.values())}"
        ) from error


async def _balances(story: Story) -> dict[tuple[str, str], int]:
    sums: Counter[tuple[str, str]] = Counter()
    for one in await story.attribution.balances(BRANCH_ID, period=TERM_FROM):
        sums[one.centre_id, one.account] += one.amount_fen
    return {key: amount for key, amount in sums.items() if amount}


async def _accounts(story: Story) -> dict[tuple[str, str], int]:
    return {
        (one.centre_id, one.measure): one.amount
        for one in await story.kpi.measures(BRANCH_ID, period=TERM_FROM)
        if one.unit is Unit.FEN and one.measure != "pay" and one.amount
    }


async def _measured(story: Story, measure: str, period: int) -> int:
    return sum(
        one.amount
        for one in await story.kpi.measures(BRANCH_ID, period=period)
        if one.measure == measure
    )


def _differences(one: Mapping[Any, int], other: Mapping[Any, int]) -> dict[Any, int]:
    apart = {key: one.get(key, 0) - other.get(key, 0) for key in {*one, *other}}
    return {key: amount for key, amount in sorted(apart.items())[:5] if amount}


# --- the books ----------------------------------------------------------------------------------


async def _books(story: Story) -> list[str]:
    """Hold the books to what the sample must come to, and draft its statements."""
    expected, books = story.sample.expected, await story.books()
    found = []
    if not books.billed_fen == books.booked_fen == expected.billed_fen:
        found.append(f"booked {books.booked_fen} of {expected.billed_fen} fen")
    if books.ledger_sum_fen:
        found.append(f"the ledger sums to {books.ledger_sum_fen} fen")
    revenue = {one.centre_id: one.amount_fen for one in books.revenue_by_centre}
    if revenue != expected.revenue_fen:
        found.append(f"revenue apart: {_differences(revenue, expected.revenue_fen)}")
    kept = sum(expected.refused_forms.values()) + expected.unknown_refunds + expected.other_bodies
    if sum(books.held.values()) != kept:
        found.append(f"{sum(books.held.values())} events are in quarantine, not {kept}")
    statements = await story.settle()
    if not statements or not await story.recomputed(statements):
        found.append("statements do not come out again")
    return found


async def _work_and_pay(work: Work) -> list[str]:
    """Hold orders and pay to what people were told of them."""
    story = work.story
    states = {one.order_id: one.state for one in await story.orders_now()}
    lost = {one: state for one, state in work.done.items() if states.get(one) != state}
    found = [f"orders said to be done are not: {lost}"] if lost else []
    confirmed = sum(one is OrderState.CONFIRMED for one in work.done.values())
    if confirmed != story.sample.expected.orders:
        found.append(f"{confirmed} orders were confirmed, not {story.sample.expected.orders}")
    pay = {
        one.centre_id: one.amount
        for one in await story.kpi.measures(BRANCH_ID, period=PAID_IN)
        if one.measure == "pay"
    }
    if pay != dict(work.pay_fen):
        found.append(f"pay apart: {_differences(pay, work.pay_fen)}")
    return found


# --- in the database ----------------------------------------------------------------------------


async def _with_connection(
    database_url: str, look: Callable[[asyncpg.Connection], Awaitable[list[str]]]
) -> list[str]:
    connection = await asyncpg.connect(database_url)
    try:
        return await look(connection)
    finally:
        await connection.close()


class Looking:
    """Looks into the database while the county is at work, past every service, one look at a time."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._connection: asyncpg.Connection | None = None
        self._one_at_a_time = asyncio.Lock()

    async def missing(self, keys: Collection[tuple[str, str]]) -> Collection[tuple[str, str]]:
        """Tell which booked events are not there now; none where the database is away."""
        rows = await self._rows(
            "SELECT source, event_id FROM unnest($1::text[], $2::text[]) AS w (source, event_id)"
            " EXCEPT SELECT source, event_id FROM attribution.received_events",
            [source for source, _ in keys],
            [event_id for _, event_id in keys],
        )
        return [(row["source"], row["event_id"]) for row in rows]

    async def followed(self) -> tuple[int, ...] | None:
        """Tell how far kpi has come, and how much it has stored; None where the database is away."""
        rows = await self._rows(
            "SELECT (SELECT sum(position)::bigint FROM kpi.feed_positions),"
            " (SELECT count(*) FROM kpi.measure_changes)"
        )
        return tuple(rows[0]) if rows else None

    async def _rows(self, query: str, *given: object) -> list[asyncpg.Record]:
        try:
            async with self._one_at_a_time:
                if self._connection is None or self._connection.is_closed():
                    self._connection = await asyncpg.connect(self._url)
                rows: list[asyncpg.Record] = await self._connection.fetch(query, *given)
        except _AWAY:
            return []
        return rows

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.terminate()


async def _kept(database_url: str, work: Work) -> list[str]:
    """Find what was acknowledged and is not there, or is there more than once."""

    async def look(connection: asyncpg.Connection) -> list[str]:
        received = await connection.fetch(
            "SELECT source, event_id FROM attribution.received_events"
        )
        held = await connection.fetch("SELECT source, event_id FROM attribution.held_events")
        notes = await connection.fetch("SELECT text FROM dispatch.order_notes")
        orders = await connection.fetch(
            "SELECT reference FROM dispatch.orders WHERE reference LIKE 'chaos-%'"
        )
        recorded = await connection.fetchval(
            "SELECT count(*) FROM dispatch.audit_entries WHERE path LIKE '%/notes'"
        )
        taken = await connection.fetch(
            "SELECT order_id, step, count(*) AS times FROM dispatch.order_steps"
            " WHERE step IN ('accept', 'start', 'finish', 'confirm') GROUP BY order_id, step"
        )
        steps = [row for row in taken if row["times"] > 1]
        steps_recorded = await connection.fetchval(
            "SELECT count(*) FROM dispatch.audit_entries WHERE path LIKE '%/orders/%/steps'"
        )
        there = {tuple(row) for row in received}
        known = there | {tuple(row) for row in held}
        booked = {key for key, outcome in work.acknowledged.items() if outcome in IN_THE_BOOKS}
        other = {
            key
            for key, outcome in work.acknowledged.items()
            if outcome in {Outcome.REFUSED, Outcome.PARKED} and "None" not in key
        }
        found = []
        if booked - there:
            found.append(
                f"{len(booked - there)} of {len(booked)} acknowledged events are lost:"
                f" {sorted(booked - there)[:3]}"
            )
        if other - known:
            found.append(f"{len(other - known)} events that were not booked are not kept")
        found += _once("notes", [row["text"] for row in notes], work.notes)
        found += _once("orders", [row["reference"] for row in orders], work.orders)
        if recorded != len(notes):
            found.append(f"{recorded} notes are on record of {len(notes)} that were made")
        if steps_recorded != sum(row["times"] for row in taken):
            found.append(f"{steps_recorded} steps are on record of {len(taken)} that were taken")
        if steps:
            found.append(f"steps were taken twice: {[tuple(row) for row in steps[:3]]}")
        return found

    return await _with_connection(database_url, look)


async def _on_record(database_url: str, work: Work) -> list[str]:
    """Find what became of events that were posted and is not on record, or more often than it was."""

    async def look(connection: asyncpg.Connection) -> list[str]:
        rows = await connection.fetch(
            "SELECT told.key AS outcome, sum(told.value::bigint)::bigint AS times"
            " FROM attribution.audit_entries, jsonb_array_elements(changes) AS change,"
            " jsonb_each_text(change -> 'outcomes') AS told"
            " WHERE method = 'POST' AND path LIKE '%/v1/events' GROUP BY told.key"
        )
        recorded = Counter({Outcome(row["outcome"]): row["times"] for row in rows})
        booked, at_once = await connection.fetchrow(
            "SELECT count(*), count(*) FILTER (WHERE NOT EXISTS ("
            "  SELECT FROM attribution.held_events AS held"
            "  WHERE (held.branch_id, held.source, held.event_id)"
            "  = (received.branch_id, received.source, received.event_id)))"
            " FROM attribution.received_events AS received"
        )
        lost = work.told - recorded
        found = [f"told and not on record: {dict(lost)}"] if lost else []
        # What waited in quarantine was not booked by a request that tells so, or was.
        if not at_once <= recorded[Outcome.BOOKED] <= booked:
            found.append(
                f"{recorded[Outcome.BOOKED]} booked events are on record, of {booked} that are"
                f" there, {at_once} of which never waited"
            )
        return found

    return await _with_connection(database_url, look)


def _once(what: str, there: list[str], told: set[str]) -> list[str]:
    """Hold what is there to what was said to be: every one of it, once."""
    counted = Counter(there)
    lost = sorted(told - counted.keys())
    doubled = sorted(one for one, times in counted.items() if times > 1)
    found = [f"{len(lost)} of {len(told)} {what} are lost: {lost[:3]}"] if lost else []
    return found + ([f"{what} are there twice: {doubled[:3]}"] if doubled else [])


async def _feeds(database_url: str) -> list[str]:
    """Find feeds with a hole, and heads that are not at their end."""

    async def look(connection: asyncpg.Connection) -> list[str]:
        found = []
        for service in _PUBLISHING:
            rows = await connection.fetch(
                f"SELECT branch_id, count(*) AS held, max(position) AS last,"
                f" (SELECT position FROM {service}.feed_heads heads"
                f"  WHERE heads.branch_id = entries.branch_id) AS head"
                f" FROM {service}.feed_entries entries GROUP BY branch_id"
            )
            found += [
                f"{service}'s feed has a hole: {dict(row)}"
                for row in rows
                if not row["held"] == row["last"] == row["head"]
            ]
        return found

    return await _with_connection(database_url, look)


async def _doctor(contracts_url: str, database_url: str, story: Story) -> list[str]:
    """Ask ``huaxiao doctor``."""
    found = await examine(
        make_url(database_url),
        anchors=None,
        contracts_url=contracts_url,
        token=lambda _: story.suite.token(Role.AUDITOR)(),
        now=system_clock(),
    )
    return [
        f"doctor: {one.check}: {one.service or ''} {one.what}"
        for one in found.findings
        if one.level is Level.WRONG
    ]
