"""The database destroyed and restored as docs/operations/backup.md says: to a moment, and from a dump."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from support.suite import reachable, run

from huaxiao.cli import embedded
from huaxiao.cli.suite import Keys, create_service, service_settings
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.wire.contracts import CentreIn, CentreKind

pytestmark = pytest.mark.slow
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
"""
STATE = {
    "balances": "SELECT * FROM attribution.balances ORDER BY branch_id, period, centre_id, account",
    "entries": "SELECT * FROM attribution.entries ORDER BY branch_id, number",
    "centres": "SELECT * FROM contracts.centres ORDER BY branch_id, centre_id",
    "feed": "SELECT * FROM contracts.feed_heads ORDER BY branch_id",
    "audit": "SELECT * FROM contracts.audit_heads ORDER BY branch_id",
}
ARCHIVING = (
    "ALTER SYSTEM SET archive_mode = on",
    "ALTER SYSTEM SET archive_timeout = '60s'",
    (
        "ALTER SYSTEM SET archive_command = 'test ! -f {wal}/%f && cp %p {wal}/%f.part"
        " && mv {wal}/%f.part {wal}/%f'"
    ),
)
TO_THE_MOMENT = """
restore_command = 'cp {wal}/%f %p'
recovery_target_time = '{moment}'
recovery_target_action = 'promote'
archive_mode = off
"""

PERSONAL = """
INSERT INTO dispatch.branches (branch_id, name_zh) VALUES (130123, '云泽');
INSERT INTO dispatch.orders (branch_id, order_id, kind, customer_class, customer_id,
        standard_address, rural, requested_at, last_step_at, state, steps, rejections, flags,
        evidence, contact_note)
    VALUES (130123, 'O1', 'check', 'key', 'K1', '130123100201777301', false, now(), now(),
        'cancelled', 1, 0, '[]', '{}', '张三');
INSERT INTO contracts.leads (branch_id, number, customer_id, about_zh, brought_on, brought_by,
        brought_at)
    VALUES (130123, 1, 'K1', 'x', '2017-11-06', 'x', now());
INSERT INTO contracts.lead_customers (branch_id, lead, customer_name) VALUES (130123, 1, '张三');
INSERT INTO attribution.held_events (branch_id, number, digest, outcome, code, message, message_zh,
        body, posted_by, received_at, resolved_at)
    VALUES (130123, 1, 'x', 'refused', 'x', 'x', 'x', '{"customer_id":"K1"}', 'x', now(), now())
"""
KEPT = """
SELECT (SELECT count(contact_note) FROM dispatch.orders)
    + (SELECT count(customer_name) FROM contracts.lead_customers)
    + (SELECT count(*) FROM attribution.held_events WHERE octet_length(body) > 0)
"""


@dataclass
class Installation:
    """A suite of its own, with folders for its backups."""

    data: Path
    backups: Path
    postgres: embedded.EmbeddedPostgres

    @property
    def wal(self) -> Path:
        return self.backups / "wal"

    def tool(self, name: str, *arguments: str) -> None:
        """Run one of PostgreSQL's own commands, as the user whose server it is."""
        server = self.postgres.server
        given: dict[str, Any] = {} if server.system_user is None else {"user": server.system_user}
        command = [str(server.bin_path / name), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **given)
        assert done.returncode == 0, f"{command}: {done.stderr}"

    def address(self, database: str = embedded.DATABASE) -> str:
        return self.postgres.url("postgres", database).render_as_string(hide_password=False)

    async def execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.address())
        try:
            for one in statements:
                await connection.execute(one)
        finally:
            await connection.close()

    async def value(self, query: str) -> Any:
        connection = await asyncpg.connect(self.address())
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    async def until(self, holds: str) -> None:
        async with asyncio.timeout(30):
            while not await self.value(holds):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.1)

    async def state(self) -> dict[str, list[tuple[Any, ...]]]:
        connection = await asyncpg.connect(self.address())
        try:
            return {
                name: [tuple(row) for row in await connection.fetch(query)]
                for name, query in STATE.items()
            }
        finally:
            await connection.close()

    @asynccontextmanager
    async def service(self, name: str) -> AsyncIterator[httpx.AsyncClient]:
        """Run a service with all that it does by itself."""
        given = service_settings(
            name, postgres=self.postgres, keys=Keys.under(self.data), gateway="http://127.0.0.1:9"
        )
        app = create_service(name, given)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=app), base_url="http://service"
            ) as http,
        ):
            yield http

    async def erase(self, service: str, customer_id: str, issuer: Issuer) -> None:
        """Have a customer erased by two people, and wait until that is listed."""
        listed = self.data / "anchors" / f"{service}-erasures.jsonl"
        signed = (
            issuer.token(one, roles=[role], branch_ids=[BRANCH])
            for one, role in (("a", Role.COUNTY_MANAGER), ("b", Role.COUNTY_FINANCE))
        )
        manager, finance = ({"Authorization": f"Bearer {one}"} for one in signed)
        async with self.service(service) as http:
            url = f"/v1/branches/{BRANCH}/erasures"
            given = {"customer_id": customer_id, "reason": "客户要求"}
            asked = (await http.post(url, json=given, headers=manager)).raise_for_status()
            url = f"{url}/{asked.json()['erasure_id']}/confirm"
            (await http.post(url, headers=finance)).raise_for_status()
        # Started anew, it compares list and database at once, not a minute later.
        async with self.service(service), asyncio.timeout(30):
            while not listed.exists():  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.1)

    async def put_centres(self, issuer: Issuer, *centre_ids: str) -> None:
        """Write through the service, so that facts and audit entries come along."""
        keys = Keys.under(self.data)
        given = service_settings(
            "contracts", postgres=self.postgres, keys=keys, gateway="http://x", follow=False
        )
        app = create_service("contracts", given)
        signed = issuer.token("t", roles=[Role.COUNTY_MANAGER], branch_ids=[BRANCH])
        transport = httpx.ASGITransport(app=app)
        async with ContractsClient("http://x", lambda: signed, transport=transport) as client:
            for one in centre_ids:
                centre = CentreIn(kind=CentreKind.TOWN, name=one, name_zh=one)
                await client.put_centre(BRANCH, one, centre)
        await app.state.database.close()

    def restart(self) -> None:
        self.postgres.stop()
        self.postgres = embedded.start(self.data)

    def destroy(self) -> None:
        """Let the server end as when its machine does, and take all it kept."""
        data = self.data / "postgres"
        self.tool("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        self.postgres.stop()
        shutil.rmtree(data)


@pytest.fixture
async def installation(tmp_path_factory: pytest.TempPathFactory) -> Any:
    data = reachable(tmp_path_factory.mktemp("restoring"))
    backups = data.with_name("backups")
    for folder in (backups, backups / "wal"):
        folder.mkdir()
        folder.chmod(0o777)
    postgres = embedded.start(data)
    await asyncio.to_thread(embedded.prepare, postgres)
    made = Installation(data, backups, postgres)
    issuer = Keys.under(data).issuer()
    await made.execute(BOOKS)
    await made.execute(
        "INSERT INTO contracts.branches (branch_id, name, name_zh, default_centre_id)"
        " VALUES (130123, 'Yunze', '云泽', 'C0')"
    )
    await made.put_centres(issuer, "C1")
    yield made
    made.postgres.stop()


async def test_a_destroyed_database_is_restored_to_the_moment(installation: Installation) -> None:
    issuer = Keys.under(installation.data).issuer()
    wal, base = installation.wal, installation.backups / "base"
    await installation.execute(*(one.format(wal=wal) for one in ARCHIVING))
    await asyncio.to_thread(installation.restart)
    installation.tool(
        *("pg_basebackup", "-d", installation.address(), "-D", str(base)),
        *("-c", "fast", "-X", "stream"),
    )
    await installation.put_centres(issuer, "C2", "C3")
    at_the_moment = await installation.state()
    moment = await installation.value("SELECT clock_timestamp()")
    await asyncio.sleep(0.05)
    await installation.put_centres(issuer, "TOO-LATE")
    last = await installation.value("SELECT pg_walfile_name(pg_switch_wal())")
    await installation.until(f"SELECT last_archived_wal >= '{last}' FROM pg_stat_archiver")
    destroyed = await installation.state()

    installation.destroy()
    data = installation.data / "postgres"
    await asyncio.to_thread(subprocess.run, ["cp", "-a", str(base), str(data)], check=True)
    with (data / "postgresql.auto.conf").open("a") as settings:
        settings.write(TO_THE_MOMENT.format(wal=wal, moment=moment.isoformat()))
    (data / "recovery.signal").touch()
    installation.postgres = await asyncio.to_thread(embedded.start, installation.data)
    await installation.until("SELECT NOT pg_is_in_recovery()")
    restored = await installation.state()
    await installation.put_centres(issuer, "C4")
    told = await asyncio.to_thread(run, "doctor", "--data", str(installation.data))

    assert destroyed != at_the_moment
    assert restored == at_the_moment
    assert sum(row[-1] for row in restored["balances"]) == 0
    assert told.returncode == 0, told.stdout + told.stderr


async def test_a_dump_restores_the_same(installation: Installation) -> None:
    dump = installation.backups / "huaxiao.dump"
    before = await installation.state()
    installation.tool("pg_dump", "-d", installation.address(), "-Fc", "-f", str(dump))

    installation.destroy()
    installation.postgres = await asyncio.to_thread(embedded.start, installation.data)
    await embedded.create_database(installation.postgres, embedded.DATABASE)
    installation.tool(
        *("pg_restore", "-d", installation.address(), "--clean", "--if-exists"),
        *("--exit-on-error", str(dump)),
    )
    restored = await installation.state()
    told = await asyncio.to_thread(run, "doctor", "--data", str(installation.data))

    assert restored == before
    assert told.returncode == 0, told.stdout + told.stderr


async def test_what_was_erased_after_the_backup_is_erased_again(installation: Installation) -> None:
    services = ("contracts", "attribution", "dispatch")
    issuer = Keys.under(installation.data).issuer()
    await installation.execute(PERSONAL)
    dump = installation.backups / "huaxiao.dump"
    installation.tool("pg_dump", "-d", installation.address(), "-Fc", "-f", str(dump))
    for one in services:
        await installation.erase(one, "K1", issuer)
    erased = await installation.value(KEPT)

    installation.destroy()
    installation.postgres = await asyncio.to_thread(embedded.start, installation.data)
    await embedded.create_database(installation.postgres, embedded.DATABASE)
    installation.tool(
        *("pg_restore", "-d", installation.address(), "--clean", "--if-exists"),
        *("--exit-on-error", str(dump)),
    )
    # Anchors of after the dump know of entries that are gone; the list of erasures is the newest.
    for one in services:
        (installation.data / "anchors" / f"{one}.jsonl").unlink()
    back = await installation.value(KEPT)
    told = await asyncio.to_thread(run, "doctor", "--data", str(installation.data))
    for one in services:
        async with installation.service(one):
            done = f"SELECT count(*) = 1 FROM {one}.erasures_done"
            await installation.until(done)
    again = await installation.value(KEPT)
    sound = await asyncio.to_thread(run, "doctor", "--data", str(installation.data))

    assert (erased, back, again) == (0, 3, 0)
    assert told.returncode == 1
    assert (told.stdout + told.stderr).count("were done are not in the database") == len(services)
    assert sound.returncode == 0, sound.stdout + sound.stderr
