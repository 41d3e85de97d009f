"""Routes of senders that sign."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from huaxiao.attribution.callers import BranchReader, GeneralManager
from huaxiao.attribution.intake.api import DESCRIBED, UnsupportedEncoding, UnsupportedMediaType
from huaxiao.attribution.intake.api import events_of as events_of_body
from huaxiao.attribution.signed import handlers
from huaxiao.attribution.signed.handlers import Signed
from huaxiao.shared import web
from huaxiao.shared.audit.origins import origin_of
from huaxiao.shared.auth import Reach, Role, branch_of
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.personal import keep_nowhere
from huaxiao.shared.problems import (
    Conflict,
    Fault,
    Forbidden,
    IdempotencyKeyReused,
    Malformed,
    NotFound,
    TooLarge,
)
from huaxiao.shared.signatures import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER
from huaxiao.shared.unit_of_work import ReadTx, UnrememberedTx
from huaxiao.shared.wire.attribution import IntakeReport
from huaxiao.shared.wire.signed_sources import NewSecretIn, SignedSource, SignedSourceIn

router = web.router(tags=["signed sources"])
signed = APIRouter(prefix="/v1/branches/{branch_id}", tags=["signed sources"])
"""What takes a signature instead of a token."""


@router.get("/signed-sources", responses=web.problem_responses(Forbidden))
async def list_signed_sources(
    branch_id: BranchId, connection: ReadTx, _: BranchReader
) -> list[SignedSource]:
    """List the senders that sign, without their secrets."""
    return await handlers.listed(connection, branch_id)


@router.put(
    "/signed-sources/{source_id}",
    responses=web.problem_responses(Forbidden, Conflict) | {201: {"model": SignedSource}},
)
async def put_signed_source(
    request: Request,
    response: Response,
    branch_id: BranchId,
    source_id: Identifier,
    given: SignedSourceIn,
    connection: UnrememberedTx,
    principal: GeneralManager,
) -> SignedSource:
    """Register a sender that signs; its secret is told now, and never again."""
    keep_nowhere(response)
    made = await handlers.register(
        connection, branch_id, source_id, given, principal=principal, now=request.app.state.clock()
    )
    if made.secret is not None:
        response.status_code = 201
    return made


@router.post(
    "/signed-sources/{source_id}/secrets",
    status_code=201,
    responses=web.problem_responses(Forbidden),
)
async def make_secret(
    request: Request,
    response: Response,
    branch_id: BranchId,
    source_id: Identifier,
    given: NewSecretIn,
    connection: UnrememberedTx,
    principal: GeneralManager,
) -> SignedSource:
    """Make a new secret, told now and never again; those before it are good for the overlap."""
    keep_nowhere(response)
    return await handlers.renew(
        connection, branch_id, source_id, given, principal=principal, now=request.app.state.clock()
    )


async def _heard(request: Request, branch_id: str, source_id: str) -> Signed:
    """Return who has signed a request, and what.

    Raises:
        Unauthenticated: anything at all is wrong with it.

    """
    return await handlers.hear(
        request.app.state.database,
        branch_of(branch_id),
        source_id,
        message_id=request.headers.get(ID_HEADER, ""),
        timestamp=request.headers.get(TIMESTAMP_HEADER, ""),
        signatures=request.headers.get(SIGNATURE_HEADER, ""),
        body=await request.body(),
        now=request.app.state.clock(),
    )


# No token opens it, whatever its roles.
_heard.allowed_roles = frozenset[Role]()  # type: ignore[attr-defined]
_heard.reach = Reach.ANY  # type: ignore[attr-defined]


@signed.post(
    "/signed-sources/{source_id}/events",
    responses=web.problem_responses(
        UnsupportedMediaType, UnsupportedEncoding, TooLarge, IdempotencyKeyReused, NotFound
    ),
    response_model=IntakeReport,
    openapi_extra=DESCRIBED,
)
async def post_signed_events(
    request: Request, heard: Annotated[Signed, Depends(_heard)]
) -> Response:
    """Take signed events in (Standard Webhooks), as ``POST /v1/events`` does those with a token.

    Headers ``webhook-id``, ``webhook-timestamp`` (Unix seconds, within 300 of ours) and
    ``webhook-signature``: ``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``, or
    several of these parted by spaces. A message that was taken is answered again and has no effect.
    """
    request.state.principal = heard.principal
    if request.query_params:
        fault = Fault("/query", "extra-forbidden", "no parameters here", "此地址没有查询参数")
        raise Malformed(faults=[fault])
    state = request.app.state
    answered = await handlers.answered(state.database, heard)
    replayed = answered is not None
    if answered is None:
        raws = await events_of_body(request)
        answered = await handlers.take(
            state.turns, heard, raws, now=state.clock(), origin=origin_of(request)
        )
    headers = {"Idempotent-Replayed": "true"} if replayed else {}
    return Response(answered, headers=headers, media_type="application/json")
