"""Explanations: run the rules again on the evidence that was kept."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import Counties
from huaxiao.attribution.disputes import contested
from huaxiao.attribution.disputes import store as disputes
from huaxiao.attribution.disputes.showing import mark
from huaxiao.attribution.domain.books import Known
from huaxiao.attribution.domain.contests import Record, Term
from huaxiao.attribution.domain.rules import decide
from huaxiao.attribution.domain.telling.case import Case, Contest, OpenDispute
from huaxiao.attribution.domain.telling.story import tell
from huaxiao.attribution.domain.telling.unregistered import naming_unregistered
from huaxiao.attribution.domain.timelines import Timeline
from huaxiao.attribution.explanations import store
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.rule_sets import store as rule_sets
from huaxiao.attribution.rulings import store as rulings
from huaxiao.shared.auth import Principal
from huaxiao.shared.periods import Period, last_day, period_of_day
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.attribution import (
    ClosedAs,
    Explanation,
    Owner,
    RejectedCandidate,
    RulingMark,
    ShadowCredit,
)


async def explain(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    subscription_id: str,
    period: int | None,
    principal: Principal,
    now: datetime,
) -> Explanation:
    """Say why a subscription belongs where it does (R22-R24).

    Raises:
        NotFound: it was never opened, nothing is booked for it and no period is named, or it does
            not concern the caller's centre: as owner now or at closing, or as party to a dispute.

    """
    if period is None:
        period = await store.newest_period(connection, branch_id, subscription_id)
    if period is None:
        raise NotFound
    recorded = await store.recorded(connection, branch_id, subscription_id, period)
    if recorded is None:
        raise NotFound
    around = await store.circumstances(connection, branch_id, subscription_id, period)
    closed_as = await _closed_as(connection, branch_id, recorded, period, around.closed_at)
    dispute = None
    if around.contested:
        dispute = await disputes.newest_on(connection, branch_id, subscription_id, period)
    concerned = {recorded.centre_id}
    if closed_as is not None:
        concerned.add(closed_as.owner.centre_id)
    if dispute is not None:
        concerned |= {dispute.claimant_centre_id, dispute.respondent_centre_id}
    if not any(principal.may_see(one) for one in concerned):
        raise NotFound
    county = await counties.county(connection, branch_id)
    assert county is not None  # noqa: S101 - a line is opened in a branch that is known
    rules = await rule_sets.named(connection, branch_id, recorded.rule_set)
    assert rules is not None  # noqa: S101 - a rule set that has decided is never removed
    # Shadow credit lasts as the rules promised when the line was sold, whatever decides on it now.
    opened = period_of_day(recorded.evidence.subject.line.opened_on)
    rules = replace(rules, shadow_months=county.rules.at(opened).shadow_months)
    decision = decide(recorded.evidence, rules)
    if around.named:
        leads, baselines = await store.naming(connection, branch_id, subscription_id)
        decision = naming_unregistered(
            decision,
            Period(period),
            recorded.evidence.subject.line.opened_on,
            leads=leads,
            baselines=baselines,
            registered=county.organisation.centres,
        )
    ruling = await _ruling(connection, branch_id, decision.ruling_id)
    case = Case(
        period=Period(period),
        evidence=recorded.evidence,
        decision=decision,
        rules=rules,
        names=county.names.on(last_day(Period(period))),
        timeline=await _timeline(connection, branch_id, subscription_id),
        revenue_fen=around.revenue_fen,
        contest=await _contest(connection, branch_id, recorded, period, around, now=now),
        closed_as=(closed_as.owner.centre_id, closed_as.owner.field_id) if closed_as else None,
        ruling_reason=ruling.reason if ruling else None,
        dispute=_open_dispute(dispute),
    )
    story = tell(case)
    return Explanation(
        subscription_id=subscription_id,
        period=period,
        version=recorded.version,
        since=recorded.from_period,
        owner=_owner(recorded),
        landing_centre_id=decision.landing_centre_id,
        development_centre_id=decision.development_centre_id,
        rule_title=decision.rule.title,
        rule_title_zh=decision.rule.title_zh,
        rule_set=recorded.rule_set,
        flags=list(decision.flags),
        shadow_credits=[
            ShadowCredit(
                centre_id=one.centre_id,
                reason=one.why.text,
                reason_zh=one.why.text_zh,
                to_period=one.through,
            )
            for one in decision.shadows_in(period)
        ],
        rejected=[
            RejectedCandidate(
                rule=one.rule.code,
                title=one.rule.title,
                title_zh=one.rule.title_zh,
                reason=one.why.text,
                reason_zh=one.why.text_zh,
            )
            for one in decision.rejected
        ],
        evidence=msgspec.to_builtins(recorded.evidence),
        decided_at=recorded.decided_at,
        ruling=ruling,
        closed_as=closed_as,
        dispute=None if dispute is None else mark(dispute, now=now),
        reproduced=case.reproduced,
        revenue_fen=case.revenue_fen,
        story=[one.text for one in story],
        story_zh=[one.text_zh for one in story],
    )


def _owner(recorded: store.Recorded) -> Owner:
    return Owner(
        centre_id=recorded.centre_id,
        field_id=recorded.field_id,
        unit_rule=recorded.unit_rule,
        field_rule=recorded.field_rule,
    )


async def _closed_as(
    connection: AsyncConnection,
    branch_id: int,
    stands: store.Recorded,
    period: int,
    closed_at: datetime | None,
) -> ClosedAs | None:
    """Return what a closed month was closed with, if it belongs to another now."""
    if closed_at is None or stands.decided_at <= closed_at:
        return None
    then = await store.recorded(connection, branch_id, stands.subscription_id, period, at=closed_at)
    if then is None or (then.centre_id, then.field_id) == (stands.centre_id, stands.field_id):
        return None
    return ClosedAs(owner=_owner(then), decided_at=then.decided_at, closed_at=closed_at)


async def _ruling(
    connection: AsyncConnection, branch_id: int, ruling_id: str | None
) -> RulingMark | None:
    found = None if ruling_id is None else await rulings.one(connection, branch_id, ruling_id)
    if found is None or found.approved_at is None:
        return None
    return RulingMark(
        ruling_id=found.ruling_id,
        reason=found.reason,
        approved_at=found.approved_at,
        restate=found.restate,
    )


def _open_dispute(row: Row[Any] | None) -> OpenDispute | None:
    if row is None or row.ended_at is not None:
        return None
    return OpenDispute(
        row.dispute_id, row.claimant_centre_id, row.centre_id, row.field_id, frozen=row.frozen
    )


async def _contest(
    connection: AsyncConnection,
    branch_id: int,
    stands: store.Recorded,
    period: int,
    around: store.Circumstances,
    *,
    now: datetime,
) -> Contest:
    """Return whether and until when a line's period may be contested."""
    days = (await disputes.limits(connection, branch_id)).raise_days
    subscription_id, record = stands.subscription_id, Record()
    if around.contested or around.closed_at is not None:
        record = await contested.record(connection, branch_id, subscription_id)
    decided = record.standing(Term(period, period))
    decided_by = None if decided is None else decided.dispute_id
    if around.closed_at is None:
        return Contest(days, decided_by=decided_by)
    owner = (await contested.history(connection, branch_id, subscription_id)).at(period)
    assert owner is not None  # noqa: S101 - a decision stands
    limits = await disputes.raise_limits(connection, branch_id)
    until = record.until(limits.ends(max(around.closed_at, owner.since)), limits, None)
    return Contest(days, until, now >= until, decided_by)


async def _timeline(connection: AsyncConnection, branch_id: int, subscription_id: str) -> Timeline:
    known = Known()
    await intake.load_timelines(connection, branch_id, known, [subscription_id])
    return known.timelines[subscription_id]
