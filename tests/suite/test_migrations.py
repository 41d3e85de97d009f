import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from alembic import command
from sqlalchemy.engine import URL, make_url
from support.postgres import PreparedDatabase

from huaxiao.cli import embedded
from huaxiao.shared import migrations
from huaxiao.shared.migrations import alembic_config
from huaxiao.shared.provision import SERVICES, owner_role
from huaxiao.shared.rows import OPENED

COLUMNS = """
    SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' ||
           coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = $1 AND table_name <> 'alembic_version'
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = $1 AND indexname !~ '^alembic'"
CONSTRAINTS = """
    SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = $1::regnamespace AND conname !~ '^alembic'
"""
GRANTS = """
    SELECT table_name || ' ' || grantee || ' ' || privilege_type
    FROM information_schema.role_table_grants
    WHERE table_schema = $1 AND table_name <> 'alembic_version'
"""
POLICIES = """
    SELECT c.oid::regclass || ' ' || c.relrowsecurity || c.relforcerowsecurity || ' ' || p.polname
           || ' ' || coalesce(pg_get_expr(p.polqual, c.oid), '')
           || ' ' || coalesce(pg_get_expr(p.polwithcheck, c.oid), '')
    FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
    WHERE c.relnamespace = $1::regnamespace
"""
TYPES = """
    SELECT typname || '' FROM pg_type WHERE typnamespace = $1::regnamespace AND typtype IN ('e', 'd')
"""


@pytest.fixture(scope="module")
def scratch(prepared: PreparedDatabase, worker: str) -> PreparedDatabase:
    """Return a provisioned database that no migration has run in."""
    name = f"migrations_{worker}"
    asyncio.run(embedded.create_database(prepared.postgres, name))
    return PreparedDatabase(prepared.postgres, name)


def schema(url: URL, service: str) -> dict[str, list[Any]]:
    """Return what a schema is made of, as PostgreSQL tells it."""

    async def ask() -> dict[str, list[Any]]:
        connection = await asyncpg.connect(
            url.render_as_string(hide_password=False), server_settings=OPENED
        )
        try:
            return {
                query: sorted(row[0] for row in await connection.fetch(query, service))
                for query in (COLUMNS, INDEXES, CONSTRAINTS, GRANTS, TYPES, POLICIES)
            }
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("service", SERVICES)
def test_the_migrated_schema_is_what_the_tables_say(
    service: str, prepared: PreparedDatabase
) -> None:
    config = alembic_config(service, make_url(prepared.url(owner_role(service))))

    command.check(config)


@pytest.mark.parametrize("service", SERVICES)
def test_a_history_goes_up_from_nothing_and_back_and_comes_to_the_same_schema(
    service: str, scratch: PreparedDatabase
) -> None:
    url = make_url(scratch.url(owner_role(service)))

    empty = schema(url, service)
    migrations.upgrade(service, url)
    first = schema(url, service)
    migrations.downgrade(service, url)
    emptied = schema(url, service)
    migrations.upgrade(service, url)
    again = schema(url, service)

    assert first[COLUMNS]
    assert first[POLICIES]
    assert emptied == empty
    assert again == first


@pytest.mark.parametrize("service", SERVICES)
def test_what_no_longer_holds_a_table_is_put_right_by_the_next_run(
    service: str, scratch: PreparedDatabase
) -> None:
    url = make_url(scratch.url(owner_role(service)))
    migrations.upgrade(service, url)
    before = schema(url, service)

    async def loosen() -> None:
        connection = await asyncpg.connect(url.render_as_string(hide_password=False))
        table = f"{service}.feed_entries"
        await connection.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        await connection.execute(f"DROP POLICY scope ON {service}.feed_heads")
        await connection.execute(f"GRANT UPDATE ON {table} TO {service}")
        await connection.close()

    asyncio.run(loosen())
    loosened = schema(url, service)
    migrations.upgrade(service, url)

    assert loosened != before
    assert schema(url, service) == before


UNDER_WAY = """
    INSERT INTO dispatch.crews (branch_id, crew_id, centre_id, members, skills)
    VALUES (1, 'K1', 'B1', '["W05", "W06"]', '[]');
    INSERT INTO dispatch.orders (branch_id, order_id, kind, customer_class, standard_address, rural,
        requested_at, dispatched_at, due_at, last_step_at, state, crew_id, steps, rejections, flags,
        evidence)
    SELECT 1, order_id, 'check', 'key', '130123', false, '2017-11-06T01:00Z', '2017-11-06T01:00Z',
        due_at::timestamptz, '2017-11-06T09:00Z', state, crew_id, 1, 0, '[]', '{}'
    FROM (VALUES ('O1', '2017-11-06T14:00Z', 'suspended', NULL),
                 ('O2', '2017-11-06T09:00Z', 'done', 'K1'),
                 ('O3', '2017-11-06T09:00Z', 'confirmed', NULL))
        AS held (order_id, due_at, state, crew_id);
    INSERT INTO dispatch.order_steps (branch_id, order_id, number, step, state, at, by, engineer_id,
        crew_id, reason, cause, evidence)
    SELECT 1, order_id, number, step, '', ('2017-11-06T' || at || ':00Z')::timestamptz, 'x', engineer_id,
        crew_id, reason, cause, '{}'
    FROM (VALUES ('O1', 1, 'finish', '02', 'W01', NULL, NULL, NULL),
                 ('O1', 2, 'rework', '05', 'W01', NULL, 'no light', NULL),
                 ('O1', 3, 'suspend', '06', 'W01', NULL, 'nobody at home', 'customer'),
                 ('O1', 4, 'resume', '08', 'W01', NULL, NULL, NULL),
                 ('O1', 5, 'suspend', '09', 'W01', NULL, 'no cable', 'resource'),
                 ('O2', 1, 'finish', '09', 'W06', 'K1', NULL, NULL))
        AS taken (order_id, number, step, at, engineer_id, crew_id, reason, cause);
"""


CARDS = """
    INSERT INTO dispatch.branches (branch_id, name_zh) VALUES (110000, '云泽');
    INSERT INTO dispatch.appraisals (branch_id, appraisal_id, kind, period, ratee_centre_id,
        score_hundredths, made_at, confirmed_at, given, explanation)
    VALUES (110000, 'A1', 'horizontal', 201711, 'C1', 9778, '2017-12-04T00:00:00Z',
            '2017-12-05T00:00:00Z', '{}', '{"exact_score": "880/9"}'),
           (110000, 'A2', 'horizontal', 201711, 'C2', NULL, '2017-12-04T00:00:00Z',
            NULL, '{}', '{"exact_score": null}');
"""


def test_cards_of_before_keep_their_score_as_their_first_revision(
    scratch: PreparedDatabase,
) -> None:
    url = make_url(scratch.url(owner_role("dispatch")))
    migrations.downgrade("dispatch", url)
    migrations.upgrade("dispatch", url, revision="0009")

    async def work() -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        connection = await asyncpg.connect(
            url.render_as_string(hide_password=False), server_settings=OPENED
        )
        try:
            await connection.execute(CARDS)
            await asyncio.to_thread(migrations.upgrade, "dispatch", url)
            revisions = await connection.fetch(
                "SELECT appraisal_id, number, score_hundredths, exact_score"
                " FROM dispatch.appraisal_revisions ORDER BY appraisal_id"
            )
            told = await connection.fetch(
                "SELECT appraisal_id, published_at = confirmed_at, scorecard_version, revision"
                " FROM dispatch.appraisals ORDER BY appraisal_id"
            )
            return [tuple(row) for row in revisions], [tuple(row) for row in told]
        finally:
            await connection.close()

    revisions, told = asyncio.run(work())
    migrations.downgrade("dispatch", url)
    migrations.upgrade("dispatch", url)

    assert revisions == [("A1", 1, 9778, "880/9"), ("A2", 1, None, None)]
    assert told == [("A1", True, 0, 1), ("A2", None, 0, 1)]


def test_work_under_way_keeps_when_it_is_due_and_who_did_it(scratch: PreparedDatabase) -> None:
    url = make_url(scratch.url(owner_role("dispatch")))
    migrations.downgrade("dispatch", url)
    migrations.upgrade("dispatch", url, revision="0005")

    async def run(query: str, *, ask: bool = True) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(
            url.render_as_string(hide_password=False), server_settings=OPENED
        )
        try:
            if ask:
                return [tuple(row) for row in await connection.fetch(query)]
            await connection.execute(query)
            return []
        finally:
            await connection.close()

    asyncio.run(run(UNDER_WAY, ask=False))
    migrations.upgrade("dispatch", url)
    stops = asyncio.run(
        run(
            "SELECT number, cause, reason, until - since, stops_clock FROM dispatch.order_stops"
            " ORDER BY order_id, number"
        )
    )
    clocks = asyncio.run(
        run(
            "SELECT order_id, target_seconds / 3600, next_at IS NULL FROM dispatch.order_clocks"
            " ORDER BY order_id"
        )
    )
    workers = asyncio.run(
        run("SELECT order_id, person_id FROM dispatch.order_workers ORDER BY order_id, person_id")
    )
    migrations.downgrade("dispatch", url)
    migrations.upgrade("dispatch", url)

    assert stops == [
        (1, "acceptance", "no light", timedelta(hours=3), True),
        (2, "customer", "nobody at home", timedelta(hours=2), True),
        (3, "resource", "no cable", None, False),
    ]
    # Of thirteen hours three were the requester's and two the customer's.
    assert clocks == [("O1", 8, False), ("O2", 8, True)]
    assert workers == [("O1", "W01"), ("O2", "W05"), ("O2", "W06")]


FOLLOWED = """
    INSERT INTO kpi.branches (branch_id, name_zh, default_centre_id) VALUES (1, '云泽', 'C0');
    INSERT INTO kpi.places (branch_id, person_id, from_day, centre_id, own_staff)
    VALUES (1, 'P1', '2017-11-01', 'C1', true);
    INSERT INTO kpi.measures (branch_id, centre_id, period, measure, amount)
    VALUES (1, 'C1', 201711, 'revenue', -5);
    INSERT INTO kpi.feed_positions (branch_id, source, position) VALUES (1, '/attribution', 7);
"""


def test_figures_that_were_kept_without_their_history_are_followed_again(
    scratch: PreparedDatabase,
) -> None:
    url = make_url(scratch.url(owner_role("kpi")))
    migrations.downgrade("kpi", url)
    migrations.upgrade("kpi", url, revision="0002")

    async def run() -> list[tuple[int, int, int]]:
        connection = await asyncpg.connect(
            url.render_as_string(hide_password=False), server_settings=OPENED
        )
        try:
            counts = await connection.fetch(
                "SELECT (SELECT count(*) FROM kpi.measures), (SELECT count(*) FROM kpi.places),"
                " position FROM kpi.feed_positions"
            )
            return [tuple(row) for row in counts]
        finally:
            await connection.close()

    async def follow() -> None:
        connection = await asyncpg.connect(
            url.render_as_string(hide_password=False), server_settings=OPENED
        )
        await connection.execute(FOLLOWED)
        await connection.close()

    asyncio.run(follow())
    before = asyncio.run(run())
    migrations.upgrade("kpi", url)
    after = asyncio.run(run())
    migrations.downgrade("kpi", url, revision="0002")
    back = asyncio.run(run())
    migrations.downgrade("kpi", url)
    migrations.upgrade("kpi", url)

    assert (before, after, back) == ([(1, 1, 7)], [(0, 0, 0)], [(0, 0, 0)])
