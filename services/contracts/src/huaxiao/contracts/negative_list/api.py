"""Routes of the negative list."""

from fastapi import Request

from huaxiao.contracts.callers import ListWriter, Reader, Reporter
from huaxiao.contracts.domain.references import UnknownReference
from huaxiao.contracts.negative_list import handlers
from huaxiao.contracts.negative_list.handlers import ListIsActive, OutOfOrder
from huaxiao.shared import web
from huaxiao.shared.drafting_routes import Drafted, OnDay, Told, add_routes
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import BranchWriteTx, ReadTx
from huaxiao.shared.wire.negative_list import (
    ActivationIn,
    MayIAnswer,
    NegativeList,
    NegativeListIn,
    NegativeListSummary,
    ProposalIn,
)

router = web.router(tags=["negative list"])
add_routes(
    router,
    Drafted(
        path="/negative-list",
        versions="/negative-lists",
        put="activate",
        moment=OnDay,
        reader=Reporter,
        writer=ListWriter,
        version=NegativeList,
        summary=NegativeListSummary,
        given=NegativeListIn,
        put_given=ActivationIn,
        unchangeable=ListIsActive,
        out_of_order=OutOfOrder,
        in_force=handlers.in_force,
        list_versions=handlers.list_versions,
        show=handlers.show,
        draft=handlers.draft,
        put_in_force=handlers.activate,
        get_told=Told("get_negative_list", "Show the negative list in force (R5)."),
        list_told=Told("list_negative_lists", "List the branch's own versions."),
        show_told=Told("get_version", "Show a version; 0 is the suite's own, to begin from."),
        draft_told=Told("put_version", "Draft a version, or rewrite it while it is a draft."),
        put_told=Told(
            "activate_version", "Let a version be in force from a day on, as a second person."
        ),
    ),
)


@router.post(
    "/may-i", status_code=201, responses=web.problem_responses(Forbidden, UnknownReference)
)
async def may_i(
    request: Request,
    branch_id: BranchId,
    given: ProposalIn,
    connection: BranchWriteTx,
    principal: Reporter,
) -> MayIAnswer:
    """Ask whether an action is allowed; the answer is kept (R5)."""
    principal.require_centre(given.centre_id)
    return await handlers.may_i(
        connection,
        branch_id,
        given,
        asked_by=principal.subject,
        now=request.app.state.clock(),
    )


@router.get("/may-i", responses=web.problem_responses(Forbidden))
async def list_answers(
    branch_id: BranchId, connection: ReadTx, principal: Reader, page: PageOf
) -> Page[MayIAnswer]:
    """List what was asked and answered: a contractor its centre's."""
    (after,) = page.after(int) or (0,)
    found = await handlers.list_inquiries(
        connection, branch_id, principal.centre_ids, after=after, limit=page.limit + 1
    )
    return page.page(found, "number")
