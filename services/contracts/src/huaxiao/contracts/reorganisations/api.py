"""Routes of re-organisations."""

from fastapi import Request, Response, status

from huaxiao.contracts.callers import BranchReader, Writer
from huaxiao.contracts.domain.locks import DigestMismatch
from huaxiao.contracts.domain.negative_list import OnNegativeList
from huaxiao.contracts.domain.organisation import CentreNotOpen, ChannelIsSealed
from huaxiao.contracts.domain.reorganisation import NotApplicable, PlanIsApplied
from huaxiao.contracts.refusals.handlers import refuse
from huaxiao.contracts.reorganisations import handlers, store
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Conflict, Forbidden, StaleVersion, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.versions import VERSIONED, IfMatch, name_version
from huaxiao.shared.wire.organisation import (
    ApplyIn,
    Reorganisation,
    ReorganisationIn,
    ReorganisationPreview,
)

router = web.router(tags=["organisation"])


@router.put(
    "/reorganisations/{plan_id}",
    responses=web.problem_responses(Forbidden, PlanIsApplied, StaleVersion)
    | {200: VERSIONED, 201: VERSIONED | {"model": Reorganisation}},
)
async def put_reorganisation(
    request: Request,
    response: Response,
    branch_id: BranchId,
    plan_id: Identifier,
    given: ReorganisationIn,
    connection: WriteTx,
    principal: Writer,
    if_match: IfMatch = None,
) -> Reorganisation:
    """Draft a re-organisation, or rewrite it until it is applied (R20)."""
    drafted, is_new = await handlers.draft(
        connection,
        branch_id,
        plan_id,
        given,
        if_match=if_match,
        drafted_by=principal.subject,
        now=request.app.state.clock(),
    )
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
    name_version(response, drafted)
    return drafted


@router.get("/reorganisations", responses=web.problem_responses(Forbidden))
async def list_reorganisations(
    branch_id: BranchId, connection: ReadTx, _: BranchReader, page: PageOf
) -> Page[Reorganisation]:
    """List plans by id, those applied with the difference they made."""
    (after,) = page.after(str) or ("",)
    rows = await store.page(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page([handlers.render(row) for row in rows], "plan_id")


@router.get(
    "/reorganisations/{plan_id}", responses=web.problem_responses(Forbidden) | {200: VERSIONED}
)
async def get_reorganisation(
    response: Response,
    branch_id: BranchId,
    plan_id: Identifier,
    connection: ReadTx,
    _: BranchReader,
) -> Reorganisation:
    """Show a plan."""
    found = await handlers.show(connection, branch_id, plan_id)
    name_version(response, found)
    return found


@router.get("/reorganisations/{plan_id}/preview", responses=web.problem_responses(Forbidden))
async def preview_reorganisation(
    branch_id: BranchId, plan_id: Identifier, connection: ReadTx, _: BranchReader
) -> ReorganisationPreview:
    """Show the difference a plan makes: who moves, heads, vacancies, who is left without a place."""
    return await handlers.preview(connection, branch_id, plan_id)


@router.post(
    "/reorganisations/{plan_id}/apply",
    response_model=Reorganisation,
    responses=web.problem_responses(
        Forbidden,
        TwoPeople,
        DigestMismatch,
        ChannelIsSealed,
        NotApplicable,
        OnNegativeList,
        CentreNotOpen,
        Conflict,
    ),
)
async def apply_reorganisation(
    request: Request,
    branch_id: BranchId,
    plan_id: Identifier,
    given: ApplyIn,
    connection: WriteTx,
    principal: Writer,
) -> Reorganisation | Response:
    """Apply a plan as a second person, as it was previewed, all of it or nothing.

    One that moves channels out of their sealed fields is refused, each attempt on record (R21).
    """
    try:
        return await handlers.apply(
            connection,
            branch_id,
            plan_id,
            given.digest,
            applied_by=principal.subject,
            now=request.app.state.clock(),
        )
    except handlers.SealsBroken as broken:
        answers = [
            await refuse(
                request,
                connection,
                branch_id,
                refused.field_id,
                refused=refused,
                asked=broken.plan,
                principal=principal,
            )
            for refused in broken.refused
        ]
        return answers[0]
