"""Routes that show events and addresses in full, and erase what events bore.

What is held belongs to no centre yet, and a line's story names its owners before: these find the
whole branch.
"""

from fastapi import Request, Response

from huaxiao.attribution.callers import AddressReader, BodyReader
from huaxiao.attribution.personal import handlers
from huaxiao.attribution.tables import UNPLACED, erasures, erasures_done
from huaxiao.shared import web
from huaxiao.shared.erasing import erasure_routes
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.personal import keep_nowhere
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import BranchUnrememberedTx
from huaxiao.shared.wire.personal import FullViewIn, HeldBody, LineAddresses

router = web.router(tags=["personal data"])
unplaced = web.router(tags=["personal data"], prefix="/v1")


@router.post(
    "/quarantine/{held_id}/full-views", status_code=201, responses=web.problem_responses(Forbidden)
)
async def see_held_body(
    request: Request,
    response: Response,
    branch_id: BranchId,
    held_id: Identifier,
    given: FullViewIn,
    connection: BranchUnrememberedTx,
    principal: BodyReader,
) -> HeldBody:
    """Show an event in quarantine as it came, to be mended; the view goes on record."""
    keep_nowhere(response)
    return await handlers.see_held(
        connection, branch_id, held_id, given, principal=principal, now=request.app.state.clock()
    )


@unplaced.post(
    "/quarantine/{held_id}/full-views", status_code=201, responses=web.problem_responses(Forbidden)
)
async def see_unplaced_body(
    request: Request,
    response: Response,
    held_id: Identifier,
    given: FullViewIn,
    connection: BranchUnrememberedTx,
    principal: BodyReader,
) -> HeldBody:
    """Show one of the caller's own events that belong to no branch as it came."""
    keep_nowhere(response)
    return await handlers.see_held(
        connection, UNPLACED, held_id, given, principal=principal, now=request.app.state.clock()
    )


@router.post(
    "/subscriptions/{subscription_id}/full-views",
    status_code=201,
    responses=web.problem_responses(Forbidden),
)
async def see_line_addresses(
    request: Request,
    response: Response,
    branch_id: BranchId,
    subscription_id: Identifier,
    given: FullViewIn,
    connection: BranchUnrememberedTx,
    principal: AddressReader,
) -> LineAddresses:
    """Show where a line is, to whom it concerns; the view goes on record."""
    keep_nowhere(response)
    return await handlers.see_line(
        connection,
        request.app.state.counties,
        branch_id,
        subscription_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


erasing = erasure_routes(erasures, erasures_done, handlers.erase)
