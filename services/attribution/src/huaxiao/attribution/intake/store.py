"""Rows of intake: what is known is read by sets, what is new is written by COPY."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec
from sqlalchemy import BigInteger, DateTime, Table, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.books import Document, Known, Produced
from huaxiao.attribution.domain.commissions import Commission, Earning
from huaxiao.attribution.domain.decisions import Decided
from huaxiao.attribution.domain.earnings import COLLECTING, collected_by
from huaxiao.attribution.domain.evidence import Evidence
from huaxiao.attribution.domain.histories import (
    Baseline,
    BundleStatement,
    Change,
    Lead,
    Line,
    Ruling,
)
from huaxiao.attribution.domain.postings import Balances, Entry
from huaxiao.attribution.domain.timelines import Owner, Stretch, Timeline
from huaxiao.attribution.domain.totals import Total
from huaxiao.attribution.tables import (
    baselines,
    bundle_members,
    bundle_statements,
    commissions,
    decisions,
    deferred_decisions,
    disputes,
    documents,
    entries,
    held_events,
    intakes,
    leads,
    periods,
    received_events,
    settled_items,
    subscription_changes,
    subscriptions,
)
from huaxiao.shared.database import Copying, Frequent
from huaxiao.shared.periods import Period
from huaxiao.shared.values import items_of

_OWNER_COLUMNS = (
    *("subscription_id", "version", "from_period", "centre_id", "field_id"),
    *("unit_rule", "field_rule", "flags", "evidence_digest"),
)
_BY_VERSION = "ORDER BY subscription_id, version, from_period"
_LINE_COLUMNS = tuple(Line.__dataclass_fields__)
_line_values = attrgetter(*_LINE_COLUMNS)
_change_values = attrgetter(*Change.__dataclass_fields__)
_statement_values = attrgetter(*BundleStatement.__dataclass_fields__)
_baseline_values = attrgetter(*Baseline.__dataclass_fields__)
_lead_values = attrgetter(*Lead.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Intake:
    """A branch's counters, read under its lock."""

    entries: int
    held: int
    resolved: int
    """How many of the held ones have left quarantine since."""
    commissions: int
    mark: int
    """Another one whenever somebody has decided."""
    closed_through: Period | None
    settled_until: datetime | None
    """Nothing more is booked before it."""

    @property
    def in_quarantine(self) -> int:
        """How many events are held."""
        return self.held - self.resolved

    def not_before(self, now: datetime) -> datetime:
        """Return the moment to book at: entries' moments never go back as their numbers go on."""
        return now if self.settled_until is None else max(now, self.settled_until)


@dataclass(frozen=True, slots=True)
class Held:
    """An event in quarantine, but for its body."""

    number: int
    digest: bytes
    source: str | None
    event_id: str | None
    outcome: str
    code: str
    message: str
    message_zh: str
    waiting_for: str | None


@dataclass(frozen=True, slots=True)
class Waiter:
    """An event in quarantine that waits for another, to be read again."""

    number: int
    body: bytes
    posted_by: str


@dataclass(frozen=True, slots=True)
class NewHeld:
    """An event about to be kept in quarantine."""

    digest: bytes
    source: str | None
    event_id: str | None
    type: str | None
    outcome: str
    code: str
    message: str
    message_zh: str
    waiting_for: str | None
    body: bytes
    posted_by: str


_held_values = attrgetter(*NewHeld.__dataclass_fields__)


_LOCK = Frequent(
    select(intakes).where(intakes.c.branch_id == bindparam("branch_id")).with_for_update()
)


async def lock(connection: AsyncConnection, branch_id: int) -> Intake | None:
    """Take a branch's bookings for this transaction; None when there is no such branch."""
    rows = await _LOCK.rows(connection, branch_id=branch_id)
    if not rows:
        return None
    (row,) = rows
    closed = None if row["closed_through"] is None else Period(row["closed_through"])
    return Intake(
        row["entries"],
        row["held"],
        row["resolved"],
        row["commissions"],
        row["decided_mark"],
        closed,
        row["settled_until"],
    )


async def closed_through(connection: AsyncConnection, branch_id: int) -> Period | None:
    """Return the last closed period of a branch, without keeping bookings out."""
    found: int | None = await connection.scalar(
        select(intakes.c.closed_through).where(intakes.c.branch_id == branch_id)
    )
    return None if found is None else Period(found)


async def after_closing(connection: AsyncConnection, branch_id: int) -> datetime | None:
    """Return the first moment after the newest closing; None while nothing is closed.

    Two processes' clocks may differ: what is decided after a closing says so nevertheless.
    """
    closed_at: datetime | None = await connection.scalar(
        select(func.max(periods.c.closed_at)).where(periods.c.branch_id == branch_id)
    )
    return None if closed_at is None else closed_at + timedelta(microseconds=1)


# --- what has come before -----------------------------------------------------------------------

_RECEIVED = text(
    "SELECT r.source, r.event_id, r.digest FROM attribution.received_events r"
    " JOIN unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) AS w(source, event_id)"
    " ON r.branch_id = :branch_id AND r.source = w.source AND r.event_id = w.event_id"
)
_HELD = (
    "SELECT h.number, h.digest, h.source, h.event_id, h.outcome, h.code, h.message, h.message_zh,"
    " h.waiting_for FROM attribution.held_events h"
    " WHERE h.branch_id = :branch_id AND h.resolved_at IS NULL"
)
_ALL_HELD = text(f"{_HELD} ORDER BY h.number")
# Each is looked for by an index of its own; of joins with all of them some plans are much worse.
_LIKE = (
    f"{_HELD} AND h.digest = w.digest"
    f" UNION ALL {_HELD} AND h.source = w.source AND h.event_id = w.event_id"
    f" UNION ALL {_HELD} AND h.waiting_for = w.waiting_for"
)
_HELD_LIKE = text(
    "SELECT h.* FROM unnest(CAST(:digests AS bytea[]), CAST(:sources AS text[]), CAST(:ids AS text[]),"  # noqa: S608 - fixed texts
    " CAST(:waiting AS text[])) AS w(digest, source, event_id, waiting_for)"
    f" CROSS JOIN LATERAL ({_LIKE}) AS h ORDER BY h.number"
)
_HELD_WAITING = text(
    "SELECT h.number, h.body, h.posted_by FROM attribution.held_events h"
    " JOIN unnest(CAST(:keys AS text[])) AS w(key)"
    " ON h.branch_id = :branch_id AND h.waiting_for = w.key WHERE h.resolved_at IS NULL ORDER BY h.number"
)


def _pairs(keys: Collection[tuple[str, str]]) -> dict[str, list[str]]:
    return {"sources": [one for one, _ in keys], "ids": [one for _, one in keys]}


async def received(
    connection: AsyncConnection, branch_id: int, keys: Collection[tuple[str, str]]
) -> dict[tuple[str, str], bytes]:
    """Return the digests of the events that were taken in before, by source and id."""
    rows = await connection.execute(_RECEIVED, {"branch_id": branch_id} | _pairs(keys))
    return {(row.source, row.event_id): row.digest for row in rows}


_MENDED = text(
    "SELECT h.digest FROM attribution.held_events h"
    " JOIN unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) AS w(source, event_id)"
    " ON h.branch_id = :branch_id AND h.source = w.source AND h.event_id = w.event_id"
    " WHERE h.resolved_at IS NOT NULL AND NOT h.dismissed"
)


async def mended(
    connection: AsyncConnection, branch_id: int, keys: Collection[tuple[str, str]]
) -> set[bytes]:
    """Return the digests of what left quarantine under these identities for the books."""
    return set(await connection.scalars(_MENDED, {"branch_id": branch_id} | _pairs(keys)))


async def held_like(
    connection: AsyncConnection,
    branch_id: int,
    keys: AbstractSet[tuple[str, str]],
    digests: AbstractSet[bytes],
    *,
    in_quarantine: int,
    waiting: AbstractSet[str] = frozenset(),
) -> list[Held]:
    """Return what is in quarantine under these identities, with these very bytes, or waits for these.

    It is one statement. Of what came and what is ``in_quarantine`` the fewer are told to the other side.
    """
    if in_quarantine <= len(digests):
        rows = await connection.execute(_ALL_HELD, {"branch_id": branch_id})
        every = [Held(*row) for row in rows]
        return [
            one
            for one in every
            if one.digest in digests
            or (one.source, one.event_id) in keys
            or one.waiting_for in waiting
        ]
    asked = {"branch_id": branch_id, "digests": list(digests), "waiting": list(waiting)}
    rows = await connection.execute(_HELD_LIKE, asked | _pairs(keys))
    return list({row.number: Held(*row) for row in rows}.values())


async def waiting_for(
    connection: AsyncConnection, branch_id: int, keys: Collection[str]
) -> list[Waiter]:
    """Return the parked events that wait for one of these."""
    rows = await connection.execute(_HELD_WAITING, {"branch_id": branch_id, "keys": list(keys)})
    return [Waiter(*row) for row in rows]


# --- loading what decisions need ----------------------------------------------------------------


async def _named(
    connection: AsyncConnection,
    query: str,
    branch_id: int,
    ids: Collection[str],
    rest: str = "",
    *,
    key: str = "subscription_id",
    **given: object,
) -> Sequence[Any]:
    """Return the rows of a branch whose key is one of these, in one query however many they are."""
    if not ids:
        return ()
    found = await connection.execute(
        text(
            f"{query} JOIN unnest(CAST(:ids AS text[])) AS named(id)"
            f" ON branch_id = :branch_id AND {key} = named.id {rest}"
        ),
        {"branch_id": branch_id, "ids": sorted(ids)} | given,
    )
    return found.all()


async def load_lines(
    connection: AsyncConnection,
    branch_id: int,
    known: Known,
    *,
    subscription_ids: Iterable[str],
    bundle_ids: Iterable[str] = (),
    dependents: bool,
) -> None:
    """Load lines with everything their evidence reaches: changes, bundles, members, main cards.

    With ``dependents`` also the secondary cards, whose evidence reaches these lines.
    """
    wanted = set(subscription_ids) - known.loaded
    bundles = set(bundle_ids)
    while wanted or bundles:
        asked = wanted
        known.loaded |= asked
        bundles |= await _load_lines(connection, branch_id, known, asked)
        members = await _load_statements(connection, branch_id, known, bundles)
        mains = {
            line.main_subscription_id
            for one in asked
            if (line := known.lines.get(one)) and line.main_subscription_id
        }
        secondaries = (
            await _load_secondaries(connection, branch_id, known, asked) if dependents else set()
        )
        wanted = (members | mains | secondaries) - known.loaded
        bundles = set()


async def _load_lines(
    connection: AsyncConnection, branch_id: int, known: Known, ids: set[str]
) -> set[str]:
    """Load lines and their changes; return the bundles that ever named them."""
    columns = ", ".join(_LINE_COLUMNS)
    query = f"SELECT {columns} FROM attribution.subscriptions"  # noqa: S608 - fixed names
    for row in await _named(connection, query, branch_id, ids):
        known.lines[row.subscription_id] = Line(*row)
    query = (
        "SELECT subscription_id, effective_on, made_at, event, customer_id, standard_address,"
        " resource_address, kind, customer_kind FROM attribution.subscription_changes"
    )
    for row in await _named(connection, query, branch_id, ids):
        known.changes[row.subscription_id].append(Change(*row[1:]))
    query = (
        "SELECT subscription_id, ruling_id, centre_id, field_id, from_period, to_period, approved_at,"
        " amendment_id"
        " FROM attribution.ruled_subscriptions JOIN attribution.rulings USING (branch_id, ruling_id)"
        " JOIN attribution.ruling_approvals USING (branch_id, ruling_id)"
    )
    for row in await _named(connection, query, branch_id, ids):
        known.rulings[row.subscription_id].append(Ruling(*row[1:]))
    query = (
        "SELECT subscription_id, lead_id, approved_on, owner_centre_id, originator_id, project_id,"
        " person_ids, shares, rate_basis_points, months FROM attribution.leads"
    )
    for row in await _named(connection, query, branch_id, ids):
        given: list[Any] = [tuple(one) if isinstance(one, list) else one for one in row[1:]]
        known.leads[row.subscription_id].append(Lead(*given))
    query = (
        "SELECT subscription_id, period, made_at, event, centre_id, field_id"
        " FROM attribution.baselines"
    )
    for row in await _named(connection, query, branch_id, ids):
        known.baselines[row.subscription_id].append(Baseline(*row[1:]))
    found: set[str] = set()
    query = "SELECT subscription_id, bundle_id FROM attribution.bundle_members"
    for row in await _named(connection, query, branch_id, ids):
        known.bundles_of[row.subscription_id].add(row.bundle_id)
        found.add(row.bundle_id)
    return found


async def _load_statements(
    connection: AsyncConnection, branch_id: int, known: Known, bundle_ids: set[str]
) -> set[str]:
    """Load bundles that are not loaded yet; return everyone they ever named."""
    asked = {one for one in bundle_ids if one not in known.statements}
    for one in asked:
        known.statements[one] = []
    query = (
        "SELECT bundle_id, effective_on, made_at, event, members, joins"
        " FROM attribution.bundle_statements"
    )
    members: set[str] = set()
    for row in await _named(connection, query, branch_id, asked, key="bundle_id"):
        statement = BundleStatement(
            row.bundle_id, row.effective_on, row.made_at, row.event, tuple(row.members), row.joins
        )
        known.statements[row.bundle_id].append(statement)
        members.update(statement.members)
        for one in statement.members:
            known.bundles_of[one].add(row.bundle_id)
    return members


async def _load_secondaries(
    connection: AsyncConnection, branch_id: int, known: Known, ids: set[str]
) -> set[str]:
    query = "SELECT subscription_id, main_subscription_id FROM attribution.subscriptions"
    found: set[str] = set()
    for row in await _named(connection, query, branch_id, ids, key="main_subscription_id"):
        known.secondaries[row.main_subscription_id].add(row.subscription_id)
        found.add(row.subscription_id)
    return found


async def load_documents(
    connection: AsyncConnection, branch_id: int, known: Known, keys: Collection[tuple[str, str]]
) -> None:
    """Load documents by kind and number, and what was taken back of the bill items among them."""
    if not keys:
        return
    kinds, ids = [one for one, _ in keys], [one for _, one in keys]
    for row in await connection.execute(
        text(
            "SELECT d.kind, d.document_id, d.subscription_id, d.period, d.amount_fen"
            " FROM attribution.documents d"
            " JOIN unnest(CAST(:kinds AS text[]), CAST(:ids AS text[])) AS w(kind, document_id)"
            " ON d.branch_id = :branch_id AND d.kind = w.kind AND d.document_id = w.document_id"
        ),
        {"branch_id": branch_id, "kinds": kinds, "ids": ids},
    ):
        known.documents.setdefault((row.kind, row.document_id), Document(*row))
    items = [number for kind, number in keys if kind == "bill_item"]
    query = "SELECT bill_item_id, amount_fen FROM attribution.settled_items"
    for row in await _named(connection, query, branch_id, items, key="bill_item_id"):
        known.settled.setdefault(row.bill_item_id, row.amount_fen)


async def load_timelines(
    connection: AsyncConnection, branch_id: int, known: Known, subscription_ids: Iterable[str]
) -> None:
    """Load whose subscriptions are, of those that are not loaded yet."""
    wanted = set(subscription_ids) - known.timelines.keys()
    rows = await _named(connection, _owners("decisions"), branch_id, wanted, _BY_VERSION)
    _overlay(known.timelines, known.timelines, rows)


async def load_deferred(
    connection: AsyncConnection, branch_id: int, known: Known, subscription_ids: Collection[str]
) -> None:
    """Load which subscriptions are under dispute, and what was deferred on these meanwhile."""
    frozen = await connection.scalars(
        select(disputes.c.subscription_id).where(
            disputes.c.branch_id == branch_id, disputes.c.frozen
        )
    )
    known.frozen.update(frozen)
    wanted = set(subscription_ids) - known.loaded_deferred
    known.loaded_deferred |= wanted
    rows = await _named(connection, _owners("deferred_decisions"), branch_id, wanted, _BY_VERSION)
    _overlay(known.deferred, known.timelines, rows)


def _owners(table: str, *also: str) -> str:
    columns = ", ".join((*_OWNER_COLUMNS, *also))
    return f"SELECT {columns} FROM attribution.{table}"  # noqa: S608 - fixed names


def _overlay(
    timelines: dict[str, Timeline], basis: Mapping[str, Timeline], rows: Iterable[Any]
) -> None:
    """Lay versions, lowest first, over the timelines that are there, or over their basis."""
    versions: dict[tuple[str, int], list[Stretch]] = defaultdict(list)
    for row in rows:
        subscription_id, version, from_period = row[:3]
        versions[subscription_id, version].append(Stretch(from_period, _owner(row)))
    for (subscription_id, version), stretches in versions.items():
        decided = Timeline(tuple(stretches), version)
        before = timelines.get(subscription_id) or basis.get(subscription_id)
        timelines[subscription_id] = decided if before is None else before.overlaid(decided)


def _owner(row: Any) -> Owner:
    """Return the owner in a row of ``_OWNER_COLUMNS``, which is taken apart by position: there are many."""
    centre_id, field_id, unit_rule, field_rule, flags, digest = row[3 : len(_OWNER_COLUMNS)]
    return Owner(centre_id, field_id, unit_rule, field_rule, tuple(flags), digest)


async def load_decisions(
    connection: AsyncConnection, branch_id: int, known: Known, subscription_ids: Collection[str]
) -> None:
    """Load all that was ever decided or deferred on subscriptions, with the evidence."""
    for table in ("decisions", "deferred_decisions"):
        query = _owners(table, "rule_set", "CAST(evidence AS text) AS evidence")
        for row in await _named(connection, query, branch_id, subscription_ids, _BY_VERSION):
            known.on_record.setdefault(row.subscription_id, []).append(
                Decided(
                    row.subscription_id,
                    row.version,
                    Period(row.from_period),
                    _owner(row),
                    msgspec.json.decode(row.evidence, type=Evidence),
                    row.rule_set,
                )
            )


async def load_entries(
    connection: AsyncConnection,
    branch_id: int,
    known: Known,
    subscription_ids: Collection[str],
    *,
    closed_through: Period | None,
) -> None:
    """Load the entries that would move if a decision on these subscriptions changed."""
    asked = set(subscription_ids) - known.loaded_entries
    known.loaded_entries |= asked
    columns = ", ".join(Entry.__struct_fields__)
    for row in await _named(
        connection,
        f"SELECT {columns} FROM attribution.entries",  # noqa: S608 - fixed names
        branch_id,
        asked,
        "WHERE owner_period > :closed_through OR period > :closed_through ORDER BY number",
        closed_through=closed_through or 0,
    ):
        known.entries[row.subscription_id].append(Entry(*row))
    if closed_through is None:
        return
    for row in await _named(
        connection,
        "SELECT subscription_id, max(owner_period) AS period FROM attribution.entries",
        branch_id,
        asked,
        "WHERE owner_period <= :closed_through AND period <= :closed_through"
        " GROUP BY subscription_id",
        closed_through=closed_through,
    ):
        known.fixed_through[row.subscription_id] = Period(row.period)


async def from_leads(
    connection: AsyncConnection, branch_id: int, subscription_ids: Collection[str]
) -> set[str]:
    """Return which of these subscriptions a lead is said to have become."""
    query = "SELECT DISTINCT subscription_id FROM attribution.leads"
    rows = await _named(connection, query, branch_id, subscription_ids)
    return {row.subscription_id for row in rows}


async def load_commissions(
    connection: AsyncConnection, branch_id: int, known: Known, subscription_ids: Collection[str]
) -> None:
    """Load what was collected on subscriptions, and what people have of it."""
    columns = ", ".join(Entry.__struct_fields__)
    for row in await _named(
        connection,
        f"SELECT {columns} FROM attribution.entries",  # noqa: S608 - fixed names
        branch_id,
        subscription_ids,
        "WHERE debit = ANY(:collecting)",
        collecting=list(COLLECTING),
    ):
        if found := collected_by(Entry(*row)):
            known.collected[row.subscription_id].append(found)
    for row in await _named(
        connection,
        "SELECT subscription_id, source, event_id, lead_id, person_id, sum(amount_fen) AS amount_fen"
        " FROM attribution.commissions",
        branch_id,
        subscription_ids,
        "GROUP BY subscription_id, source, event_id, lead_id, person_id",
    ):
        earning = Earning(row.source, row.event_id, row.lead_id, row.person_id)
        known.commissions[row.subscription_id][earning] = int(row.amount_fen)


async def every_subscription(connection: AsyncConnection, branch_id: int) -> list[str]:
    """Return the subscriptions of a branch."""
    rows = await connection.scalars(
        select(subscriptions.c.subscription_id)
        .where(subscriptions.c.branch_id == branch_id)
        .order_by(subscriptions.c.subscription_id)
    )
    return list(rows)


# --- writing ------------------------------------------------------------------------------------


async def record_received(
    copy: Copying, branch_id: int, taken: Iterable[tuple[str, str, bytes]], *, now: datetime
) -> None:
    """Remember events for ever, by source, id and digest."""
    await copy.into(
        received_events,
        ("branch_id", "source", "event_id", "digest", "received_at"),
        [(branch_id, *one, now) for one in taken],
    )


async def record(
    copy: Copying,
    branch_id: int,
    produced: Produced,
    *,
    first_entry: int,
    first_commission: int,
    now: datetime,
) -> None:
    """Write lines, decisions, documents, and numbered entries and commissions."""
    own = (branch_id,)
    await _copy_evidence(copy, branch_id, produced)
    await copy.into(
        documents,
        ("branch_id", *Document.__struct_fields__),
        [own + items_of(one) for one in produced.documents],
    )
    await _copy_decisions(copy, branch_id, decisions, produced.decided, now=now)
    await _copy_decisions(copy, branch_id, deferred_decisions, produced.deferred, now=now)
    await copy.into(
        entries,
        ("branch_id", "number", "booked_at", *Entry.__struct_fields__),
        [
            (branch_id, number, now) + items_of(one)  # noqa: RUF005 - thrice as fast, of the most rows
            for number, one in enumerate(produced.entries, start=first_entry)
        ],
    )
    await copy.into(
        commissions,
        ("branch_id", "number", *Commission._fields, "booked_at"),
        [
            (branch_id, number, *one, now)
            for number, one in enumerate(produced.commissions, start=first_commission)
        ],
    )


async def record_changes(connection: AsyncConnection, branch_id: int, produced: Produced) -> None:
    """Write what changes rows that stand: members, what is taken back of charges, what waited."""
    await _record_members(connection, branch_id, produced.statements)
    await _record_settled(connection, branch_id, produced.settled)
    if produced.thawed:
        await connection.execute(
            delete(deferred_decisions).where(
                deferred_decisions.c.branch_id == branch_id,
                deferred_decisions.c.subscription_id.in_(produced.thawed),
            )
        )


async def _copy_evidence(copy: Copying, branch_id: int, produced: Produced) -> None:
    await copy.into(
        subscriptions,
        ("branch_id", *_LINE_COLUMNS),
        [(branch_id, *_line_values(line)) for line in produced.lines],
    )
    await copy.into(
        subscription_changes,
        ("branch_id", "subscription_id", *Change.__dataclass_fields__),
        [(branch_id, one, *_change_values(change)) for one, change in produced.changes],
    )
    await copy.into(
        bundle_statements,
        ("branch_id", *BundleStatement.__dataclass_fields__),
        [(branch_id, *_statement_values(one)) for one in produced.statements],
    )
    await copy.into(
        leads,
        ("branch_id", "subscription_id", *Lead.__dataclass_fields__),
        [(branch_id, one, *_lead_values(lead)) for one, lead in produced.leads],
    )
    await copy.into(
        baselines,
        ("branch_id", "subscription_id", *Baseline.__dataclass_fields__),
        [(branch_id, one, *_baseline_values(stated)) for one, stated in produced.baselines],
    )


async def _copy_decisions(
    copy: Copying, branch_id: int, table: Table, decided: Iterable[Decided], *, now: datetime
) -> None:
    await copy.into(
        table,
        ("branch_id", *_OWNER_COLUMNS, "rule_set", "evidence", "decided_at"),
        [
            (
                branch_id,
                one.subscription_id,
                one.version,
                one.from_period,
                *one.owner,
                one.rule_set,
                msgspec.json.encode(one.evidence).decode(),
                now,
            )
            for one in decided
        ],
    )


async def _record_members(
    connection: AsyncConnection, branch_id: int, statements: Sequence[BundleStatement]
) -> None:
    named = {(one.bundle_id, member) for one in statements for member in one.members}
    if named:
        await connection.execute(
            insert(bundle_members).on_conflict_do_nothing(),
            [
                {"branch_id": branch_id, "subscription_id": member, "bundle_id": bundle_id}
                for bundle_id, member in sorted(named)
            ],
        )


async def _record_settled(
    connection: AsyncConnection, branch_id: int, settled: dict[str, int]
) -> None:
    if not settled:
        return
    row = insert(settled_items)
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=["branch_id", "bill_item_id"],
            set_={"amount_fen": row.excluded.amount_fen},
        ),
        [
            {"branch_id": branch_id, "bill_item_id": item, "amount_fen": amount}
            for item, amount in sorted(settled.items())
        ],
    )


_CHANGE_BALANCES = Frequent(
    text(
        "WITH totals AS ("
        " INSERT INTO attribution.period_totals AS t"
        " (branch_id, period, first_entry, last_entry, billed_fen)"
        " SELECT :branch_id, * FROM unnest(CAST(:total_periods AS integer[]),"
        " CAST(:firsts AS bigint[]), CAST(:lasts AS bigint[]), CAST(:billed AS bigint[]))"
        " ON CONFLICT (branch_id, period) DO UPDATE SET last_entry = excluded.last_entry,"
        " billed_fen = t.billed_fen + excluded.billed_fen)"
        " INSERT INTO attribution.balances AS b"
        " (branch_id, period, centre_id, field_id, account, amount_fen)"
        " SELECT :branch_id, * FROM unnest(CAST(:periods AS integer[]), CAST(:centres AS text[]),"
        " CAST(:fields AS text[]), CAST(:accounts AS text[]), CAST(:amounts AS bigint[]))"
        " ON CONFLICT (branch_id, period, centre_id, field_id, account)"
        " DO UPDATE SET amount_fen = b.amount_fen + excluded.amount_fen"
    )
)


async def change_balances(
    connection: AsyncConnection,
    branch_id: int,
    changes: Balances,
    totals: Mapping[Period, Total],
) -> None:
    """Add to the balances of accounts and to the totals of periods, in one statement."""
    if not totals:
        return
    await _CHANGE_BALANCES.rows(
        connection,
        branch_id=branch_id,
        total_periods=list(totals),
        firsts=[one.first_entry for one in totals.values()],
        lasts=[one.last_entry for one in totals.values()],
        billed=[one.billed_fen for one in totals.values()],
        periods=[period for period, _, _, _ in changes],
        centres=[centre_id for _, centre_id, _, _ in changes],
        fields=[field_id or "" for _, _, field_id, _ in changes],
        accounts=[account for _, _, _, account in changes],
        amounts=list(changes.values()),
    )


async def hold(
    copy: Copying,
    branch_id: int,
    kept: Sequence[NewHeld],
    *,
    first_number: int,
    now: datetime,
) -> None:
    """Keep events in quarantine."""
    await copy.into(
        held_events,
        ("branch_id", "number", *NewHeld.__dataclass_fields__, "received_at"),
        [
            (branch_id, number, *_held_values(one), now)
            for number, one in enumerate(kept, start=first_number)
        ],
    )


async def hold_on(
    connection: AsyncConnection, branch_id: int, number: int, now_because: NewHeld
) -> None:
    """Keep an event in quarantine for another reason than before."""
    await connection.execute(
        update(held_events)
        .where(held_events.c.branch_id == branch_id, held_events.c.number == number)
        .values(
            outcome=now_because.outcome,
            code=now_because.code,
            message=now_because.message,
            message_zh=now_because.message_zh,
            waiting_for=now_because.waiting_for,
        )
    )


async def resolve(
    connection: AsyncConnection, branch_id: int, numbers: Collection[int], *, now: datetime
) -> int:
    """Let events out of quarantine: they are booked. Return how many there were."""
    if not numbers:
        return 0
    resolved = await connection.execute(
        update(held_events)
        .where(
            held_events.c.branch_id == branch_id,
            held_events.c.number.in_(sorted(numbers)),
            held_events.c.resolved_at.is_(None),
        )
        .values(resolved_at=now)
    )
    return resolved.rowcount


_ADVANCE = Frequent(
    update(intakes)
    .where(intakes.c.branch_id == bindparam("of_branch"))
    .values(
        entries=intakes.c.entries + bindparam("entries_added"),
        held=intakes.c.held + bindparam("held_added"),
        resolved=intakes.c.resolved + bindparam("resolved_added"),
        commissions=intakes.c.commissions + bindparam("commissions_added"),
        settled_until=func.coalesce(
            bindparam("until", type_=DateTime(timezone=True)), intakes.c.settled_until
        ),
        decided_mark=func.coalesce(bindparam("mark", type_=BigInteger), intakes.c.decided_mark),
    )
)


async def advance(
    connection: AsyncConnection,
    branch_id: int,
    *,
    entries: int = 0,
    held: int = 0,
    resolved: int = 0,
    commissions_added: int = 0,
    settled_until: datetime | None = None,
    mark: int | None = None,
) -> None:
    """Move a branch's counters on; a moment and a mark that are given take the old ones' place."""
    await _ADVANCE.rows(
        connection,
        of_branch=branch_id,
        entries_added=entries,
        held_added=held,
        resolved_added=resolved,
        commissions_added=commissions_added,
        until=settled_until,
        mark=mark,
    )
