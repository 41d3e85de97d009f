"""The audit logs: every chain entry by entry, and against the anchors outside the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.cli.doctor.findings import Finding, Level, unless_found
from huaxiao.shared.audit.anchors import AnchorFile, read
from huaxiao.shared.audit.chain import ChainCheck, ChainFault, Head
from huaxiao.shared.audit.log import AuditLog, hashed

CHECK = "audit log"
_AT_ONCE = 5_000
_ANCHORED_WITHIN = timedelta(hours=2)
_KEEP = (
    "Keep the database and the anchors as they are, compare the entry with a backup of before, and"
    " find out who has the superuser's password."
)


async def check(
    connection: AsyncConnection, logs: Sequence[AuditLog], anchors: Path | None, *, now: datetime
) -> list[Finding]:
    """Go along every chain of every service."""
    found: list[Finding] = []
    entries = 0
    for log in logs:
        file = anchors_of(anchors, log.service)
        found += file_findings(log.service, anchors, file)
        anchored = (file or AnchorFile()).heads()
        heads = {one.branch_id: one for one in await log.all_heads(connection)}
        for branch_id in sorted({*heads, *anchored, *await _branches(connection, log)}):
            chain = ChainCheck(branch_id, anchored.get(branch_id, []))
            fault = await _go_along(connection, log, chain) or chain.end(heads.get(branch_id))
            entries += chain.position
            if fault is not None:
                found.append(fault_finding(log.service, fault))
            elif file is not None:
                last = anchored.get(branch_id, [Head(branch_id, 0, "")])[-1].position
                since = await _written_at(connection, log, branch_id, last + 1)
                found += late_findings(log.service, branch_id, last, since, now=now)
    return unless_found(
        CHECK, found, f"{entries} entries of {len(logs)} services are as they were chained"
    )


def anchors_of(anchors: Path | None, service: str) -> AnchorFile | None:
    """Read the anchors of a service, in the folder or in one of its own there; None without any."""
    if anchors is None:
        return None
    name = f"{service}.jsonl"
    for file in (anchors / name, anchors / service / name):
        if file.is_file():
            return read(file.read_bytes())
    return None


def file_findings(service: str, anchors: Path | None, file: AnchorFile | None) -> list[Finding]:
    """Say what is to be said of a file of anchors."""
    if file is None:
        named = f"{anchors or ''} has no anchors of it".strip()
        return [
            Finding(
                CHECK,
                Level.WARNING,
                f"{named}: that its tail was cut could not be seen",
                "Set …_ANCHOR_FILE for the service, or name their folder with --anchors.",
                service,
            )
        ]
    if file.fault is not None:
        return [
            Finding(
                CHECK,
                Level.WRONG,
                f"its anchors were changed: {file.fault}",
                "Put the file back from its last copy; until then the service anchors nothing.",
                service,
            )
        ]
    return []


def fault_finding(service: str, fault: ChainFault) -> Finding:
    """Say what is wrong with a chain."""
    what = f"entry {fault.position} {fault.what}"
    return Finding(CHECK, Level.WRONG, what, _KEEP, service, fault.branch_id)


def late_findings(
    service: str, branch_id: int, anchored: int, since: datetime | None, *, now: datetime
) -> list[Finding]:
    """Say that entries have waited too long for an anchor, the first of them since a moment."""
    if since is None or now - since <= _ANCHORED_WITHIN:
        return []
    return [
        Finding(
            CHECK,
            Level.WARNING,
            f"entries after {anchored} have not been anchored since {since:%Y-%m-%d %H:%M} UTC",
            "See in the service's log why; an hour without anchors is an hour that could be cut.",
            service,
            branch_id,
        )
    ]


async def _branches(connection: AsyncConnection, log: AuditLog) -> Sequence[int]:
    found = await connection.scalars(select(log.entries.c.branch_id).distinct())
    return found.all()


async def _go_along(
    connection: AsyncConnection, log: AuditLog, chain: ChainCheck
) -> ChainFault | None:
    table = log.entries
    after: int | None = None
    while True:
        query = select(table).where(table.c.branch_id == chain.branch_id)
        if after is not None:
            query = query.where(table.c.position > after)
        rows = await connection.execute(query.order_by(table.c.position).limit(_AT_ONCE))
        some = rows.mappings().all()
        for row in some:
            fault = chain.take(row["position"], hashed(log.service, row), row["hash"])
            if fault is not None:
                return fault
        if len(some) < _AT_ONCE:
            return None
        after = some[-1]["position"]


async def _written_at(
    connection: AsyncConnection, log: AuditLog, branch_id: int, position: int
) -> datetime | None:
    table = log.entries
    found: datetime | None = await connection.scalar(
        select(table.c.at).where(table.c.branch_id == branch_id, table.c.position == position)
    )
    return found
