"""Routes of sheets."""

from typing import Annotated, Any

from fastapi import Query, Request, Response

from huaxiao.contracts.callers import BranchReader, Reader, Writer
from huaxiao.contracts.domain.sheets import header
from huaxiao.contracts.sheets import exporting, importing, store
from huaxiao.contracts.sheets.files import (
    CSV_MEDIA_TYPE,
    XLSX_MEDIA_TYPE,
    UnreadableSheet,
    write_csv,
    write_xlsx,
)
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.sheets import SheetFormat, SheetKind, SheetReport

router = web.router(tags=["sheets"])
Format = Annotated[SheetFormat, Query(alias="format", description="csv or xlsx")]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The sheet.",
        "content": {CSV_MEDIA_TYPE: {}, XLSX_MEDIA_TYPE: {}},
    }
}
_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            media: {"schema": {"type": "string", "format": "binary"}}
            for media in ("text/csv", XLSX_MEDIA_TYPE)
        },
    }
}


def _file(kind: SheetKind, rows: list[list[str]], wanted: SheetFormat) -> Response:
    name = f'attachment; filename="{kind}.{wanted}"'
    if wanted is SheetFormat.CSV:
        content, media_type = write_csv(rows), CSV_MEDIA_TYPE
    else:
        content, media_type = write_xlsx(kind, rows), XLSX_MEDIA_TYPE
    return Response(content, media_type=media_type, headers={"Content-Disposition": name})


@router.get(
    "/sheets/{kind}/template",
    response_class=Response,
    responses=_FILE | web.problem_responses(Forbidden),
)
async def get_template(kind: SheetKind, _: Reader, wanted: Format = SheetFormat.XLSX) -> Response:
    """Download an empty sheet with its headers, to be filled in."""
    return _file(kind, [header(kind)], wanted)


@router.get(
    "/sheets/{kind}",
    response_class=Response,
    responses=_FILE | web.problem_responses(Forbidden),
)
async def export_sheet(
    branch_id: BranchId,
    kind: SheetKind,
    connection: ReadTx,
    principal: Reader,
    wanted: Format = SheetFormat.XLSX,
) -> Response:
    """Export people, listed customers or fields as an import takes them: a contractor its centre's."""
    rows = await exporting.rows_of(connection, branch_id, kind, principal.centre_ids)
    return _file(kind, rows, wanted)


@router.post(
    "/sheets/{kind}",
    responses=web.problem_responses(Forbidden, UnreadableSheet),
    openapi_extra=_UPLOAD,
)
async def import_sheet(
    request: Request,
    branch_id: BranchId,
    kind: SheetKind,
    connection: WriteTx,
    principal: Writer,
    *,
    preview: Annotated[bool, Query(description="only try it, and say what is wrong")] = False,
) -> SheetReport:
    """Import a CSV or XLSX file: all of it, or nothing and a report of every bad row."""
    return await importing.take(
        connection,
        branch_id,
        kind,
        await request.body(),
        preview=preview,
        uploaded_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.get("/sheet-uploads", responses=web.problem_responses(Forbidden))
async def list_uploads(
    branch_id: BranchId, connection: ReadTx, _: BranchReader, page: PageOf
) -> Page[SheetReport]:
    """List what was uploaded, by whom, and what became of it."""
    (after,) = page.after(int) or (0,)
    rows = await store.page(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page([SheetReport.model_validate(dict(row)) for row in rows], "number")
