"""Rules, alerts and webhooks: load, decide, record."""

import secrets
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.alerts import store
from huaxiao.kpi.alerts.looking import fact_of, tell
from huaxiao.kpi.alerts.outgoing import address_of, checked
from huaxiao.kpi.county.store import names, require_branch
from huaxiao.kpi.domain import named
from huaxiao.kpi.domain.default_rules import default_rule, rules_of
from huaxiao.kpi.figure_sets import handlers as figure_sets
from huaxiao.shared.auth import Principal
from huaxiao.shared.periods import period_of
from huaxiao.shared.problems import Conflict, Fault, Malformed, NotFound
from huaxiao.shared.wire.alerts import (
    ALERT_ACKNOWLEDGED,
    AcknowledgementIn,
    Alert,
    AlertFact,
    AlertHistory,
    AlertKind,
    AlertRule,
    AlertRuleIn,
    AlertState,
    AlertTransition,
    Delivery,
    Webhook,
    WebhookIn,
)

_SECRET_BYTES = 32
_FIRING = {AlertState.FIRING, AlertState.RECOVERING}
_ACKNOWLEDGED = "acknowledged"


async def put_rule(
    connection: AsyncConnection,
    branch_id: int,
    rule_id: str,
    given: AlertRuleIn,
    *,
    by: str,
    now: datetime,
) -> AlertRule:
    """Keep a rule as a new version, unless it is what it was.

    Raises:
        NotFound: there is no such branch.
        Malformed: it watches a target or figure and names none that is there, or a centre that
            is not there, or it takes a default's place and says not why.
        Conflict: it watches something else than before; that is another rule.

    """
    await require_branch(connection, branch_id)
    shipped = default_rule(rule_id)
    faults = [
        *_faults(given, is_default=shipped is not None),
        *[one async for one in _strange(connection, branch_id, given, now)],
    ]
    if faults:
        raise Malformed(faults=faults)
    # One change of a branch's rules at a time, and none while it is looked at.
    await store.clock(connection, branch_id)
    before = await store.rules(connection, branch_id, rule_id)
    if shipped is not None and shipped.kind is not given.kind:
        raise Conflict(rule_id=rule_id)
    if before:
        if before[0].kind is not given.kind:
            raise Conflict(rule_id=rule_id)
        if AlertRuleIn(**before[0].model_dump(include=set(AlertRuleIn.model_fields))) == given:
            return before[0]
    row = {
        "rule_id": rule_id,
        "version": before[0].version + 1 if before else 1,
        "rule": given.model_dump(mode="json"),
        "changed_by": by,
        "changed_at": now,
    }
    await store.add_rule(connection, branch_id, row)
    (kept,) = await store.rules(connection, branch_id, rule_id)
    return kept


def _faults(given: AlertRuleIn, *, is_default: bool) -> Iterator[Fault]:
    if given.kind in {AlertKind.VERDICT, AlertKind.FORECAST} and given.target is None:
        yield Fault("/target", "missing", "which target is watched", "缺少所监测的指标")
    if given.kind is AlertKind.FIGURE:
        if given.figure is None:
            yield Fault("/figure", "missing", "which figure is watched", "缺少所监测的指标")
    elif given.margin > 1:
        yield Fault("/margin", "too-great", "at most 1", "不得大于 1")
    if is_default and given.reason is None:
        yield Fault("/reason", "missing", "why a default rule is changed", "变更默认规则须说明理由")


async def _strange(
    connection: AsyncConnection, branch_id: int, given: AlertRuleIn, now: datetime
) -> AsyncIterator[Fault]:
    """Yield what is named and not there."""
    called = await names(connection, branch_id, period_of(now))
    for index, one in enumerate(given.centre_ids or ()):
        if one not in called.centres:
            yield Fault(
                f"/centre_ids/{index}",
                "unknown-reference",
                f"there is no centre {one}",
                f"没有中心 {one}",
            )
    if given.measure is not None and named.unit_named(given.measure) is None:
        yield Fault(
            "/measure",
            "unknown-measure",
            f"there is no measure {given.measure}",
            f"没有度量 {given.measure}",
        )
    if given.figure is None:
        return
    figures = await figure_sets.in_force(connection, branch_id, period_of(now))
    if all(one.figure != given.figure for one in (*figures.built_in, *figures.figures)):
        yield Fault(
            "/figure",
            "unknown-figure",
            f"no figure {given.figure} is in force",
            f"没有生效的指标 {given.figure}",
        )


async def history(
    connection: AsyncConnection, branch_id: int, alert_id: str, principal: Principal
) -> AlertHistory:
    """Return an alert and what became of it.

    Raises:
        NotFound: there is none such, or not for the caller to see.

    """
    row = await store.of_id(connection, branch_id, alert_id)
    happened = [
        AlertTransition.model_validate(dict(one))
        for one in await store.transitions(connection, branch_id, alert_id)
    ]
    if row is not None:
        return AlertHistory(alert=alert_of(_visible(row, principal)), transitions=happened)
    fact = await store.firing_told(connection, branch_id, alert_id)
    if fact is None or not _sees(principal, fact.centre_id):
        raise NotFound
    return AlertHistory(alert=_over(fact, happened), transitions=happened)


_OF_FACT = {"alert_id", "rule_id", "kind", "subject", "centre_id", "target", "figure", "target_id"}


def _over(fact: AlertFact, happened: Sequence[AlertTransition]) -> Alert:
    """Return an alert that is over, and in whose place another has fired since."""
    said = next((one for one in happened if one.event == _ACKNOWLEDGED), None)
    return Alert(
        **fact.model_dump(include=_OF_FACT),
        state=AlertState.QUIET,
        since=happened[-1].at,
        period=fact.period,
        value=happened[-1].value,
        fired_at=fact.at,
        acknowledged_by=said and said.by,
        acknowledged_at=said and said.at,
        note=said and said.note,
    )


async def acknowledge(
    connection: AsyncConnection,
    branch_id: int,
    alert_id: str,
    given: AcknowledgementIn,
    principal: Principal,
    *,
    now: datetime,
) -> Alert:
    """Keep that a person knows of an alert that fires, and tell it.

    Raises:
        NotFound: there is none such, or not for the caller to see.
        Conflict: it fires no more, or somebody has acknowledged it.

    """
    row = _visible(await store.of_id(connection, branch_id, alert_id, lock=True), principal)
    if row["state"] not in _FIRING or row["acknowledged_by"] is not None:
        raise Conflict(alert_id=alert_id)
    by = principal.person_id or principal.subject
    changed = dict(row) | {"acknowledged_by": by, "acknowledged_at": now, "note": given.note}
    changed.pop("branch_id")
    await store.put(connection, branch_id, [changed])
    said = {"alert_id": alert_id, "event": _ACKNOWLEDGED, "at": now, "by": by, "note": given.note}
    await store.add_transition(connection, branch_id, said | {"value": row["value"]})
    rule = rules_of(await store.rules(connection, branch_id)).of(row["rule_id"])
    fact = fact_of(rule, changed, now=now, by=by, note=given.note)
    await tell(connection, branch_id, [(ALERT_ACKNOWLEDGED, fact)], now=now)
    return alert_of(changed)


def alert_of(row: RowMapping | dict[str, object]) -> Alert:
    """Render an alert."""
    return Alert.model_validate(dict(row))


async def put_webhook(
    connection: AsyncConnection,
    branch_id: int,
    webhook_id: str,
    given: WebhookIn,
    *,
    by: str,
    now: datetime,
    allowed: Collection[str],
) -> Webhook:
    """Keep a webhook; its secret is told when it is made, and never again.

    Raises:
        NotFound: there is no such branch.
        ForbiddenUrl: it leads where no webhook may.

    """
    await require_branch(connection, branch_id)
    url = checked(given.url, allowed)
    # A name that is not known yet may be later; each delivery asks again.
    with suppress(OSError):
        await address_of(url, allowed)
    # One at a time: of two that make it at once, the secret that is told is the one that is kept.
    await store.clock(connection, branch_id)
    held = await store.all_webhooks(connection, branch_id, webhook_id)
    is_new = not held or given.new_secret
    secret = secrets.token_urlsafe(_SECRET_BYTES) if is_new else held[0]["secret"]
    row = {
        "webhook_id": webhook_id,
        "url": str(url),
        "secret": secret,
        "enabled": given.enabled,
        "changed_by": by,
        "changed_at": now,
    }
    await store.put_webhook(connection, branch_id, row)
    return webhook_of(row | {"secret": secret if is_new else None})


def webhook_of(row: RowMapping | dict[str, object]) -> Webhook:
    """Render a webhook."""
    return Webhook.model_validate(dict(row))


async def try_again(
    connection: AsyncConnection, branch_id: int, webhook_id: str, delivery_id: str, now: datetime
) -> Delivery:
    """Let a delivery that was given up be tried again.

    Raises:
        NotFound: there is none such that was given up.

    """
    row = await store.again(connection, branch_id, webhook_id, delivery_id, now)
    if row is None:
        raise NotFound
    return delivery_of(row)


def delivery_of(row: RowMapping) -> Delivery:
    """Render a delivery."""
    return Delivery.model_validate(dict(row))


def _visible(row: RowMapping | None, principal: Principal) -> RowMapping:
    if row is None or not _sees(principal, row["centre_id"]):
        raise NotFound
    return row


def _sees(principal: Principal, centre_id: str | None) -> bool:
    """Say whether an alert about a centre, or about no single one, is for the caller to see."""
    return principal.centre_ids is None or centre_id in principal.centre_ids
