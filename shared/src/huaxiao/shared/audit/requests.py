"""Requests on record: one entry for each that may have changed something, in its own transaction."""

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.shared.audit.changes import Changes
from huaxiao.shared.audit.log import AuditLog, NewEntry
from huaxiao.shared.audit.origins import origin_of, reason_of
from huaxiao.shared.rows import NO_BRANCH

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


async def record(
    request: Request, response: Response, connection: AsyncConnection, changes: Changes
) -> None:
    """Append what a request was and what it changed, as the last thing of its transaction.

    A request that only reads is recorded if it changed something after all.
    """
    told = await changes.told(connection) if changes else []
    if request.method in _SAFE and not told:
        return
    audit_log: AuditLog = request.app.state.audit_log
    entry = NewEntry(
        at=request.app.state.clock(),
        origin=origin_of(request),
        status=response.status_code,
        reason=reason_of(request),
        changes=told,
    )
    branch_id = int(request.path_params.get("branch_id", NO_BRANCH))
    await audit_log.append(connection, branch_id, [entry])
