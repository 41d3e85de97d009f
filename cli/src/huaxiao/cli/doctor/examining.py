"""All checks, on one snapshot of the database."""

import importlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from huaxiao.cli.doctor import chains, database_settings, erasures, feeds, ledger, roles, seals
from huaxiao.cli.doctor.findings import Examination, Finding, examination
from huaxiao.contracts.tables import branches
from huaxiao.shared.provision import SERVICES


async def examine(
    admin_url: URL,
    *,
    anchors: Path | None,
    contracts_url: str | None,
    token: Callable[[int], str],
    now: datetime,
    tell: Callable[[str], None] = lambda _: None,
) -> Examination:
    """Run every check; nothing is written. ``tell`` hears of each before it is made.

    The database is read as a superuser, who alone sees all of it.
    """
    modules = {
        service: importlib.import_module(f"huaxiao.{service}.tables") for service in SERVICES
    }
    engine = create_async_engine(
        admin_url.set(drivername="postgresql+asyncpg"),
        poolclass=NullPool,
        isolation_level="REPEATABLE READ",
    )
    found: list[Finding] = []
    try:
        async with engine.connect() as opened:
            connection = await opened.execution_options(postgresql_readonly=True)
            tell("settings of the database")
            found += await database_settings.check(connection)
            tell("roles")
            found += await roles.check(
                connection, {service: one.metadata for service, one in modules.items()}
            )
            if any("its schema lacks" in one.what for one in found):
                return examination(found)
            tell("audit logs")
            found += await chains.check(
                connection, [one.audit_log for one in modules.values()], anchors, now=now
            )
            tell("erasures")
            found += await erasures.check(connection, modules, anchors)
            tell("ledger")
            found += await ledger.check(connection)
            tell("feeds")
            found += await feeds.check(
                connection,
                {service: one.feed for service, one in modules.items()},
                {
                    service: one.positions
                    for service, one in modules.items()
                    if hasattr(one, "positions")
                },
            )
            branch_ids = (
                await connection.scalars(select(branches.c.branch_id).order_by("branch_id"))
            ).all()
    finally:
        await engine.dispose()
    if not branch_ids:
        found += seals.none_there()
    elif contracts_url is None:
        found += seals.not_asked()
    else:
        tell("seals")
        found += await seals.check(contracts_url, token, branch_ids)
    return examination(found)
