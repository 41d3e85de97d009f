"""Routes of the audit log, the same in every service."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy import RowMapping

from huaxiao.shared import web
from huaxiao.shared.audit.log import AuditLog
from huaxiao.shared.auth import Principal, Role, allow
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import BigInt, Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.rows import NO_BRANCH
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.audit import AuditEntry
from huaxiao.shared.wire.base import Moment

_ROLES = (Role.AUDITOR, Role.PROVINCE, Role.COUNTY_MANAGER)
Auditor = Annotated[Principal, allow(*_ROLES, whole_branch=True)]
"""Reads what is on record: whoever answers for the whole branch, or looks at those who do."""
AuditorOfAll = Annotated[Principal, allow(*_ROLES, every_branch=True)]
_Subject = Annotated[
    str | None,
    Query(max_length=200, pattern=r"^[^\x00]*$", description="only what this caller asked"),
]
_Route = Annotated[
    str | None,
    Query(
        max_length=200,
        pattern=r"^[^\x00]*$",
        description="only this operation, by its `operationId`",
    ),
]
_Since = Annotated[Moment | None, Query(alias="from", description="not before this moment")]
_Until = Annotated[Moment | None, Query(description="before this moment")]


def routes() -> list[APIRouter]:
    """Return the routes by which the audit log of a service is read."""
    return [of_branches, outside]


of_branches = web.router(tags=["audit"])
outside = web.router(tags=["audit"], prefix="/v1")


@of_branches.get("/audit-entries", responses=web.problem_responses(Forbidden))
async def list_audit_entries(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    _: Auditor,
    page: PageOf,
    subject: _Subject = None,
    route: _Route = None,
    since: _Since = None,
    until: _Until = None,
) -> Page[AuditEntry]:
    """List what was changed in the branch, the newest first: who, when, from where, what and why."""
    log: AuditLog = request.app.state.audit_log
    (before,) = page.after(BigInt) or (None,)
    rows = await log.page(
        connection,
        branch_id,
        subject=subject,
        route=route,
        since=since,
        until=until,
        before=before,
        limit=page.limit + 1,
    )
    return page.page([_entry(row) for row in rows], "position")


@outside.get("/audit-entries", responses=web.problem_responses(Forbidden))
async def list_audit_entries_outside_branches(
    request: Request,
    connection: ReadTx,
    principal: AuditorOfAll,
    page: PageOf,
    subject: _Subject = None,
    route: _Route = None,
    since: _Since = None,
    until: _Until = None,
) -> Page[AuditEntry]:
    """List what was changed outside any branch; for callers who are bound to none."""
    return await list_audit_entries(
        request, NO_BRANCH, connection, principal, page, subject, route, since, until
    )


def _entry(row: RowMapping) -> AuditEntry:
    return AuditEntry.model_validate(dict(row))
