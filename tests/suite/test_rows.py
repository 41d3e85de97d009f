"""What a transaction sees of any service's tables: the rows of its scope, and no others."""

import asyncio
import importlib
import random
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Table, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError
from support.postgres import PreparedDatabase

from huaxiao.cli.suite import TOKEN_ISSUER, Keys
from huaxiao.kpi.tables import measure_changes, measures, unit_targets
from huaxiao.shared.auth import Role, TokenVerifier
from huaxiao.shared.database import Database, ForeignRowsError, copying
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.problems import Unauthenticated
from huaxiao.shared.provision import SERVICES, owner_role, writer_role
from huaxiao.shared.rows import EVERYTHING, NOTHING, POLICY, Scope, policy_of, undeclared
from huaxiao.shared.trusted_keys import KeyFile

NOW = datetime(2017, 11, 6, tzinfo=UTC)
TABLES = """
    SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced,
           p.polname, p.polcmd, p.polpermissive, p.polroles, obj_description(p.oid) AS said,
           pg_get_expr(p.polqual, c.oid) AS seen, pg_get_expr(p.polwithcheck, c.oid) AS written,
           pg_get_userbyid(c.relowner) AS owner
    FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
    WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p')
      AND c.relname <> 'alembic_version'
"""
ATTACKS = ["1; RESET app.branch_ids", "1'; SET ROLE kpi_owner; --", "*", "1,2", "", "1 OR true"]


def tables_of(service: str) -> dict[str, Table]:
    metadata = importlib.import_module(f"huaxiao.{service}.tables").metadata
    return {table.name: table for table in metadata.sorted_tables}


async def not_held(connection: asyncpg.Connection, service: str) -> set[str]:
    """Name the tables of a schema that do not hold everybody to the scope of the transaction."""
    declared, found = tables_of(service), set()
    for row in await connection.fetch(TABLES, service):
        table = declared.get(row["relname"])
        held = (
            row["forced"]
            and (row["polname"], row["polcmd"], row["polpermissive"]) == (POLICY, b"*", True)
            and list(row["polroles"]) == [0]
            and row["seen"] == row["written"]
            and table is not None
            and row["said"] == policy_of(table)
            and row["owner"] == owner_role(service)
        )
        if not held:
            found.add(row["relname"])
    return found


@pytest.fixture
async def admin(prepared: PreparedDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(prepared.url("postgres"))
    yield connection
    await connection.close()


@pytest.fixture
async def database(prepared: PreparedDatabase) -> AsyncIterator[Database]:
    made = Database(prepared.url("kpi"), service="kpi", pool_size=4)
    yield made
    await made.close()


def measure(branch_id: int, centre_id: str = "C1", name: str = "revenue") -> dict[str, Any]:
    return {
        "branch_id": branch_id,
        "centre_id": centre_id,
        "period": 201711,
        "measure": name,
        "amount": 1,
    }


async def seen(database: Database, scope: Scope) -> set[tuple[int, str]]:
    async with database.read(scope) as connection:
        rows = await connection.execute(select(measures.c.branch_id, measures.c.centre_id))
        return {(row.branch_id, row.centre_id) for row in rows}


@pytest.fixture
async def two_branches(database: Database, branch_id: int) -> tuple[int, int]:
    """Return two branches, each with figures of two centres."""
    other = branch_id + 400_000
    rows = [measure(one, centre) for one in (branch_id, other) for centre in ("C1", "C2")]
    async with database.write(Scope(frozenset({branch_id, other}))) as connection:
        await connection.execute(insert(measures), rows)
    return branch_id, other


# --- the catalogue ------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_is_held_to_the_scope_and_says_how(
    service: str, admin: asyncpg.Connection
) -> None:
    metadata = importlib.import_module(f"huaxiao.{service}.tables").metadata
    there = {row["relname"] for row in await admin.fetch(TABLES, service)}

    assert there == set(tables_of(service))
    assert undeclared(metadata) == []
    assert await not_held(admin, service) == set()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE {0}.newcomers (branch_id int PRIMARY KEY)",
        "ALTER TABLE {0}.feed_entries NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE {0}.feed_entries DISABLE ROW LEVEL SECURITY",
        "DROP POLICY scope ON {0}.feed_entries",
        "ALTER POLICY scope ON {0}.feed_entries USING (true)",
        "CREATE POLICY more ON {0}.feed_entries USING (true)",
    ],
)
async def test_a_table_that_is_not_held_is_found(
    service: str, change: str, admin: asyncpg.Connection
) -> None:
    transaction = admin.transaction()
    await transaction.start()
    await admin.execute(f"SET LOCAL ROLE {owner_role(service)}")
    await admin.execute(change.format(service))
    await admin.execute("RESET ROLE")

    found = await not_held(admin, service)
    await transaction.rollback()

    assert found == {"newcomers" if "newcomers" in change else "feed_entries"}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_owns_nothing_and_passes_no_policy(
    service: str, admin: asyncpg.Connection
) -> None:
    role = await admin.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", service)
    owned = await admin.fetchval(
        "SELECT count(*) FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid"
        " WHERE r.rolname = $1 AND d.deptype = 'o'",
        service,
    )
    granted = await admin.fetch(
        "SELECT roleid::regrole::text AS name, inherit_option, set_option, admin_option"
        " FROM pg_auth_members WHERE member = $1::regrole",
        service,
    )

    assert not role["rolsuper"]
    assert not role["rolbypassrls"]
    assert not role["rolcreaterole"]
    assert owned == 0
    assert [tuple(one) for one in granted] == [(writer_role(service), False, True, False)]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_writer_logs_in_nowhere_and_may_add_rows_where_rows_are_copied(
    service: str, admin: asyncpg.Connection
) -> None:
    writer = writer_role(service)
    role = await admin.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", writer)
    may = await admin.fetch(
        "SELECT table_schema || '.' || table_name, privilege_type"
        " FROM information_schema.role_table_grants WHERE grantee = $1",
        writer,
    )
    copied = [one.fullname for one in tables_of(service).values() if one.info.get("copied")]

    assert (role["rolcanlogin"], role["rolsuper"], role["rolbypassrls"]) == (False, False, True)
    assert sorted(map(tuple, may)) == sorted((name, "INSERT") for name in copied)


# --- a scope ------------------------------------------------------------------------------------


async def test_a_transaction_that_names_no_scope_finds_and_writes_nothing(
    database: Database, two_branches: tuple[int, int]
) -> None:
    async with database.engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(measures)) == 0
        changed = await connection.execute(update(measures).values(amount=2))
        assert changed.rowcount == 0
        with pytest.raises(DBAPIError, match="row-level security"):
            await connection.execute(insert(measures).values(measure(two_branches[0], "C9")))
    assert await seen(database, NOTHING) == set()


async def test_a_transaction_finds_the_branches_and_centres_of_its_scope(
    database: Database, two_branches: tuple[int, int]
) -> None:
    one, other = two_branches

    assert await seen(database, Scope.of_branch(one)) == {(one, "C1"), (one, "C2")}
    assert await seen(database, Scope(frozenset({one}), frozenset({"C2"}))) == {(one, "C2")}
    assert await seen(database, Scope(frozenset({one, other}), frozenset({"C2", "C3"}))) == {
        (one, "C2"),
        (other, "C2"),
    }
    assert await seen(database, Scope(frozenset({one}), frozenset())) == set()
    assert await seen(database, EVERYTHING) >= {(one, "C1"), (other, "C2")}


@pytest.mark.forged
@pytest.mark.parametrize("centre_ids", [None, frozenset({"C1"})])
async def test_no_row_is_written_into_another_branch_or_centre(
    database: Database, two_branches: tuple[int, int], centre_ids: frozenset[str] | None
) -> None:
    own, other = two_branches
    scope = Scope(frozenset({own}), centre_ids)
    moved = {"branch_id": other} if centre_ids is None else {"centre_id": "C2"}
    foreign = measure(other, "C9") if centre_ids is None else measure(own, "C2", "tax")

    for write in (
        insert(measures).values(foreign),
        update(measures).where(measures.c.centre_id == "C1").values(moved),
    ):
        with pytest.raises(DBAPIError, match="row-level security"):
            async with database.write(scope) as connection:
                await connection.execute(write)
    async with database.write(scope) as connection:
        untouched = await connection.execute(
            update(measures).where(measures.c.branch_id == other).values(amount=9)
        )
    assert untouched.rowcount == 0


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_scope_is_made_of_codes_and_of_nothing_else(attack: str) -> None:
    with pytest.raises(ValueError, match="not a branch"):
        Scope(frozenset({attack}))  # type: ignore[arg-type]
    if attack != "1":
        with pytest.raises(ValueError, match="not a centre"):
            Scope(frozenset({1}), frozenset({attack}))
        with pytest.raises(ValueError, match="not a centre or a person"):
            Scope(frozenset({1}), None, attack)


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_token_that_names_what_is_no_code_is_refused(
    attack: str, keys: Keys, issuer: Issuer, branch_id: int
) -> None:
    verifier = TokenVerifier(KeyFile(keys.jwks, issuer=TOKEN_ISSUER), service="kpi")
    for claims in ({"centre_ids": [attack]}, {"centre_ids": ["C1"], "person_id": attack}):
        signed = issuer.token("x", roles=[Role.CONTRACTOR], branch_ids=[branch_id], **claims)  # type: ignore[arg-type]
        with pytest.raises(Unauthenticated):
            await verifier.verify(signed)


async def test_the_owner_of_the_tables_is_held_as_well(
    prepared: PreparedDatabase, two_branches: tuple[int, int]
) -> None:
    owner = await asyncpg.connect(prepared.url(owner_role("kpi")))
    try:
        assert await owner.fetchval("SELECT count(*) FROM kpi.measures") == 0
    finally:
        await owner.close()


# --- the pool -----------------------------------------------------------------------------------


async def test_a_connection_forgets_the_scope_it_was_used_with(
    prepared: PreparedDatabase, two_branches: tuple[int, int]
) -> None:
    one, other = two_branches
    database = Database(prepared.url("kpi"), service="kpi", pool_size=1)
    try:
        assert await seen(database, EVERYTHING) >= {(one, "C1"), (other, "C1")}
        async with database.engine.connect() as connection:
            assert await connection.scalar(select(func.count()).select_from(measures)) == 0
        with pytest.raises(RuntimeError, match="given up"):  # noqa: PT012 - in the transaction
            async with database.write(Scope.of_branch(other)) as connection:
                await connection.execute(update(measures).values(amount=7))
                raise RuntimeError("given up")
        assert await seen(database, Scope.of_branch(one)) == {(one, "C1"), (one, "C2")}
        with pytest.raises(DBAPIError):
            async with database.write(EVERYTHING) as connection:
                await connection.execute(text("SELECT 1 / 0"))
        assert await seen(database, NOTHING) == set()
    finally:
        await database.close()


async def test_a_thousand_queries_at_once_of_mixed_scopes_leak_nothing(
    database: Database, two_branches: tuple[int, int]
) -> None:
    one, other = two_branches
    scopes = [
        Scope.of_branch(one),
        Scope.of_branch(other),
        Scope(frozenset({one}), frozenset({"C1"})),
        Scope(frozenset({other}), frozenset({"C2"})),
        Scope(frozenset({one, other}), frozenset({"C2"})),
        NOTHING,
    ]
    fair = {
        scope: {
            (branch, centre)
            for branch in (one, other)
            for centre in ("C1", "C2")
            if branch in (scope.branch_ids or ())
            and (scope.centre_ids is None or centre in scope.centre_ids)
        }
        for scope in scopes
    }
    rng = random.Random(38)
    running = asyncio.Semaphore(32)

    async def ask(scope: Scope, fate: float) -> bool:
        async with running:
            if fate < 0.1:
                with pytest.raises(DBAPIError):
                    async with database.write(scope) as connection:
                        await connection.execute(text("SELECT 1 / 0"))
            elif fate < 0.2:
                async with database.write(scope) as connection:
                    await connection.execute(update(measures).values(amount=3))
            elif fate < 0.25:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.005), database.read(scope) as connection:
                        await connection.execute(text("SELECT pg_sleep(1)"))
            return await seen(database, scope) == fair[scope]

    asked = [rng.choice(scopes) for _ in range(1_000)]
    held = await asyncio.gather(*(ask(scope, rng.random()) for scope in asked))

    assert len(held) == 1_000
    assert all(held)


# --- copying ------------------------------------------------------------------------------------


def change(branch_id: int, position: int) -> tuple[Any, ...]:
    return (branch_id, "/x", position, 1, NOW, "C1", None, 201711, "revenue", 1)


COLUMNS = [one.name for one in measure_changes.columns]


async def test_what_is_copied_is_of_the_transactions_own_branches(
    database: Database, two_branches: tuple[int, int]
) -> None:
    one, other = two_branches
    for scope in (Scope.of_branch(other), NOTHING, Scope(frozenset({one}), frozenset({"C1"}))):
        async with database.write(scope) as connection:
            with pytest.raises(ForeignRowsError):
                async with copying(connection) as copy:
                    await copy.into(measure_changes, COLUMNS, [change(one, 1)])
    async with database.write(Scope.of_branch(one)) as connection:
        with pytest.raises(ForeignRowsError):
            async with copying(connection) as copy:
                await copy.into(measure_changes, COLUMNS, [change(one, 1), change(other, 1)])
    async with database.write(Scope.of_branch(one)) as connection:
        async with copying(connection) as copy:
            await copy.into(measure_changes, COLUMNS, [change(one, 1)])
        assert await connection.scalar(select(func.count()).select_from(measure_changes)) == 1


async def test_whoever_copies_can_do_nothing_else_meanwhile(
    database: Database, branch_id: int
) -> None:
    for statement in (
        select(measure_changes),
        update(measure_changes).values(amount=2),
        insert(measures).values(measure(branch_id)),
        select(unit_targets),
    ):
        with pytest.raises(DBAPIError, match="permission denied"):  # noqa: PT012 - while copying
            async with (
                database.write(Scope.of_branch(branch_id)) as connection,
                copying(connection) as copy,
            ):
                await copy.into(measure_changes, COLUMNS, [change(branch_id, 1)])
                await copy.added()
                await connection.execute(statement)
    async with database.read(Scope.of_branch(branch_id)) as connection:
        assert await connection.scalar(select(func.count()).select_from(measure_changes)) == 0
        assert await connection.scalar(text("SELECT current_user")) == "kpi"


async def test_a_copy_that_fails_leaves_the_connection_as_the_service(
    prepared: PreparedDatabase, branch_id: int
) -> None:
    database = Database(prepared.url("kpi"), service="kpi", pool_size=1)
    try:
        with pytest.raises(asyncpg.UniqueViolationError):
            async with (
                database.write(Scope.of_branch(branch_id)) as connection,
                copying(connection) as copy,
            ):
                await copy.into(measure_changes, COLUMNS, [change(branch_id, 1)] * 2)
        async with database.write(Scope.of_branch(branch_id)) as connection:
            assert await connection.scalar(text("SELECT current_user")) == "kpi"
            await connection.execute(insert(measures).values(measure(branch_id)))
    finally:
        await database.close()


# --- speed --------------------------------------------------------------------------------------

HOT: dict[str, list[str]] = {
    "kpi": [
        "SELECT * FROM kpi.measures WHERE branch_id = 130123 AND period BETWEEN 201701 AND 201712",
        "SELECT * FROM kpi.feed_positions WHERE branch_id = 130123 AND source = '/contracts'",
    ],
    "attribution": [
        (
            "SELECT * FROM attribution.decisions WHERE branch_id = 130123 AND subscription_id = 'S'"
            " ORDER BY version DESC LIMIT 1"
        ),
        "SELECT * FROM attribution.entries WHERE branch_id = 130123 AND number BETWEEN 5 AND 50",
        "SELECT * FROM attribution.balances WHERE branch_id = 130123 AND period = 201711",
        (
            "SELECT * FROM attribution.received_events"
            " WHERE branch_id = 130123 AND source = '/bss' AND event_id = ANY(ARRAY['a', 'b'])"
        ),
    ],
    "dispatch": [
        "SELECT * FROM dispatch.orders WHERE branch_id = 130123 AND order_id = 'O'",
        "SELECT * FROM dispatch.appraisals WHERE branch_id = 130123 AND appraisal_id > 'A'",
    ],
    "contracts": [
        "SELECT * FROM contracts.statements WHERE branch_id = 130123 AND contract_id = 'CT'",
        "SELECT * FROM contracts.payroll WHERE branch_id = 130123 AND period = 201711",
    ],
}


@pytest.mark.parametrize("service", SERVICES)
async def test_conditions_of_a_query_choose_the_index_as_they_do_without_policies(
    service: str, prepared: PreparedDatabase
) -> None:
    settings = {"app.branch_ids": "130123", "app.centre_ids": "C1", "enable_seqscan": "off"}

    async def plans(role: str) -> list[list[str]]:
        connection = await asyncpg.connect(prepared.url(role), server_settings=settings)
        try:
            return [
                [row[0].strip() for row in await connection.fetch(f"EXPLAIN (COSTS off) {query}")]
                for query in HOT[service]
            ]
        finally:
            await connection.close()

    def chosen(plan: list[str]) -> list[str]:
        """Return by what rows are found, whatever they are held to afterwards."""
        return [line for line in plan if re.search("Index|Scan|Sort", line)]

    held, free = await plans(service), await plans("postgres")

    assert [chosen(plan) for plan in held] == [chosen(plan) for plan in free]
    assert all(any("Index Cond" in line for line in plan) for plan in held)
    assert all(any("InitPlan" in line for line in plan) for plan in held)
    assert not any("InitPlan" in line for plan in free for line in plan)
