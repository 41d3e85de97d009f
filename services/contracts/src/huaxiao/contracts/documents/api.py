"""Routes of documents."""

from typing import Annotated, Any

from fastapi import Query, Request, Response

from huaxiao.contracts.callers import Reader
from huaxiao.contracts.documents import handlers, pdf, word
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.sheets import download
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.contracts import DocumentFormat

router = web.router(tags=["contracts"])
_MEDIA_TYPES = {DocumentFormat.DOCX: word.MEDIA_TYPE, DocumentFormat.PDF: pdf.MEDIA_TYPE}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The document.",
        "content": {media_type: {} for media_type in _MEDIA_TYPES.values()},
    }
}


@router.get(
    "/contracts/{contract_id}/document",
    response_class=Response,
    responses=_FILE | web.problem_responses(Forbidden),
)
async def get_contract_document(
    request: Request,
    branch_id: BranchId,
    contract_id: Identifier,
    connection: ReadTx,
    principal: Reader,
    wanted: Annotated[
        DocumentFormat, Query(alias="format", description="docx or pdf")
    ] = DocumentFormat.DOCX,
) -> Response:
    """Download a contract as a document to be signed: clauses, units, digests (R1, R21).

    A PDF shows alike on every machine, with the digest at the foot of every page.
    """
    content = await handlers.contract_document(
        connection,
        branch_id,
        contract_id,
        principal.centre_ids,
        request.app.state.contract_template,
        wanted,
    )
    return download(f"{contract_id}.{wanted}", content, _MEDIA_TYPES[wanted])
