"""Explanations: run the rules again on the evidence that was kept."""

from dataclasses import asdict

from pydantic_core import to_jsonable_python
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.rules import decide
from huaxiao.attribution.explanations import store
from huaxiao.attribution.rule_sets import store as rule_sets
from huaxiao.shared.auth import Principal
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.attribution import Explanation, Owner, RejectedCandidate, ShadowCredit


async def explain(
    connection: AsyncConnection,
    branch_id: int,
    subscription_id: str,
    period: int | None,
    principal: Principal,
) -> Explanation:
    """Say why a subscription belongs where it does (R22-R24).

    Raises:
        NotFound: it was never opened, nothing is booked for it and no period is named, or another
            centre owns it.

    """
    if period is None:
        period = await store.newest_period(connection, branch_id, subscription_id)
    if period is None:
        raise NotFound
    recorded = await store.recorded(connection, branch_id, subscription_id, period)
    if recorded is None:
        raise NotFound
    principal.require_centre(recorded.centre_id)
    rules = await rule_sets.named(connection, branch_id, recorded.rule_set)
    assert rules is not None  # noqa: S101 - a rule set that has decided is never removed
    decision = decide(recorded.evidence, rules)
    return Explanation(
        subscription_id=subscription_id,
        period=period,
        version=recorded.version,
        since=recorded.from_period,
        owner=Owner(
            centre_id=recorded.centre_id,
            field_id=recorded.field_id,
            unit_rule=recorded.unit_rule,
            field_rule=recorded.field_rule,
        ),
        landing_centre_id=decision.landing_centre_id,
        development_centre_id=decision.development_centre_id,
        rule_title=decision.rule.title,
        rule_title_zh=decision.rule.title_zh,
        rule_set=recorded.rule_set,
        flags=list(decision.flags),
        shadow_credits=[
            ShadowCredit(centre_id=one.centre_id, reason=one.reason) for one in decision.shadows
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
        evidence=to_jsonable_python(asdict(recorded.evidence)),
        decided_at=recorded.decided_at,
        reproduced=(decision.centre_id, decision.field_id, decision.unit_rule)
        == (recorded.centre_id, recorded.field_id, recorded.unit_rule),
        revenue_fen=await store.net_revenue(connection, branch_id, subscription_id, period),
    )
