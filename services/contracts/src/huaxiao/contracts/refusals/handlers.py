"""Refused changes: recorded and shown."""

from collections.abc import Set as AbstractSet

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.domain.locks import Sealed
from huaxiao.contracts.refusals import store
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.contracts import RefusedChange


async def refuse(
    request: Request,
    connection: AsyncConnection,
    branch_id: int,
    subject_id: str,
    *,
    refused: Sealed,
    asked: BaseModel,
    principal: Principal,
) -> Response:
    """Record an attempt and answer with the refusal, in the transaction that commits before it.

    Answered rather than raised: raising would undo the record with the request.
    """
    await store.add(
        connection,
        branch_id,
        {
            "subject_kind": refused.subject,
            "subject_id": subject_id,
            "centre_id": refused.centre_id,
            "code": refused.code,
            "digest": refused.digest,
            "asked_by": principal.subject,
            "asked_at": request.app.state.clock(),
            "asked": asked.model_dump(mode="json"),
        },
    )
    return web.problem_response(request, refused)


async def show(
    connection: AsyncConnection, branch_id: int, number: int, centre_ids: AbstractSet[str] | None
) -> RefusedChange:
    """Return a refused change that the caller may see."""
    row = await store.load(connection, branch_id, number, centre_ids)
    if row is None:
        raise NotFound
    return RefusedChange.model_validate(dict(row))
