"""The sample county's month on tables that are laid over several machines, and a county that moves.

On Citus where `HUAXIAO_CITUS_URL` names one: a superuser's address of an empty database of a coordinator
whose workers have joined, `postgresql://postgres:…@host/name`. It is used up. And always on the stand-in,
which distributes nothing but has tables, policies and services be as Citus asks for: see
`tests/support/stand_in/`.
"""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest
from rich.console import Console
from sqlalchemy import URL, make_url
from support.documents import blocks_of
from support.postgres import prepared_on
from support.processes import Processes
from support.stand_in import stand_in_database
from support.suite import reachable

from huaxiao.cli import embedded
from huaxiao.cli.demo import run_demo
from huaxiao.cli.doctor.examining import examine
from huaxiao.cli.doctor.findings import Level
from huaxiao.cli.sample.county import BRANCH_ID
from huaxiao.cli.story import Endpoints
from huaxiao.cli.suite import Keys
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clock import system_clock
from huaxiao.shared.installation import SUPERUSER, prepare_database
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.provision import SERVICES, owner_role, writer_role

pytestmark = pytest.mark.slow
CITUS_URL = "HUAXIAO_CITUS_URL"
SUBSCRIBERS = 100
SEED = 201711


@dataclass(frozen=True)
class Distributed:
    """A database whose tables lie on several machines, for all that this test can see."""

    base: URL
    passwords: dict[str, str]
    is_citus: bool

    def url(self, role: str) -> str:
        """Return its address as a role sees it."""
        if role == SUPERUSER or not self.passwords:
            found = self.base if role == SUPERUSER else self.base.set(username=role, password=None)
        else:
            found = self.base.set(username=role, password=self.passwords[role])
        return found.render_as_string(hide_password=False)


@pytest.fixture(scope="module", params=["stand-in", "citus"])
def laid_out(
    request: pytest.FixtureRequest,
    own_postgres: embedded.EmbeddedPostgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Distributed:
    """Return a database that `huaxiao migrate --citus` has been through."""
    if request.param == "citus":
        if CITUS_URL not in os.environ:
            pytest.skip(f"no Citus is reachable: {CITUS_URL} names none")
        roles = [*SERVICES, *map(owner_role, SERVICES)]
        made = Distributed(
            make_url(os.environ[CITUS_URL]),
            {role: secrets.token_urlsafe(16) for role in roles},
            is_citus=True,
        )
        outcome = prepare_database(made.base, made.passwords, workers=[])
    else:
        folder = reachable(tmp_path_factory.mktemp("stand_in"))
        folder.mkdir(mode=0o755)
        stand_in = stand_in_database(prepared_on(own_postgres), "laid_out", folder)
        made = Distributed(make_url(stand_in.url(SUPERUSER)), {}, is_citus=False)
        outcome = prepare_database(made.base, None, workers=["worker-1", "worker-2"])
        # Whoever still copies as the writer is found out.
        asyncio.run(done(made.base, *(f"REVOKE {writer_role(one)} FROM {one}" for one in SERVICES)))
    assert outcome is not None
    assert (outcome.added, outcome.nodes > 0) == (outcome.tables, True)
    return made


async def done(url: URL, *statements: str) -> None:
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="module")
async def processes(
    laid_out: Distributed, keys: Keys, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Processes]:
    made = Processes(laid_out, keys, tmp_path_factory.mktemp("processes"))
    await made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def suite(processes: Processes, issuer: Issuer) -> Endpoints:
    addresses = {service: one.url for service, one in processes.of.items()}
    return Endpoints(**addresses, issuer=issuer, gateway="")


async def test_the_sample_countys_month_comes_out_to_the_fen(
    suite: Endpoints, processes: Processes, tmp_path: Path
) -> None:
    with (tmp_path / "told").open("w+") as told:
        held = await run_demo(
            suite, seed=SEED, console=Console(file=told, width=100), subscribers=SUBSCRIBERS
        )
        told.seek(0)
        assert held, told.read()[-4000:]

    for service in SERVICES:
        assert "Traceback" not in processes[service].said(), processes[service].said()[-2000:]


async def test_nobody_sees_a_county_that_is_not_theirs(laid_out: Distributed) -> None:
    """The scope of a transaction reaches the machine where the rows are."""
    found: dict[str, list[int]] = {}
    connection = await asyncpg.connect(laid_out.url("contracts"))
    try:
        for branches in ("", str(BRANCH_ID + 1), str(BRANCH_ID), "*"):
            async with connection.transaction():
                await connection.execute(
                    f"SET LOCAL app.branch_ids = '{branches}'; SET LOCAL app.centre_ids = '*'"
                )
                rows = await connection.fetch("SELECT branch_id FROM contracts.branches")
                found[branches] = [row["branch_id"] for row in rows]
    finally:
        await connection.close()

    assert found == {"": [], str(BRANCH_ID + 1): [], str(BRANCH_ID): [BRANCH_ID], "*": [BRANCH_ID]}


async def test_the_doctor_finds_nothing_wrong(
    laid_out: Distributed, suite: Endpoints, issuer: Issuer
) -> None:
    examination = await examine(
        laid_out.base,
        anchors=None,
        contracts_url=suite.contracts,
        token=lambda branch: issuer.token("d", roles=[Role.AUDITOR], branch_ids=[branch]),
        now=system_clock(),
    )

    assert [one for one in examination.findings if one.level is Level.WRONG] == []


async def test_a_county_moves_to_another_machine_as_the_page_says(
    laid_out: Distributed, project: Path
) -> None:
    blocks = blocks_of(project / "docs/operations/moving-a-county.md", "sql")
    statements = [one.strip() for block in blocks for one in block.split(";") if one.strip()]
    where = next(one for one in statements if "get_shard_id_for_distribution_column" in one)
    placed = next(one for one in statements if "count(*) AS tables" in one)
    connection = await asyncpg.connect(laid_out.url(SUPERUSER))
    try:
        before = await connection.fetchrow(where)
        rows = await connection.fetchval("SELECT count(*) FROM attribution.entries")
        nodes = await connection.fetch(
            "SELECT nodename, nodeport FROM pg_dist_node WHERE shouldhaveshards AND isactive"
        )
        target = next(
            one
            for one in nodes
            if (one["nodename"], one["nodeport"]) != (before["nodename"], before["nodeport"])
        )
        for statement in statements:
            now = await connection.fetchrow(where)
            assert now is not None
            given = statement
            for example, found in (
                ("102072", now["shardid"]),
                ("'worker-1', 5432", f"'{now['nodename']}', {now['nodeport']}"),
                ("'worker-2', 5432", f"'{target['nodename']}', {target['nodeport']}"),
            ):
                given = given.replace(example, str(found))
            await connection.execute(given)
        after = await connection.fetchrow(where)
        together = await connection.fetch(placed)
        kept = await connection.fetchval("SELECT count(*) FROM attribution.entries")
    finally:
        await connection.close()

    assert after is not None
    assert (after["nodename"], after["nodeport"]) == (target["nodename"], target["nodeport"])
    assert after["shardid"] != before["shardid"]
    assert [one["nodename"] for one in together] == [target["nodename"]]
    assert kept == rows > 0


async def test_the_county_works_on_after_it_has_moved(
    suite: Endpoints, processes: Processes
) -> None:
    async with AttributionClient(suite.attribution, suite.token(Role.COUNTY_MANAGER)) as client:
        books = await client.balances(BRANCH_ID, period=201711)

    assert len(books) > 10
    assert "Traceback" not in processes["attribution"].said()
