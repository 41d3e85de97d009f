"""Routes of alerts, their rules, and webhooks."""

from typing import Annotated

from fastapi import Query, Request

from huaxiao.kpi.alerts import handlers, store
from huaxiao.kpi.alerts.outgoing import ForbiddenUrl
from huaxiao.kpi.county.store import require_branch
from huaxiao.kpi.domain.default_rules import DEFAULT_RULES, rules_of
from huaxiao.kpi.readers import READERS
from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, Role, allow
from huaxiao.shared.identifiers import BranchId, Identifier
from huaxiao.shared.pages import Page, PageOf
from huaxiao.shared.problems import Conflict, Forbidden, NotFound
from huaxiao.shared.unit_of_work import ReadTx, WriteTx
from huaxiao.shared.wire.alerts import (
    AcknowledgementIn,
    Alert,
    AlertHistory,
    AlertRule,
    AlertRuleIn,
    AlertState,
    Delivery,
    DeliveryState,
    Webhook,
    WebhookIn,
)

router = web.router(tags=["alerts"])
_MANAGER = allow(Role.COUNTY_MANAGER, whole_branch=True)
_COUNTY = allow(*COUNTY_READERS, whole_branch=True)
_PEOPLE = allow(Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.CONTRACTOR)
_STANDING = (AlertState.PENDING, AlertState.FIRING, AlertState.RECOVERING)


@router.get("/alert-rules", responses=web.problem_responses(Forbidden))
async def list_alert_rules(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Annotated[Principal, _COUNTY],  # noqa: ARG001 - admits the caller
) -> list[AlertRule]:
    """List the rules that watch the branch: its own, or the defaults while it has set none."""
    await require_branch(connection, branch_id)
    return list(rules_of(await store.rules(connection, branch_id)).watching)


@router.get("/alert-rules/defaults", responses=web.problem_responses(Forbidden))
async def list_default_alert_rules(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Annotated[Principal, _COUNTY],  # noqa: ARG001 - admits the caller
) -> list[AlertRule]:
    """List the default rules as they ship, whether they watch the branch or not."""
    await require_branch(connection, branch_id)
    return list(DEFAULT_RULES)


@router.put("/alert-rules/{rule_id}", responses=web.problem_responses(Forbidden, Conflict))
async def put_alert_rule(
    request: Request,
    branch_id: BranchId,
    rule_id: Identifier,
    given: AlertRuleIn,
    connection: WriteTx,
    principal: Annotated[Principal, _MANAGER],
) -> AlertRule:
    """Keep a rule, as a new version if it changes; one that is not enabled resolves its alerts.

    Under the id of a default rule it takes its place, with a reason.
    """
    now = request.app.state.clock()
    return await handlers.put_rule(
        connection, branch_id, rule_id, given, by=principal.subject, now=now
    )


@router.get("/alerts")
async def list_alerts(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Annotated[Principal, READERS],
    page: PageOf,
    state: Annotated[
        list[AlertState] | None, Query(description="all that are not quiet, unless given")
    ] = None,
) -> Page[Alert]:
    """List alerts: a contractor those of its own centres."""
    await require_branch(connection, branch_id)
    after = page.after(str, str)
    rows = await store.page(
        connection,
        branch_id,
        states=state or _STANDING,
        centre_ids=principal.centre_ids,
        after=None if after is None else (after[0], after[1]),
        limit=page.limit + 1,
    )
    return page.page([handlers.alert_of(row) for row in rows], "rule_id", "subject")


@router.get("/alerts/{alert_id}")
async def read_alert(
    branch_id: BranchId,
    alert_id: Identifier,
    connection: ReadTx,
    principal: Annotated[Principal, READERS],
) -> AlertHistory:
    """Return an alert, and all that became of it."""
    return await handlers.history(connection, branch_id, alert_id, principal)


@router.post(
    "/alerts/{alert_id}/acknowledgement", responses=web.problem_responses(Forbidden, Conflict)
)
async def acknowledge_alert(
    request: Request,
    branch_id: BranchId,
    alert_id: Identifier,
    given: AcknowledgementIn,
    connection: WriteTx,
    principal: Annotated[Principal, _PEOPLE],
) -> Alert:
    """Say that one knows of an alert that fires, with a note; it goes on until it is resolved."""
    now = request.app.state.clock()
    return await handlers.acknowledge(connection, branch_id, alert_id, given, principal, now=now)


@router.get("/webhooks", responses=web.problem_responses(Forbidden))
async def list_webhooks(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Annotated[Principal, _MANAGER],  # noqa: ARG001 - admits the caller
) -> list[Webhook]:
    """List where alerts are told to; secrets are not told."""
    await require_branch(connection, branch_id)
    rows = await store.all_webhooks(connection, branch_id)
    return [handlers.webhook_of(dict(row) | {"secret": None}) for row in rows]


@router.put("/webhooks/{webhook_id}", responses=web.problem_responses(Forbidden, ForbiddenUrl))
async def put_webhook(
    request: Request,
    branch_id: BranchId,
    webhook_id: Identifier,
    given: WebhookIn,
    connection: WriteTx,
    principal: Annotated[Principal, _MANAGER],
) -> Webhook:
    """Keep where alerts are told to; the answer that makes a secret is the only one to tell it."""
    state = request.app.state
    return await handlers.put_webhook(
        connection,
        branch_id,
        webhook_id,
        given,
        by=principal.subject,
        now=state.clock(),
        allowed=state.webhook_hosts,
    )


@router.get("/webhooks/{webhook_id}/deliveries", responses=web.problem_responses(Forbidden))
async def list_deliveries(
    branch_id: BranchId,
    webhook_id: Identifier,
    connection: ReadTx,
    principal: Annotated[Principal, _MANAGER],  # noqa: ARG001 - admits the caller
    page: PageOf,
    state: Annotated[DeliveryState | None, Query()] = None,
) -> Page[Delivery]:
    """List what a webhook was told, what waits, and what was given up (``dead``)."""
    if not await store.all_webhooks(connection, branch_id, webhook_id):
        raise NotFound
    after = page.after(str)
    rows = await store.deliveries(
        connection,
        branch_id,
        webhook_id,
        state=state,
        after="" if after is None else after[0],
        limit=page.limit + 1,
    )
    return page.page([handlers.delivery_of(row) for row in rows], "delivery_id")


@router.post(
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/retry",
    responses=web.problem_responses(Forbidden),
)
async def retry_delivery(
    request: Request,
    branch_id: BranchId,
    webhook_id: Identifier,
    delivery_id: Identifier,
    connection: WriteTx,
    principal: Annotated[Principal, _MANAGER],  # noqa: ARG001 - admits the caller
) -> Delivery:
    """Let a delivery that was given up be tried again."""
    now = request.app.state.clock()
    return await handlers.try_again(connection, branch_id, webhook_id, delivery_id, now)
