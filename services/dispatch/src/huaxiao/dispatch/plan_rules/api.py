"""Routes of what days are planned by."""

from typing import Annotated

from fastapi import Request

from huaxiao.dispatch.plan_rules import handlers
from huaxiao.shared import web
from huaxiao.shared.addresses import AddressCode
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.plans import (
    AddressPlace,
    AddressPlaceIn,
    PlanRules,
    PlanRulesIn,
    StartOf,
    StartPlace,
    StartPlaceIn,
    TravelTimes,
    TravelTimesIn,
)

router = web.router(tags=["plan rules"])
_Reader = Annotated[Principal, allow(*COUNTY_READERS, Role.CONTRACTOR, Role.SUPPORT_CENTRE)]
_Setter = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.SUPPORT_CENTRE, whole_branch=True)]
_Keeper = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.CONTRACTOR, Role.SUPPORT_CENTRE)]


@router.get("/plan-rules", responses=web.problem_responses(Forbidden))
async def get_plan_rules(branch_id: BranchId, connection: ReadTx, _: _Reader) -> PlanRules:
    """Show how the county plans its days."""
    return await handlers.RULES.current(connection, branch_id)


@router.put("/plan-rules", responses=web.problem_responses(Forbidden))
async def put_plan_rules(
    request: Request,
    branch_id: BranchId,
    given: PlanRulesIn,
    connection: WriteTx,
    principal: _Setter,
) -> PlanRules:
    """Set how the county plans its days from now on; plans that were made stay as they are."""
    return await handlers.set_rules(
        connection, branch_id, given, set_by=principal.subject, now=request.app.state.clock()
    )


@router.get("/start-places", responses=web.problem_responses(Forbidden))
async def list_start_places(
    branch_id: BranchId, connection: ReadTx, principal: _Reader
) -> list[StartPlace]:
    """List where days begin: a contractor those of its centre."""
    return await handlers.start_places(connection, branch_id, principal=principal)


@router.put("/start-places/{of}/{id}", responses=web.problem_responses(Forbidden))
async def put_start_place(
    branch_id: BranchId,
    of: StartOf,
    id: Identifier,  # noqa: A002 - the wire's name
    given: StartPlaceIn,
    connection: WriteTx,
    principal: _Keeper,
) -> StartPlace:
    """Say where the day of a person, a crew, or of all of a centre begins (R13)."""
    return await handlers.put_start_place(connection, branch_id, of, id, given, principal=principal)


@router.get("/address-places", responses=web.problem_responses(Forbidden))
async def list_address_places(
    branch_id: BranchId, connection: ReadTx, _: _Reader, page: PageOf
) -> Page[AddressPlace]:
    """List where addresses lie, by code."""
    (after,) = page.after(str) or ("",)
    found = await handlers.address_places(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page(found, "standard_address")


@router.put("/address-places/{standard_address}", responses=web.problem_responses(Forbidden))
async def put_address_place(
    branch_id: BranchId,
    standard_address: AddressCode,
    given: AddressPlaceIn,
    connection: WriteTx,
    _: _Setter,
) -> AddressPlace:
    """Say where the addresses under a code lie, for orders that do not say it themselves."""
    return await handlers.put_address_place(connection, branch_id, standard_address, given)


@router.get("/travel-times", responses=web.problem_responses(Forbidden))
async def get_travel_times(branch_id: BranchId, connection: ReadTx, _: _Reader) -> TravelTimes:
    """Show the table of travel times between areas."""
    return await handlers.travel_times(connection, branch_id)


@router.put("/travel-times", responses=web.problem_responses(Forbidden))
async def put_travel_times(
    branch_id: BranchId, given: TravelTimesIn, connection: WriteTx, _: _Setter
) -> TravelTimes:
    """Put a table of travel times between areas in place of the one before."""
    return await handlers.put_travel_times(connection, branch_id, given)
