"""How the tables are laid over several machines by Citus: each branch whole on one of them.

Every table with a branch is distributed by it, all in one colocation group, so that all rows of a
branch, of all services, lie on one node and move together; one without is copied to every node. What
Citus refuses of a table is changed before: policies lose their sub-selects, exclusion constraints gain
the branch as a column of their own, and triggers go, since on a node they could not look at a row
that their own transaction has just written. Services speak to the coordinator alone.

On a PostgreSQL without Citus nothing is changed. Safe to run again: what is distributed stays as it is.
"""

import importlib
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import asyncpg
from sqlalchemy import Connection, MetaData, Table, text
from sqlalchemy.engine import URL

from huaxiao.shared import rows
from huaxiao.shared.provision import LOCK_TIMEOUT, OWNER_LOCK_TIMEOUT, SERVICES, owner_role

SHARDS = 64
"""Into how many pieces the branches are sorted, when the first table is distributed."""
_PORT = 5432
_BRANCH = "branch_id"
_DISTRIBUTED = """
    SELECT n.nspname || '.' || c.relname AS name
    FROM pg_catalog.pg_dist_partition p
    JOIN pg_class c ON c.oid = p.logicalrelid JOIN pg_namespace n ON n.oid = c.relnamespace
"""
_EXCLUSIONS = """
    SELECT conrelid::regclass::text AS "table", quote_ident(conname) AS name,
           pg_get_constraintdef(oid) AS definition
    FROM pg_constraint
    WHERE contype = 'x' AND connamespace = ANY ($1::regnamespace[]) ORDER BY 1, 2
"""
_TRIGGERS = """
    SELECT t.tgrelid::regclass::text AS "table", quote_ident(t.tgname) AS name
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND c.relnamespace = ANY ($1::regnamespace[]) ORDER BY 1, 2
"""
_GROUPS = """
    SELECT count(DISTINCT colocationid) FROM pg_catalog.pg_dist_partition
    WHERE partmethod = 'h' AND logicalrelid = ANY ($1::regclass[])
"""
_NODES = """
    SELECT count(*) FROM pg_catalog.pg_dist_node
    WHERE isactive AND noderole = 'primary' AND shouldhaveshards
"""
_EXCLUDE = "EXCLUDE USING gist ("


class NotDistributedError(RuntimeError):
    """The tables cannot be laid over several machines."""

    def __init__(self, what: str, do: str) -> None:
        """Say what is in the way, and what to do about it."""
        super().__init__(what)
        self.do = do


@dataclass(frozen=True, slots=True)
class Constraint:
    """An exclusion constraint, as PostgreSQL tells it."""

    table: str
    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """What PostgreSQL does by itself when rows of a table change."""

    table: str
    name: str


@dataclass(frozen=True, slots=True)
class Laid:
    """What the database holds before tables are distributed."""

    distributed: AbstractSet[str] = frozenset()
    """Tables that are distributed, or copied to every node, by their schema and name."""
    exclusions: Sequence[Constraint] = ()
    triggers: Sequence[Trigger] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    nodes: int
    """Nodes that hold shards; the coordinator is one of them where there is no other."""
    added: int
    """Tables that this run distributed."""
    tables: int
    """Tables that are distributed now."""


def schemas(services: Iterable[str] = SERVICES) -> list[MetaData]:
    """Return what each service says of its tables, in the order in which services are prepared."""
    return [importlib.import_module(f"huaxiao.{service}.tables").metadata for service in services]


def role_statements(services: Iterable[str] = SERVICES) -> list[str]:
    """Return what lets a transaction's scope reach the nodes, and a lock be given up there too.

    A session's own settings do not reach them; what is ``SET LOCAL`` does, of a role that says so.
    """
    return [
        statement
        for service in services
        for role, lock_timeout in (
            (service, LOCK_TIMEOUT),
            (owner_role(service), OWNER_LOCK_TIMEOUT),
        )
        for statement in (
            f"ALTER ROLE {role} SET citus.propagate_set_commands = 'local'",
            f"ALTER ROLE {role} SET lock_timeout = '{lock_timeout}'",
        )
    ]


def distribution_statements(
    metadatas: Iterable[MetaData], laid: Laid, *, shards: int = SHARDS
) -> list[str]:
    """Return the statements, in order, that distribute what is not distributed yet.

    Each is to be executed in a transaction of its own: what was done before one that fails stays, and
    the next run goes on from there. What others refer to comes first, since Citus refuses a table that
    refers to one that is not distributed.
    """
    tables = [table for metadata in metadatas for table in metadata.sorted_tables]
    missing = [table for table in tables if table.fullname not in laid.distributed]
    names = {table.fullname for table in missing}
    beside = next(
        (one.fullname for one in tables if one.fullname in laid.distributed and _has_branch(one)),
        None,
    )
    statements = [
        *_without_triggers(laid.triggers, names),
        *_with_the_branch(laid.exclusions, names),
    ]
    for table in missing:
        statements += rows.row_security_statements(table, distributed=True)
        if not _has_branch(table):
            statements.append(f"SELECT create_reference_table('{table.fullname}')")
        elif beside is None:
            beside = table.fullname
            statements.append(
                f"SELECT create_distributed_table('{beside}', '{_BRANCH}',"
                f" colocate_with => 'none', shard_count => {shards})"
            )
        else:
            statements.append(
                f"SELECT create_distributed_table('{table.fullname}', '{_BRANCH}',"
                f" colocate_with => '{beside}')"
            )
    return statements


def _has_branch(table: Table) -> bool:
    return _BRANCH in table.columns


def _without_triggers(triggers: Iterable[Trigger], names: AbstractSet[str]) -> Iterator[str]:
    yield from (f"DROP TRIGGER {one.name} ON {one.table}" for one in triggers if one.table in names)


def _with_the_branch(exclusions: Iterable[Constraint], names: AbstractSet[str]) -> Iterator[str]:
    """Yield what makes the branch a column of each exclusion, compared by equality: Citus asks for it."""
    lacking = [
        one
        for one in exclusions
        if one.table in names and not one.definition.startswith(f"{_EXCLUDE}{_BRANCH} WITH =")
    ]
    if lacking:
        # It brings the comparison of numbers to the kind of index that compares ranges.
        yield "CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public"
    for one in lacking:
        within = one.definition.replace(_EXCLUDE, f"{_EXCLUDE}{_BRANCH} WITH =, ", 1)
        yield (
            f"ALTER TABLE {one.table} DROP CONSTRAINT {one.name}, ADD CONSTRAINT {one.name} {within}"
        )


def distributed_tables(connection: Connection) -> frozenset[str]:
    """Return the tables that are distributed; none on a PostgreSQL without Citus."""
    if connection.scalar(text("SELECT to_regclass('pg_catalog.pg_dist_partition')")) is None:
        return frozenset()
    return frozenset(connection.scalars(text(_DISTRIBUTED)))


async def require_citus(admin_url: URL) -> None:
    """Refuse a database over which nothing can be distributed, before anything is done to it.

    Raises:
        NotDistributedError: it is no coordinator of Citus.

    """
    connection = await _connect(admin_url)
    try:
        await _require_citus(connection)
    finally:
        await connection.close()


async def join(admin_url: URL, workers: Sequence[str]) -> None:
    """Make a database the coordinator of workers, each given as ``host`` or ``host:port``.

    Those that are known already stay as they are.

    Raises:
        NotDistributedError: the database is no coordinator of Citus, or a worker cannot be reached.

    """
    connection = await _connect(admin_url)
    try:
        await _require_citus(connection)
        known = "SELECT count(*) FROM pg_catalog.pg_dist_node WHERE groupid = 0"
        if workers and not await connection.fetchval(known):
            await connection.execute(
                "SELECT citus_set_coordinator_host($1, $2)",
                admin_url.host or "localhost",
                admin_url.port or _PORT,
            )
        for worker in workers:
            host, _, port = worker.partition(":")
            await connection.execute("SELECT citus_add_node($1, $2)", host, int(port or _PORT))
    except asyncpg.PostgresError as error:
        raise NotDistributedError(
            f"A worker did not join: {error}.",
            "Every node needs the extension citus in a database of this name, and must let the"
            " coordinator in: docs/operations/several-machines.md.",
        ) from error
    finally:
        await connection.close()


async def distribute(
    admin_url: URL, *, metadatas: Sequence[MetaData] | None = None, shards: int = SHARDS
) -> Outcome:
    """Distribute the tables of a migrated database, as superuser and beside no service at work.

    Raises:
        NotDistributedError: the database is no coordinator of Citus, or Citus refuses a table.

    """
    described = schemas() if metadatas is None else metadatas
    tables = [table for metadata in described for table in metadata.sorted_tables]
    connection = await _connect(admin_url)
    try:
        await _require_citus(connection)
        before = await _laid(connection)
        for statement in [
            *role_statements(),
            *distribution_statements(described, before, shards=shards),
        ]:
            try:
                await connection.execute(statement)
            except asyncpg.PostgresError as error:
                raise NotDistributedError(
                    f"{statement}: {error}",
                    "What came before it is done. Mend what the error names, and run this again.",
                ) from error
        after = await _laid(connection)
        names = [table.fullname for table in tables if table.fullname in after.distributed]
        groups = await connection.fetchval(_GROUPS, names)
        if groups > 1:
            raise NotDistributedError(
                f"Tables lie in {groups} colocation groups: a branch's rows are not together.",
                "Undistribute those of the smaller group (undistribute_table), and run this again.",
            )
        nodes = await connection.fetchval(_NODES)
    finally:
        await connection.close()
    return Outcome(nodes, len(set(names) - before.distributed), len(names))


async def _laid(connection: asyncpg.Connection) -> Laid:
    distributed = frozenset(row["name"] for row in await connection.fetch(_DISTRIBUTED))
    services = list(SERVICES)
    return Laid(
        distributed,
        [Constraint(**row) for row in await connection.fetch(_EXCLUSIONS, services)],
        [Trigger(**row) for row in await connection.fetch(_TRIGGERS, services)],
    )


async def _require_citus(connection: asyncpg.Connection) -> None:
    if await connection.fetchval("SELECT to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL"):
        return
    if await connection.fetchval(
        "SELECT count(*) FROM pg_available_extensions WHERE name = 'citus'"
    ):
        raise NotDistributedError(
            "This database has no extension citus, and its server could have it.",
            "Add citus to shared_preload_libraries of every node, restart them, and in this database"
            " on each: CREATE EXTENSION citus.",
        )
    raise NotDistributedError(
        "This PostgreSQL is without Citus: its tables stay on this one machine.",
        "Leave out --citus, or name a coordinator of Citus with --database-url; deploy/scale starts"
        " one: docs/operations/several-machines.md.",
    )


async def _connect(admin_url: URL) -> asyncpg.Connection:
    plain = admin_url.set(drivername="postgresql").render_as_string(hide_password=False)
    # Names are told with their schema, wherever they are asked for.
    return await asyncpg.connect(plain, server_settings={"search_path": "pg_catalog"})
