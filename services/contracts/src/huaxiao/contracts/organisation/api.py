"""Routes of centres, people and channels."""

from datetime import date
from typing import Annotated

from fastapi import Query, Request, Response, status

from huaxiao.contracts.callers import Reader, Writer
from huaxiao.contracts.domain.organisation import (
    CentreNotClosable,
    CentreNotOpen,
    ChannelIsSealed,
)
from huaxiao.contracts.domain.references import UnknownReference
from huaxiao.contracts.organisation import changes, handlers, store
from huaxiao.contracts.refusals.handlers import refuse
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import Conflict, Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.base import WRITTEN_OUT, Moment
from huaxiao.shared.wire.contracts import (
    Centre,
    CentreIn,
    Channel,
    ChannelIn,
    PersonIn,
    PlacedPerson,
)
from huaxiao.shared.wire.organisation import (
    CentreHistory,
    ChannelHistory,
    CloseIn,
    LeaveIn,
    MoveIn,
    Organisation,
    RenameIn,
)

router = web.router(tags=["organisation"])
_REFUSALS = web.problem_responses(Forbidden, Conflict, UnknownReference)
_PLACING = web.problem_responses(Forbidden, Conflict, UnknownReference, CentreNotOpen)


def _answer(response: Response, *, is_new: bool) -> None:
    response.status_code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK


@router.put("/centres/{centre_id}", responses=_REFUSALS | {201: {"model": Centre}})
async def put_centre(
    request: Request,
    response: Response,
    branch_id: BranchId,
    centre_id: Identifier,
    given: CentreIn,
    connection: WriteTx,
    _: Writer,
) -> Centre:
    """Register a centre (R10, R17, R18)."""
    made, is_new = await handlers.register_centre(
        connection, branch_id, centre_id, given, now=request.app.state.clock()
    )
    _answer(response, is_new=is_new)
    return made


@router.get("/centres/{centre_id}", responses=web.problem_responses(Forbidden))
async def get_centre(
    request: Request,
    branch_id: BranchId,
    centre_id: Identifier,
    connection: ReadTx,
    principal: Reader,
) -> CentreHistory:
    """Show a centre as it is called today, and when it was and will be called otherwise."""
    today = business_day(request.app.state.clock())
    return await handlers.centre(connection, branch_id, centre_id, principal.centre_ids, day=today)


@router.post("/centres/{centre_id}/rename", responses=_REFUSALS)
async def rename_centre(
    request: Request,
    branch_id: BranchId,
    centre_id: Identifier,
    given: RenameIn,
    connection: WriteTx,
    _: Writer,
) -> CentreHistory:
    """Call a centre otherwise from a day on (R10, R20); what it was called before is kept."""
    now = request.app.state.clock()
    await changes.rename_centre(connection, branch_id, centre_id, given, now=now)
    return await handlers.centre(connection, branch_id, centre_id, None, day=business_day(now))


@router.post(
    "/centres/{centre_id}/close",
    responses=web.problem_responses(Forbidden, Conflict, CentreNotClosable),
)
async def close_centre(
    request: Request,
    branch_id: BranchId,
    centre_id: Identifier,
    given: CloseIn,
    connection: WriteTx,
    _: Writer,
) -> CentreHistory:
    """Close a centre from a day on (R10, R20), when nobody and nothing is left in it."""
    now = request.app.state.clock()
    await changes.close_centre(connection, branch_id, centre_id, given, now=now)
    return await handlers.centre(connection, branch_id, centre_id, None, day=business_day(now))


@router.put("/people/{person_id}", responses=_PLACING | {201: {"model": PlacedPerson}})
async def put_person(
    request: Request,
    response: Response,
    branch_id: BranchId,
    person_id: Identifier,
    given: PersonIn,
    connection: WriteTx,
    _: Writer,
) -> PlacedPerson:
    """Place a person in a centre from a day on (R13, R14); a later day moves the person."""
    made, is_new = await handlers.place_person(
        connection, branch_id, person_id, given, now=request.app.state.clock()
    )
    _answer(response, is_new=is_new)
    return made


@router.get("/people/{person_id}", responses=web.problem_responses(Forbidden))
async def get_person(
    branch_id: BranchId, person_id: Identifier, connection: ReadTx, principal: Reader
) -> PlacedPerson:
    """Show a person at their latest place."""
    return await handlers.person(connection, branch_id, person_id, principal.centre_ids)


@router.put("/channels/{channel_id}", responses=_PLACING | {201: {"model": Channel}})
async def put_channel(
    request: Request,
    response: Response,
    branch_id: BranchId,
    channel_id: Identifier,
    given: ChannelIn,
    connection: WriteTx,
    _: Writer,
) -> Channel:
    """Register a channel (R11)."""
    made, is_new = await handlers.register_channel(
        connection, branch_id, channel_id, given, now=request.app.state.clock()
    )
    _answer(response, is_new=is_new)
    return made


@router.get("/channels/{channel_id}", responses=web.problem_responses(Forbidden))
async def get_channel(
    request: Request,
    branch_id: BranchId,
    channel_id: Identifier,
    connection: ReadTx,
    principal: Reader,
) -> ChannelHistory:
    """Show a channel in the centre it belongs to today, and where it belonged before."""
    today = business_day(request.app.state.clock())
    return await handlers.channel(
        connection, branch_id, channel_id, principal.centre_ids, day=today
    )


@router.post(
    "/channels/{channel_id}/move",
    response_model=ChannelHistory,
    responses=web.problem_responses(
        Forbidden, Conflict, UnknownReference, CentreNotOpen, ChannelIsSealed
    ),
)
async def move_channel(
    request: Request,
    branch_id: BranchId,
    channel_id: Identifier,
    given: MoveIn,
    connection: WriteTx,
    principal: Writer,
) -> ChannelHistory | Response:
    """Let a channel belong to another centre from a day on (R11); what it developed before stays.

    A channel in a sealed field stays in the field's centre; the attempt is on record (R21).
    """
    now = request.app.state.clock()
    try:
        await changes.move_channel(connection, branch_id, channel_id, given, now=now)
    except ChannelIsSealed as refused:
        return await refuse(
            request,
            connection,
            branch_id,
            refused.field_id,
            refused=refused,
            asked=given,
            principal=principal,
        )
    return await handlers.channel(connection, branch_id, channel_id, None, day=business_day(now))


@router.post(
    "/channels/{channel_id}/close",
    response_model=ChannelHistory,
    responses=web.problem_responses(Forbidden, Conflict, ChannelIsSealed),
)
async def close_channel(
    request: Request,
    branch_id: BranchId,
    channel_id: Identifier,
    given: CloseIn,
    connection: WriteTx,
    principal: Writer,
) -> ChannelHistory | Response:
    """Close a channel from a day on (R11); one in a sealed field stays, the attempt on record."""
    now = request.app.state.clock()
    try:
        await changes.close_channel(connection, branch_id, channel_id, given, now=now)
    except ChannelIsSealed as refused:
        return await refuse(
            request,
            connection,
            branch_id,
            refused.field_id,
            refused=refused,
            asked=given,
            principal=principal,
        )
    return await handlers.channel(connection, branch_id, channel_id, None, day=business_day(now))


@router.get("/people", responses=web.problem_responses(Forbidden))
async def list_people(
    branch_id: BranchId, connection: ReadTx, principal: Reader, page: PageOf
) -> Page[PlacedPerson]:
    """List people by code, at their latest places: a contractor its centre's."""
    (after,) = page.after(str) or ("",)
    rows = await store.people_page(
        connection, branch_id, principal.centre_ids, after=after, limit=page.limit + 1
    )
    return page.page([PlacedPerson.model_validate(dict(row)) for row in rows], "person_id")


@router.post("/people/{person_id}/leave", responses=_REFUSALS)
async def leave(
    request: Request,
    branch_id: BranchId,
    person_id: Identifier,
    given: LeaveIn,
    connection: WriteTx,
    _: Writer,
) -> PlacedPerson:
    """Let a person leave from a day on; a later place brings them back."""
    return await handlers.leave(
        connection, branch_id, person_id, given, now=request.app.state.clock()
    )


@router.get("/organisation", responses=web.problem_responses(Forbidden))
async def get_organisation(
    request: Request,
    branch_id: BranchId,
    connection: ReadTx,
    principal: Reader,
    on: Annotated[
        date | None, WRITTEN_OUT, Query(description="on this day; today when absent")
    ] = None,
    known_at: Annotated[
        Moment | None, Query(description="people where they were known by this moment to be")
    ] = None,
) -> Organisation:
    """Show centres, who holds which position, and channels on a day: a contractor its centre (R20)."""
    day = on or business_day(request.app.state.clock())
    return await handlers.organisation_on(
        connection, branch_id, day, principal.centre_ids, known_at=known_at
    )
