"""Routes of quarantine: of a branch, and of events that could be placed in none.

What is held belongs to no centre yet: these find the whole branch.
"""

from typing import Annotated

from fastapi import Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.callers import Closer, Mender
from huaxiao.attribution.quarantine import handlers, store
from huaxiao.attribution.quarantine.handlers import (
    AlreadyDismissed,
    AlreadyResolved,
    HeldAgain,
    WrongBranch,
)
from huaxiao.attribution.tables import UNPLACED
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import BigInt, Page, PageOf, PageQuery
from huaxiao.shared.problems import Forbidden, NotFound
from huaxiao.shared.unit_of_work import BranchReadTx, BranchWriteTx
from huaxiao.shared.wire.attribution import (
    DismissalIn,
    HeldEvent,
    HeldState,
    IntakeReport,
    Outcome,
    ReplayIn,
)

router = web.router(tags=["quarantine"])
unplaced = web.router(tags=["quarantine"], prefix="/v1")

State = Annotated[HeldState | None, Query(description="held, resolved, or dismissed")]
Code = Annotated[
    str | None, Query(max_length=64, pattern=r"^[^\x00]*$", description="only this reason")
]
Became = Annotated[Outcome | None, Query(description="parked, refused, or conflict")]
Sender = Annotated[
    str | None, Query(max_length=1000, pattern=r"^[^\x00]*$", description="only of this source")
]


def _number(held_id: str) -> int:
    number = store.number_of(held_id)
    if number is None:
        raise NotFound
    return number


async def _page(
    connection: AsyncConnection,
    branch_id: int,
    posted_by: str | None,
    page: PageQuery,
    wanted: store.Wanted,
) -> Page[HeldEvent]:
    (after,) = page.after(BigInt) or (0,)
    found = await store.page(
        connection,
        branch_id,
        posted_by=posted_by,
        wanted=wanted,
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "number")


@router.get("/quarantine", responses=web.problem_responses(Forbidden))
async def list_quarantine(
    branch_id: BranchId,
    connection: BranchReadTx,
    principal: Mender,
    page: PageOf,
    state: State = None,
    code: Code = None,
    outcome: Became = None,
    source: Sender = None,
) -> Page[HeldEvent]:
    """List the events that could not be booked, oldest first, each with its reason."""
    wanted = store.Wanted(state, code, outcome, source)
    return await _page(connection, branch_id, handlers.sender_of(principal), page, wanted)


@router.get("/quarantine/{held_id}", responses=web.problem_responses(Forbidden))
async def get_held_event(
    branch_id: BranchId, held_id: Identifier, connection: BranchReadTx, principal: Mender
) -> HeldEvent:
    """Show an event in quarantine."""
    found = await store.one(
        connection, branch_id, _number(held_id), posted_by=handlers.sender_of(principal)
    )
    if found is None:
        raise NotFound
    return found[0]


@router.post(
    "/quarantine/{held_id}/replay",
    responses=web.problem_responses(Forbidden, AlreadyResolved, HeldAgain, WrongBranch),
)
async def replay_held_event(
    request: Request,
    branch_id: BranchId,
    held_id: Identifier,
    given: ReplayIn,
    connection: BranchWriteTx,
    principal: Mender,
) -> IntakeReport:
    """Try an event again: mended, or as it came when no event is given."""
    return await handlers.replay(
        connection,
        request.app.state.counties,
        principal,
        branch_id,
        _number(held_id),
        given,
        posted_by=handlers.sender_of(principal),
        now=request.app.state.clock(),
    )


@router.post(
    "/quarantine/{held_id}/dismissal",
    responses=web.problem_responses(Forbidden, AlreadyResolved, AlreadyDismissed),
)
async def dismiss_held_event(
    request: Request,
    branch_id: BranchId,
    held_id: Identifier,
    given: DismissalIn,
    connection: BranchWriteTx,
    principal: Closer,
) -> HeldEvent:
    """Take an event out of what waits, with a reason; it stays as it came, and may be replayed."""
    return await handlers.dismiss(
        connection,
        principal,
        branch_id,
        _number(held_id),
        given,
        posted_by=None,
        now=request.app.state.clock(),
    )


@unplaced.get("/quarantine", responses=web.problem_responses(Forbidden))
async def list_unplaced(
    connection: BranchReadTx,
    principal: Mender,
    page: PageOf,
    state: State = None,
    code: Code = None,
    outcome: Became = None,
    source: Sender = None,
) -> Page[HeldEvent]:
    """List the caller's own events that belong to no branch it may write to."""
    wanted = store.Wanted(state, code, outcome, source)
    return await _page(connection, UNPLACED, principal.subject, page, wanted)


@unplaced.get("/quarantine/{held_id}", responses=web.problem_responses(Forbidden))
async def get_unplaced(
    held_id: Identifier, connection: BranchReadTx, principal: Mender
) -> HeldEvent:
    """Show one of the caller's own events that belong to no branch it may write to."""
    found = await store.one(connection, UNPLACED, _number(held_id), posted_by=principal.subject)
    if found is None:
        raise NotFound
    return found[0]


@unplaced.post(
    "/quarantine/{held_id}/replay",
    responses=web.problem_responses(Forbidden, AlreadyResolved, HeldAgain),
)
async def replay_unplaced(
    request: Request,
    held_id: Identifier,
    given: ReplayIn,
    connection: BranchWriteTx,
    principal: Mender,
) -> IntakeReport:
    """Try an event again that belonged to no branch; a mended one goes to the branch it names."""
    return await handlers.replay(
        connection,
        request.app.state.counties,
        principal,
        UNPLACED,
        _number(held_id),
        given,
        posted_by=principal.subject,
        now=request.app.state.clock(),
    )


@unplaced.post(
    "/quarantine/{held_id}/dismissal",
    responses=web.problem_responses(Forbidden, AlreadyResolved, AlreadyDismissed),
)
async def dismiss_unplaced(
    request: Request,
    held_id: Identifier,
    given: DismissalIn,
    connection: BranchWriteTx,
    principal: Mender,
) -> HeldEvent:
    """Take one of the caller's own events out of what waits that belongs to no branch."""
    return await handlers.dismiss(
        connection,
        principal,
        UNPLACED,
        _number(held_id),
        given,
        posted_by=principal.subject,
        now=request.app.state.clock(),
    )
