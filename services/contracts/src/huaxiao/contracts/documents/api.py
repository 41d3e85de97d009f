"""Routes of documents."""

from typing import Any

from fastapi import Request, Response

from huaxiao.contracts.callers import Reader
from huaxiao.contracts.documents import handlers
from huaxiao.contracts.documents.word import MEDIA_TYPE
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx

router = web.router(tags=["contracts"])
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The document.", "content": {MEDIA_TYPE: {}}}
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
) -> Response:
    """Download a contract as a Word document to be signed: clauses, units, digests (R1, R21)."""
    content = await handlers.contract_document(
        connection,
        branch_id,
        contract_id,
        principal.centre_ids,
        request.app.state.contract_template,
    )
    disposition = {"Content-Disposition": f'attachment; filename="{contract_id}.docx"'}
    return Response(content, media_type=MEDIA_TYPE, headers=disposition)
