"""Entries of the audit log, as they are read."""

from typing import Any

from pydantic import Field

from huaxiao.shared.wire.base import Moment, Resource


class AuditEntry(Resource):
    """One change that was asked for, or that a service made by itself, as it was recorded."""

    position: int = Field(description="in its branch's chain, from 1 without gaps")
    at: Moment
    subject: str
    roles: list[str]
    person_id: str | None
    token_id: str | None
    client: str | None = Field(description="the address it was asked from")
    trace_id: str | None
    method: str = Field(description="empty for what a service did by itself")
    route: str
    path: str
    query: str
    reason: str | None
    status: int
    changes: list[dict[str, Any]] = Field(
        description="by table: rows added, removed, or changed with what was before and after;"
        " personal data is masked"
    )
    hash: str = Field(description="SHA-256 over the entry and the hash before it")
