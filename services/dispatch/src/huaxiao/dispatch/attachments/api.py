"""Routes of attachments."""

from typing import Annotated, Any

from fastapi import Query, Request, Response

from huaxiao.dispatch.attachments import handlers
from huaxiao.dispatch.attachments.objects import NoObjectStore, ObjectStore
from huaxiao.dispatch.callers import OrderReader, OrderWriter
from huaxiao.dispatch.domain.attachments import (
    JPEG,
    PDF,
    PNG,
    WEBP,
    AttachmentErased,
    AttachmentTooLarge,
    UnsupportedContent,
)
from huaxiao.dispatch.domain.order_parts import PartsClosed
from huaxiao.dispatch.domain.order_states import NotYourOrder
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Conflict, Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.orders import Attachment, AttachmentKind, AttachmentName

router = web.router(tags=["attachments"])
_CONTENT = {
    media: {"schema": {"type": "string", "format": "binary"}} for media in (JPEG, PNG, WEBP, PDF)
}
_UPLOAD = {"requestBody": {"required": True, "content": _CONTENT}}
_DOWNLOAD: dict[int | str, dict[str, Any]] = {
    200: {"description": "The content as it was uploaded", "content": _CONTENT}
}


def _objects(request: Request) -> ObjectStore:
    objects: ObjectStore | None = request.app.state.objects
    if objects is None:
        raise NoObjectStore
    return objects


@router.put(
    "/orders/{order_id}/attachments/{name}",
    status_code=201,
    responses=web.problem_responses(
        Forbidden,
        NotYourOrder,
        Conflict,
        PartsClosed,
        AttachmentTooLarge,
        UnsupportedContent,
        NoObjectStore,
    )
    | {200: {"description": "The same was uploaded before", "model": Attachment}},
    openapi_extra=_UPLOAD,
)
async def upload_attachment(
    request: Request,
    response: Response,
    branch_id: BranchId,
    order_id: Identifier,
    name: AttachmentName,
    connection: WriteTx,
    principal: OrderWriter,
    kind: Annotated[AttachmentKind, Query(description="what it shows")],
) -> Attachment:
    """Upload a photo or a signature; it is never overwritten."""
    attachment, is_new = await handlers.upload(
        connection,
        branch_id,
        order_id,
        name,
        kind,
        await request.body(),
        objects=_objects(request),
        most_bytes=request.app.state.attachment_max_bytes,
        principal=principal,
        now=request.app.state.clock(),
    )
    if not is_new:
        response.status_code = 200
    return attachment


@router.get("/orders/{order_id}/attachments", responses=web.problem_responses(Forbidden))
async def list_attachments(
    branch_id: BranchId, order_id: Identifier, connection: ReadTx, principal: OrderReader
) -> list[Attachment]:
    """List an order's attachments by name."""
    return await handlers.listed(connection, branch_id, order_id, principal=principal)


@router.get(
    "/orders/{order_id}/attachments/{name}",
    response_class=Response,
    responses=web.problem_responses(Forbidden, AttachmentErased, NoObjectStore) | _DOWNLOAD,
)
async def download_attachment(
    request: Request,
    branch_id: BranchId,
    order_id: Identifier,
    name: AttachmentName,
    connection: ReadTx,
    principal: OrderReader,
) -> Response:
    """Download an attachment as it was uploaded."""
    attachment, content = await handlers.download(
        connection,
        branch_id,
        order_id,
        name,
        objects=_objects(request),
        principal=principal,
    )
    headers = {
        "ETag": f'"{attachment.sha256}"',
        "Content-Disposition": f'attachment; filename="{attachment.name}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=attachment.media_type, headers=headers)
