"""Tables laid over several machines: what is said to Citus, and what is said where there is none.

No Citus is needed here. `tests/journey/test_distributed.py` goes on where one is reachable.
"""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, make_url
from support.postgres import PreparedDatabase, database_like_a_new_one
from support.stand_in import stand_in_database
from support.suite import reachable, run

from huaxiao.cli.ending import Ends
from huaxiao.shared import installation, migrations
from huaxiao.shared.distributing import (
    Constraint,
    Laid,
    NotDistributedError,
    Outcome,
    Trigger,
    distribute,
    distribution_statements,
    join,
    role_statements,
    schemas,
)
from huaxiao.shared.provision import SERVICES, owner_role

TABLES = [table for metadata in schemas() for table in metadata.sorted_tables]
EXCLUDED = Constraint(
    "contracts.sealed_scopes",
    "sealed_scopes_scope_term_excl",
    "EXCLUDE USING gist (scope WITH &&, term WITH &&)",
)
HELD = Trigger("contracts.fields", "hold_sealed")
_CREATED = re.compile(r"SELECT create_(?:distributed|reference)_table\('([\w.]+)'")
SCHEMA = """
    SELECT 'table ' || c.oid::regclass || ' ' || c.relkind::text FROM pg_class c
    WHERE c.relnamespace = ANY ($1::regnamespace[])
    UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = ANY ($1::regnamespace[])
    UNION ALL SELECT 'policy ' || polrelid::regclass || ' ' || pg_get_expr(polqual, polrelid)
    FROM pg_policy
    UNION ALL SELECT 'trigger ' || tgrelid::regclass || ' ' || tgname FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT 'role ' || rolname || ' ' || coalesce(rolconfig::text, '') FROM pg_roles
"""


def created(statements: list[str]) -> list[str]:
    return [found[1] for one in statements if (found := _CREATED.match(one))]


def say(laid: Laid = Laid()) -> list[str]:  # noqa: B008 - it is frozen
    return distribution_statements(schemas(), laid)


# --- what is said -------------------------------------------------------------------------------


def test_every_table_is_distributed_once_beside_the_first_and_after_what_it_refers_to() -> None:
    statements = say()
    order = created(statements)
    first, *others = [one for one in statements if _CREATED.match(one)]

    assert sorted(order) == sorted(table.fullname for table in TABLES)
    assert "colocate_with => 'none', shard_count => 64" in first
    assert all(one.endswith(f"'branch_id', colocate_with => '{order[0]}')") for one in others)
    for table in TABLES:
        for key in table.foreign_key_constraints:
            referred = key.referred_table.fullname
            assert order.index(referred) <= order.index(table.fullname), table.fullname


def test_a_table_without_a_branch_is_copied_to_every_machine() -> None:
    metadata = MetaData(schema="kpi")
    Table("holidays", metadata, Column("day", Integer, primary_key=True))

    assert distribution_statements([metadata], Laid())[-1] == (
        "SELECT create_reference_table('kpi.holidays')"
    )


def test_no_policy_of_a_distributed_table_has_a_sub_select() -> None:
    policies = [one for one in say() if one.startswith("CREATE POLICY")]

    assert len(policies) == len(TABLES)
    assert not any("SELECT" in one for one in policies)
    assert all("current_setting('app.branch_ids', true)" in one for one in policies)


def test_an_exclusion_gains_the_branch_before_its_table_is_distributed() -> None:
    statements = say(Laid(exclusions=[EXCLUDED]))
    [gained] = [one for one in statements if "EXCLUDE" in one]

    assert gained == (
        "ALTER TABLE contracts.sealed_scopes DROP CONSTRAINT sealed_scopes_scope_term_excl,"
        " ADD CONSTRAINT sealed_scopes_scope_term_excl"
        " EXCLUDE USING gist (branch_id WITH =, scope WITH &&, term WITH &&)"
    )
    extension = "CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public"
    assert statements.index(extension) < statements.index(gained)
    assert statements.index(gained) < len(statements) - len(TABLES)


def test_what_has_the_branch_already_stays() -> None:
    gained = EXCLUDED.definition.replace("(scope", "(branch_id WITH =, scope")
    statements = say(Laid(exclusions=[Constraint(EXCLUDED.table, EXCLUDED.name, gained)]))

    assert not any("EXCLUDE" in one or "EXTENSION" in one for one in statements)


def test_triggers_go_with_the_table_and_not_before() -> None:
    there = Laid(frozenset({HELD.table}), triggers=[HELD])

    assert "DROP TRIGGER hold_sealed ON contracts.fields" in say(Laid(triggers=[HELD]))
    assert not any("TRIGGER" in one for one in say(there))


def test_a_table_that_came_later_goes_beside_those_that_are_distributed() -> None:
    later = TABLES[0].fullname
    others = frozenset(table.fullname for table in TABLES[1:])
    statements = say(Laid(others))

    assert created(statements) == [later]
    assert statements[-1].endswith(f"colocate_with => '{TABLES[1].fullname}')")
    assert say(Laid(others | {later})) == []


def test_what_a_transaction_says_of_itself_reaches_every_machine() -> None:
    statements = role_statements()

    for role in (*SERVICES, *map(owner_role, SERVICES)):
        assert f"ALTER ROLE {role} SET citus.propagate_set_commands = 'local'" in statements


# --- where there is no Citus ----------------------------------------------------------------------


async def asked(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(SCHEMA, list(SERVICES))
        return sorted(row[0] for row in rows)
    finally:
        await connection.close()


def test_a_plain_postgresql_is_left_as_it_is_and_it_is_said_what_to_do(
    prepared: PreparedDatabase, worker: str
) -> None:
    plain = database_like_a_new_one(prepared.postgres, f"undistributed_{worker}")
    before = asyncio.run(asked(plain.url("postgres")))

    told = run("migrate", "--citus", "--database-url", plain.url("postgres"))

    assert told.returncode == Ends.NOT_DONE
    assert "✗ This PostgreSQL is without Citus" in told.stderr
    assert "→ Leave out --citus, or name a coordinator" in told.stderr
    assert told.stdout == ""
    assert asyncio.run(asked(plain.url("postgres"))) == before


def test_the_embedded_postgresql_is_not_even_started(tmp_path: Path) -> None:
    told = run("migrate", "--citus", "--data", str(tmp_path / "data"))

    assert told.returncode == Ends.NOT_DONE
    assert "✗ The embedded PostgreSQL is of one machine." in told.stderr
    assert not (tmp_path / "data").exists()


def test_a_worker_without_citus_is_asked_wrongly() -> None:
    assert run("migrate", "--worker", "other").returncode == Ends.ASKED_WRONGLY


def test_without_citus_schemas_are_made_and_brought_up_to_date(tmp_path: Path) -> None:
    data = reachable(tmp_path)

    first = run("migrate", "--data", str(data), "--json")
    again = run("migrate", "--data", str(data))

    assert (first.returncode, first.stdout) == (Ends.HOLDS, '{"distributed": null}\n')
    assert again.stdout == "✓ every schema is up to date\n"


# --- where something refuses what Citus refuses -----------------------------------------------------


@pytest.fixture(scope="module")
def make(
    prepared: PreparedDatabase, worker: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], PreparedDatabase]:
    def made(name: str, **more: Any) -> PreparedDatabase:
        folder = reachable(tmp_path_factory.mktemp(name))
        folder.mkdir(mode=0o755)
        return stand_in_database(prepared, f"{name}_{worker}", folder, **more)

    return made


def test_nothing_is_refused_and_a_second_run_changes_nothing(
    make: Callable[..., PreparedDatabase],
) -> None:
    database = make("distributed")
    url = make_url(database.url("postgres"))

    asyncio.run(join(url, ["one", "other:5433"]))
    first = asyncio.run(distribute(url))
    laid = asyncio.run(asked(database.url("postgres")))
    again = asyncio.run(distribute(url))
    for service in SERVICES:
        migrations.upgrade(service, make_url(database.url(owner_role(service))))

    assert first == Outcome(nodes=2, added=len(TABLES), tables=len(TABLES))
    assert again == Outcome(nodes=2, added=0, tables=len(TABLES))
    assert asyncio.run(asked(database.url("postgres"))) == laid
    assert not any(one.startswith("trigger") for one in laid)
    assert not any(one.startswith("policy") and "SELECT" in one for one in laid)


def test_the_step_that_prepares_an_installation_lets_workers_join(
    make: Callable[..., PreparedDatabase], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `deploy/scale` says it; on a plain server it ends with what to do."""
    database = make("installed")
    monkeypatch.setenv("HUAXIAO_SECRETS", str(tmp_path))
    monkeypatch.setenv("HUAXIAO_ADMIN_DATABASE_URL", database.url("postgres"))
    installation.main(["secrets"])
    installation.main(["database", "--citus", "--worker", "worker-1", "--worker", "worker-2:6432"])

    async def nodes() -> list[tuple[str, int, bool]]:
        connection = await asyncpg.connect(database.url("postgres"))
        try:
            found = await connection.fetch(
                "SELECT nodename, nodeport, shouldhaveshards FROM pg_dist_node ORDER BY groupid"
            )
            return [tuple(row) for row in found]
        finally:
            await connection.close()

    joined = asyncio.run(nodes())
    monkeypatch.setenv(
        "HUAXIAO_ADMIN_DATABASE_URL",
        database.postgres.url("postgres", "postgres").render_as_string(hide_password=False),
    )
    with pytest.raises(SystemExit, match="This PostgreSQL is without Citus"):
        installation.main(["database", "--citus"])

    assert [one[2] for one in joined] == [False, True, True]
    assert [one[:2] for one in joined[1:]] == [("worker-1", 5432), ("worker-2", 6432)]


def test_what_is_refused_is_told_and_the_next_run_goes_on(
    make: Callable[..., PreparedDatabase],
) -> None:
    database = make("refused")
    url = make_url(database.url("postgres"))

    async def one_more(statement: str) -> None:
        connection = await asyncpg.connect(database.url("postgres"))
        await connection.execute(statement)
        await connection.close()

    asyncio.run(one_more("CREATE UNIQUE INDEX wrong ON kpi.centres (centre_id)"))
    with pytest.raises(
        NotDistributedError, match=r"kpi\.centres.*cannot create constraint"
    ) as told:
        asyncio.run(distribute(url))
    asyncio.run(one_more("DROP INDEX kpi.wrong"))
    after = asyncio.run(distribute(url))

    assert "run this again" in told.value.do
    assert 0 < after.added < after.tables == len(TABLES)


def test_the_stand_in_refuses_tables_as_they_are(make: Callable[..., PreparedDatabase]) -> None:
    """Or the tests above would show nothing."""
    database = make("as_they_are", excluding=True)

    async def refusals() -> dict[str, str]:
        connection = await asyncpg.connect(database.url("postgres"))
        said: dict[str, str] = {}
        try:
            for table, before in (
                ("contracts.sealed_scopes", "SELECT 1"),
                ("contracts.fields", "DROP POLICY scope ON contracts.fields"),
                ("contracts.sealed_channels", "DROP POLICY scope ON contracts.sealed_channels"),
                ("contracts.centres", "DROP POLICY scope ON contracts.centres"),
            ):
                await connection.execute(before)
                if table.endswith("channels"):
                    await connection.execute(f"DROP TRIGGER hold_scope ON {table}")
                with pytest.raises(asyncpg.RaiseError) as refused:
                    await connection.execute(
                        "SELECT create_distributed_table($1::text::regclass, 'branch_id',"
                        " colocate_with => 'none')",
                        table,
                    )
                said[table] = str(refused.value)
        finally:
            await connection.close()
        return said

    said = asyncio.run(refusals())

    assert "Subqueries are not supported" in said["contracts.sealed_scopes"]
    assert "it has triggers" in said["contracts.fields"]
    assert "cannot create constraint" in said["contracts.sealed_channels"]
    assert "cannot create foreign key constraint" in said["contracts.centres"]
