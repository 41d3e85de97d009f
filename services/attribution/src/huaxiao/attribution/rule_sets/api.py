"""Routes of rule sets."""

from fastapi import Request

from huaxiao.attribution.callers import BranchReader, Closer, RuleMaker
from huaxiao.attribution.rule_sets import handlers, store
from huaxiao.attribution.rule_sets.handlers import PeriodIsClosed, RulesChanged, RulesNotValid
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Conflict, Forbidden, TwoPeople
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.attribution import ActivationIn, RuleSet, RuleSetIn

router = web.router(tags=["rules"])


@router.get("/rule-sets", responses=web.problem_responses(Forbidden))
async def list_rule_sets(
    branch_id: BranchId, connection: ReadTx, _: BranchReader, page: PageOf
) -> Page[RuleSet]:
    """List the branch's own rule sets by name; the default one decides where none is active."""
    (after,) = page.after(str) or ("",)
    found = await store.page(connection, branch_id, after=after, limit=page.limit + 1)
    return page.page(found, "name")


@router.get("/rule-sets/{name}", responses=web.problem_responses(Forbidden))
async def get_rule_set(
    branch_id: BranchId, name: Identifier, connection: ReadTx, _: BranchReader
) -> RuleSet:
    """Show a rule set: its rules in the order they are asked."""
    return await handlers.show(connection, branch_id, name)


@router.put("/rule-sets/{name}", responses=web.problem_responses(Forbidden, Conflict))
async def put_rule_set(
    request: Request,
    branch_id: BranchId,
    name: Identifier,
    given: RuleSetIn,
    connection: WriteTx,
    principal: RuleMaker,
) -> RuleSet:
    """Draft a rule set, or rewrite a draft."""
    return await handlers.draft(
        connection,
        branch_id,
        name,
        given,
        by=principal.subject,
        now=request.app.state.clock(),
    )


@router.post(
    "/rule-sets/{name}/activate",
    responses=web.problem_responses(
        Forbidden, Conflict, TwoPeople, RulesChanged, RulesNotValid, PeriodIsClosed
    ),
)
async def activate_rule_set(
    request: Request,
    branch_id: BranchId,
    name: Identifier,
    given: ActivationIn,
    connection: WriteTx,
    principal: Closer,
) -> RuleSet:
    """Let a rule set that somebody else has drafted decide from an open period on.

    What it decides otherwise than the rules before is moved there.
    """
    return await handlers.activate(
        connection,
        branch_id,
        name,
        given,
        by=principal.subject,
        now=request.app.state.clock(),
    )
