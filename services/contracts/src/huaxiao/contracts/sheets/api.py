"""Routes of sheets."""

from datetime import date
from typing import Annotated

from fastapi import Depends, Query, Request, Response

from huaxiao.contracts.callers import BranchReader, Reader, Writer
from huaxiao.contracts.domain.sheets import header
from huaxiao.contracts.sheets import exporting, importing, store
from huaxiao.contracts.sheets.files import SheetTooLarge, UnreadableSheet
from huaxiao.contracts.sheets.receiving import Upload, receive
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.sheets import SHEET, XLSX_MEDIA_TYPE, Format, as_file
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.base import WRITTEN_OUT
from huaxiao.shared.wire.sheets import SheetFormat, SheetKind, SheetReport

router = web.router(tags=["sheets"])
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            media: {"schema": {"type": "string", "format": "binary"}}
            for media in ("text/csv", XLSX_MEDIA_TYPE)
        },
    }
}


async def _received(request: Request) -> Upload:
    """Take the body in, once: it is gone when the transaction is tried again."""
    if not hasattr(request.state, "upload"):
        request.state.upload = await receive(request.stream())
        request.state.body_digest = request.state.upload.digest
    upload: Upload = request.state.upload
    return upload


Received = Annotated[Upload, Depends(_received)]
"""The body, read before the transaction begins, so that a large one keeps nobody waiting."""


@router.get(
    "/sheets/{kind}/template",
    response_class=Response,
    responses=SHEET | web.problem_responses(Forbidden),
)
async def get_template(
    branch_id: BranchId,  # noqa: ARG001 - of the address, which every document names in full
    kind: SheetKind,
    _: Reader,
    wanted: Format = SheetFormat.XLSX,
) -> Response:
    """Download an empty sheet with its headers, to be filled in."""
    return as_file(kind, [header(kind)], wanted)


@router.get(
    "/sheets/{kind}",
    response_class=Response,
    responses=SHEET | web.problem_responses(Forbidden),
)
async def export_sheet(
    branch_id: BranchId,
    kind: SheetKind,
    connection: ReadTx,
    principal: Reader,
    wanted: Format = SheetFormat.XLSX,
    on: Annotated[
        date | None,
        WRITTEN_OUT,
        Query(
            description="people where they work on this day, fields whose term it lies in;"
            " latest places and all fields when absent"
        ),
    ] = None,
) -> Response:
    """Export people, listed customers or fields as an import takes them: a contractor its centre's."""
    rows = await exporting.rows_of(connection, branch_id, kind, principal.centre_ids, on=on)
    return as_file(kind, rows, wanted)


@router.post(
    "/sheets/{kind}",
    responses=web.problem_responses(Forbidden, UnreadableSheet, SheetTooLarge),
    openapi_extra=_UPLOAD,
)
async def import_sheet(
    request: Request,
    branch_id: BranchId,
    kind: SheetKind,
    principal: Writer,
    upload: Received,
    connection: WriteTx,
    *,
    preview: Annotated[bool, Query(description="only try it, and say what is wrong")] = False,
) -> SheetReport:
    """Import a CSV or XLSX file: all of it, or nothing and a report of every bad row."""
    return await importing.take(
        connection,
        branch_id,
        kind,
        upload,
        preview=preview,
        uploaded_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.post(
    "/sheets/{kind}/marked",
    response_class=Response,
    responses=SHEET | web.problem_responses(Forbidden, UnreadableSheet, SheetTooLarge),
    openapi_extra=_UPLOAD,
)
async def mark_sheet(
    request: Request,
    branch_id: BranchId,
    kind: SheetKind,
    _: Writer,
    upload: Received,
    connection: WriteTx,
    wanted: Format = SheetFormat.XLSX,
) -> Response:
    """Have a file back with a column that says what is wrong with each row; nothing is taken."""
    rows = await importing.mark(connection, branch_id, kind, upload, now=request.app.state.clock())
    return as_file(kind, rows, wanted)


@router.get("/sheet-uploads", responses=web.problem_responses(Forbidden))
async def list_uploads(
    branch_id: BranchId, connection: ReadTx, _: BranchReader, page: PageOf
) -> Page[SheetReport]:
    """List what was uploaded, by whom, and what became of it."""
    (after,) = page.after(int) or (0,)
    rows = await store.page(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page([SheetReport.model_validate(dict(row)) for row in rows], "number")
