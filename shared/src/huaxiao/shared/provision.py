"""What a database administrator does once: a schema, an owner and a service role for each service.

The owner runs migrations. The service's own role owns nothing: it may read and write rows of the
scope that a transaction names, and on append-only tables it may only add them. The service's writer
is nobody who can log in: as it, the service adds rows to the few tables that are copied into, since
PostgreSQL copies nothing past a policy, and can do nothing else. Safe to run again.
"""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg
from sqlalchemy import Table
from sqlalchemy.engine import URL

from huaxiao.shared.audit.marks import erasable_columns

SERVICES = ("contracts", "attribution", "dispatch", "kpi")
"""The services that have a schema of their own, in the order they are prepared."""
LOCK_TIMEOUT = "3s"
"""So long a service waits for a lock; then whoever asked is told to try again."""
OWNER_LOCK_TIMEOUT = "10s"
"""So long a schema's owner does, who changes it beside services at work."""


def owner_role(service: str) -> str:
    """Return the role that owns a service's schema and runs its migrations."""
    return f"{service}_owner"


def writer_role(service: str) -> str:
    """Return the role as which a service copies rows into tables, and can do nothing else."""
    return f"{service}_writer"


def provision_statements(
    services: Sequence[str], *, passwords: Mapping[str, str] | None = None
) -> list[str]:
    """Return the statements, in order, for a superuser connected to the suite's database.

    ``passwords`` names one for every role; without it roles get none, which fits a server that
    only its own machine's socket reaches.
    """
    statements = ["REVOKE CREATE ON SCHEMA public FROM PUBLIC"]
    for service in services:
        owner = owner_role(service)
        for role in (owner, service):
            statements.append(
                f"DO $$ BEGIN CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS;"
                " EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            )
            if passwords is not None:
                quoted = passwords[role].replace("'", "''")
                statements.append(f"ALTER ROLE {role} PASSWORD '{quoted}'")
        # The server's log tells no values of rows, which might be a person's. Only a superuser may say
        # so, and only one at a time.
        terse = "log_error_verbosity=terse"
        statements.append(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_db_role_setting WHERE setdatabase = 0"
            f" AND setrole = '{service}'::regrole AND '{terse}' = ANY (setconfig))"
            f" THEN ALTER ROLE {service} SET {terse}; END IF;"
            " EXCEPTION WHEN insufficient_privilege OR unique_violation OR internal_error"
            " THEN NULL; END $$"
        )
        writer = writer_role(service)
        statements.append(
            f"DO $$ BEGIN CREATE ROLE {writer} NOLOGIN NOSUPERUSER BYPASSRLS;"
            " EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
        defaults = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {service} GRANT"
        statements += [
            f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {owner}",
            f"GRANT USAGE ON SCHEMA {service} TO {service}, {writer}",
            f"GRANT {writer} TO {service} WITH INHERIT FALSE, SET TRUE",
            f"{defaults} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {service}",
            f"{defaults} USAGE, SELECT ON SEQUENCES TO {service}",
        ]
    return statements


def append_only_statements(service: str, tables: Iterable[Table]) -> list[str]:
    """Return the grants that make a service's append-only tables so, for their owner.

    Of what may be erased, the columns alone can be changed.
    """
    held = [table for table in tables if table.info.get("append_only")]
    return [
        *(f"REVOKE UPDATE, DELETE, TRUNCATE ON {one.fullname} FROM {service}" for one in held),
        *(
            f"GRANT UPDATE ({', '.join(columns)}) ON {one.fullname} TO {service}"
            for one in held
            if (columns := erasable_columns(one))
        ),
    ]


def copied_statements(service: str, tables: Iterable[Table]) -> list[str]:
    """Return the grants by which a service's writer may add rows to tables that are copied into."""
    return [
        f"GRANT INSERT ON {table.fullname} TO {writer_role(service)}"
        for table in tables
        if table.info.get("copied")
    ]


async def provision(
    admin_url: URL,
    services: Sequence[str] = SERVICES,
    *,
    passwords: Mapping[str, str] | None = None,
) -> None:
    """Make roles and schemas in the database the URL names."""
    connection = await asyncpg.connect(
        admin_url.set(drivername="postgresql").render_as_string(hide_password=False)
    )
    try:
        for statement in provision_statements(services, passwords=passwords):
            await connection.execute(statement)
    finally:
        await connection.close()
