"""Routes of responsibility fields and coverage."""

from typing import Annotated

from fastapi import Query, Request, Response, status

from huaxiao.contracts.callers import BranchReader, Reader, Writer
from huaxiao.contracts.domain.coverage import CoverageIncomplete
from huaxiao.contracts.domain.fields import FieldIsSealed
from huaxiao.contracts.domain.references import UnknownReference
from huaxiao.contracts.domain.signing import InReview
from huaxiao.contracts.fields import covering, handlers, store
from huaxiao.contracts.refusals.handlers import refuse
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden, StaleVersion
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.versions import VERSIONED, IfMatch, name_version
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.contracts import (
    Coverage,
    CoverageDeclaration,
    FieldIn,
    FieldSummary,
    ResponsibilityField,
)

router = web.router(tags=["fields"])


@router.put(
    "/fields/{field_id}",
    response_model=ResponsibilityField,
    responses=web.problem_responses(
        Forbidden, FieldIsSealed, InReview, UnknownReference, StaleVersion
    )
    | {200: VERSIONED, 201: VERSIONED | {"model": ResponsibilityField}},
)
async def put_field(
    request: Request,
    response: Response,
    branch_id: BranchId,
    field_id: Identifier,
    given: FieldIn,
    connection: WriteTx,
    principal: Writer,
    if_match: IfMatch = None,
) -> ResponsibilityField | Response:
    """Draw a field, or redraw it while it is a draft; a sealed one stays as it is (R21)."""
    try:
        drawn, is_new = await handlers.draw(
            connection, branch_id, field_id, given, if_match=if_match
        )
    except FieldIsSealed as refused:
        return await refuse(
            request,
            connection,
            branch_id,
            field_id,
            refused=refused,
            asked=given,
            principal=principal,
        )
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    name_version(response, drawn)
    return drawn


@router.get("/fields", responses=web.problem_responses(Forbidden))
async def list_fields(
    branch_id: BranchId, connection: ReadTx, principal: Reader, page: PageOf
) -> Page[FieldSummary]:
    """List fields by id, without their scopes: a contractor its centres'."""
    after = page.after(str)
    rows = await store.page(
        connection,
        branch_id,
        principal.centre_ids,
        after=after[0] if after else "",
        limit=page.limit + 1,
    )
    return page.page(
        [FieldSummary.model_validate(handlers.render(row)) for row in rows], "field_id"
    )


@router.get("/fields/{field_id}", responses=web.problem_responses(Forbidden) | {200: VERSIONED})
async def get_field(
    response: Response,
    branch_id: BranchId,
    field_id: Identifier,
    connection: ReadTx,
    principal: Reader,
) -> ResponsibilityField:
    """Show a field and what it covers."""
    found = await handlers.show(connection, branch_id, field_id, principal.centre_ids)
    name_version(response, found)
    return found


@router.get("/coverage", responses=web.problem_responses(Forbidden))
async def get_coverage(
    branch_id: BranchId,
    connection: ReadTx,
    _: BranchReader,
    period: Annotated[
        PeriodText | None, Query(description="of this period; of the newest term when absent")
    ] = None,
    *,
    sealed: Annotated[bool, Query(description="leave drafts out")] = False,
) -> Coverage:
    """Show what lies under no field and what under two: villages, customers, channels (R8)."""
    return await covering.show_coverage(connection, branch_id, period, sealed_only=sealed)


@router.put(
    "/coverage-declarations/{period}",
    responses=web.problem_responses(Forbidden, CoverageIncomplete),
)
async def declare_coverage(
    request: Request,
    branch_id: BranchId,
    period: PeriodText,
    connection: WriteTx,
    principal: Writer,
) -> CoverageDeclaration:
    """Declare that a term's sealed fields cover everything once, or be told what they do not (R8)."""
    return await covering.declare(
        connection,
        branch_id,
        period,
        declared_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.get("/coverage-declarations/{period}", responses=web.problem_responses(Forbidden))
async def get_coverage_declaration(
    branch_id: BranchId, period: PeriodText, connection: ReadTx, _: BranchReader
) -> CoverageDeclaration:
    """Show what was declared, and the coverage as it was then."""
    return await covering.show_declaration(connection, branch_id, period)
