"""Routes of plans."""

from typing import Annotated

from fastapi import BackgroundTasks, Request

from huaxiao.dispatch.agenda.handlers import NobodyCan
from huaxiao.dispatch.domain.order_states import StepNotAllowed
from huaxiao.dispatch.plans import applying, handlers
from huaxiao.dispatch.plans.applying import PlanOutdated
from huaxiao.dispatch.plans.handlers import NoPlanYet
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.base import Day
from huaxiao.shared.wire.plans import (
    AppliedPlan,
    ApplyIn,
    Override,
    OverrideIn,
    Plan,
    PlanDifference,
    PlanIn,
    PlanRound,
    PlanRoundIn,
    PlanSummary,
)

router = web.router(tags=["plans"])
_Reader = Annotated[Principal, allow(*COUNTY_READERS, Role.CONTRACTOR)]
_Planner = Annotated[Principal, allow(Role.COUNTY_MANAGER, Role.CONTRACTOR)]


def _wake(request: Request, behind: BackgroundTasks) -> None:
    """Let whoever makes plans in this process look for them, once this one is there to be found."""
    planners = getattr(request.app.state, "planners", None)
    if planners is not None:
        behind.add_task(planners.wake)


@router.post("/plans", status_code=202, responses=web.problem_responses(Forbidden))
async def ask_for_plan(
    request: Request,
    behind: BackgroundTasks,
    branch_id: BranchId,
    given: PlanIn,
    connection: WriteTx,
    principal: _Planner,
) -> Plan:
    """Ask for a plan of a centre's day; GET it until its state says that it is there (R13)."""
    _wake(request, behind)
    return await handlers.ask(
        connection, branch_id, given, principal=principal, now=request.app.state.clock()
    )


@router.post("/plan-rounds", status_code=202, responses=web.problem_responses(Forbidden))
async def ask_for_round(
    request: Request,
    behind: BackgroundTasks,
    branch_id: BranchId,
    given: PlanRoundIn,
    connection: WriteTx,
    principal: _Planner,
) -> PlanRound:
    """Ask for plans of several centres' day, and one in which neighbours help with what is urgent."""
    _wake(request, behind)
    return await handlers.ask_round(
        connection, branch_id, given, principal=principal, now=request.app.state.clock()
    )


@router.get("/plan-rounds/{round_id}", responses=web.problem_responses(Forbidden))
async def get_round(
    branch_id: BranchId, round_id: Identifier, connection: ReadTx, principal: _Reader
) -> PlanRound:
    """Show how far the plans of several centres are."""
    return await handlers.show_round(connection, branch_id, round_id, principal=principal)


@router.get("/plans", responses=web.problem_responses(Forbidden))
async def list_plans(
    branch_id: BranchId,
    connection: ReadTx,
    principal: _Reader,
    page: PageOf,
    day: Day | None = None,
    centre_id: Identifier | None = None,
) -> Page[PlanSummary]:
    """List plans by id, without their routes: a contractor those of its centre."""
    (after,) = page.after(str) or ("",)
    found = await handlers.listed(
        connection,
        branch_id,
        principal=principal,
        day=day,
        centre_id=centre_id,
        after=after,
        limit=page.limit + 1,
    )
    return page.page(found, "plan_id")


@router.get("/plans/{plan_id}", responses=web.problem_responses(Forbidden))
async def get_plan(
    branch_id: BranchId, plan_id: Identifier, connection: ReadTx, principal: _Reader
) -> Plan:
    """Show a plan, or how far the search for it is."""
    return await handlers.show(connection, branch_id, plan_id, principal=principal)


@router.post("/plans/{plan_id}/stop", responses=web.problem_responses(Forbidden))
async def stop_plan(
    request: Request,
    branch_id: BranchId,
    plan_id: Identifier,
    connection: WriteTx,
    principal: _Planner,
) -> Plan:
    """Let a search end with the best plan so far."""
    now = request.app.state.clock()
    return await handlers.stop(connection, branch_id, plan_id, principal=principal, now=now)


@router.get("/plans/{plan_id}/difference", responses=web.problem_responses(Forbidden, NoPlanYet))
async def get_difference(
    request: Request,
    branch_id: BranchId,
    plan_id: Identifier,
    connection: ReadTx,
    principal: _Reader,
) -> PlanDifference:
    """Show what applying a plan would change of the day as it stands."""
    return await applying.show_difference(
        connection, branch_id, plan_id, principal=principal, now=request.app.state.clock()
    )


@router.post(
    "/plans/{plan_id}/overrides",
    status_code=201,
    responses=web.problem_responses(Forbidden, NoPlanYet, NobodyCan),
)
async def override_plan(
    request: Request,
    branch_id: BranchId,
    plan_id: Identifier,
    given: OverrideIn,
    connection: WriteTx,
    principal: _Planner,
) -> Override:
    """Put an order of a plan to somebody, or to nobody, and be told what that costs."""
    return await handlers.override(
        connection,
        branch_id,
        plan_id,
        given,
        principal=principal,
        now=request.app.state.clock(),
    )


@router.post(
    "/plans/{plan_id}/apply",
    responses=web.problem_responses(Forbidden, NoPlanYet, PlanOutdated, StepNotAllowed),
)
async def apply_plan(
    request: Request,
    branch_id: BranchId,
    plan_id: Identifier,
    connection: WriteTx,
    principal: _Planner,
    given: ApplyIn | None = None,
) -> AppliedPlan:
    """Give every order of a plan to whom it is planned for, and make its days the centres' days."""
    return await applying.apply(
        connection,
        branch_id,
        plan_id,
        given or ApplyIn(),
        principal=principal,
        now=request.app.state.clock(),
    )
