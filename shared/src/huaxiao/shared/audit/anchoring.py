"""The hourly job that writes the heads of a service's chains outside its database."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from huaxiao.shared.audit.anchors import append
from huaxiao.shared.audit.log import AuditLog
from huaxiao.shared.background import beside
from huaxiao.shared.clock import Clock
from huaxiao.shared.database import Database
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.settings import ServiceSettings
from huaxiao.shared.structured import tell

_EVERY_SECONDS = 3600.0
_LAST_SECONDS = 5.0
"""How long a service that stops tries to write the last heads."""
_log = logging.getLogger(__name__)


async def anchor(
    settings: ServiceSettings, database: Database, audit_log: AuditLog, *, clock: Clock
) -> int:
    """Write the heads that have moved since the last time, here and into the log; return how many.

    Raises:
        ChangedFileError: somebody changed the file.

    """
    if settings.anchor_file is None:
        return 0
    async with database.read(EVERYTHING) as connection:
        heads = await audit_log.all_heads(connection)
    moment = clock()
    written = await asyncio.to_thread(
        append, settings.anchor_file, audit_log.service, heads, at=moment
    )
    for head in written:
        tell(
            logging.INFO,
            "audit-head",
            service=audit_log.service,
            branch_id=head.branch_id,
            position=head.position,
            hash=head.hash,
            at=moment.isoformat(),
        )
    return len(written)


@asynccontextmanager
async def anchoring(
    settings: ServiceSettings, database: Database, audit_log: AuditLog, *, clock: Clock
) -> AsyncIterator[None]:
    """Write heads every hour, and once more when the service stops."""
    if settings.anchor_file is None or not settings.follow:
        yield
        return

    async def try_once() -> None:
        try:
            await anchor(settings, database, audit_log, clock=clock)
        except Exception as error:  # noqa: BLE001 - the database may be away; the next hour tries again
            _log.warning("cannot anchor the audit log: %r", error)

    async def run() -> None:
        while True:
            await try_once()
            await asyncio.sleep(_EVERY_SECONDS)

    try:
        async with beside(run()):
            yield
    finally:
        await asyncio.wait([asyncio.create_task(try_once())], timeout=_LAST_SECONDS)
