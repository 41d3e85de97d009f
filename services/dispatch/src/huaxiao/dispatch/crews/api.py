"""Routes of crews."""

from fastapi import Response

from huaxiao.dispatch.callers import CrewKeeper, OrderReader
from huaxiao.dispatch.crews import handlers
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Conflict, Forbidden, StaleVersion
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.versions import VERSIONED, IfMatch, name_version
from huaxiao.shared.wire.orders import Crew, CrewIn

router = web.router(tags=["crews"])


@router.put(
    "/crews/{crew_id}",
    responses=web.problem_responses(Forbidden, Conflict, StaleVersion) | {200: VERSIONED},
)
async def put_crew(
    response: Response,
    branch_id: BranchId,
    crew_id: Identifier,
    given: CrewIn,
    connection: WriteTx,
    principal: CrewKeeper,
    if_match: IfMatch = None,
) -> Crew:
    """Register a crew of a centre, its own people or an outside company's, or change it (R17)."""
    crew = await handlers.put(
        connection, branch_id, crew_id, given, principal=principal, if_match=if_match
    )
    name_version(response, crew)
    return crew


@router.get("/crews/{crew_id}", responses=web.problem_responses(Forbidden) | {200: VERSIONED})
async def get_crew(
    response: Response,
    branch_id: BranchId,
    crew_id: Identifier,
    connection: ReadTx,
    principal: OrderReader,
) -> Crew:
    """Show a crew."""
    crew = await handlers.show(connection, branch_id, crew_id, principal=principal)
    name_version(response, crew)
    return crew


@router.get("/crews", responses=web.problem_responses(Forbidden))
async def list_crews(
    branch_id: BranchId, connection: ReadTx, principal: OrderReader, page: PageOf
) -> Page[Crew]:
    """List crews by id: a contractor its centres'."""
    (after,) = page.after(str) or ("",)
    found = await handlers.listed(
        connection, branch_id, principal=principal, after=after, limit=page.limit + 1
    )
    return page.page(found, "crew_id")
