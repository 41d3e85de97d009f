"""Deciding on a subscription for every month there is, each time its evidence turns."""

from collections.abc import Callable
from typing import NamedTuple

from huaxiao.attribution.domain.evidence import Evidence, Register, fingerprint, gather, turns
from huaxiao.attribution.domain.organisation import Organisation
from huaxiao.attribution.domain.rule_sets import RuleBook
from huaxiao.attribution.domain.rules import decide
from huaxiao.attribution.domain.timelines import Owner
from huaxiao.shared.periods import FIRST_PERIOD, LAST_PERIOD, Period, period_of_day


class Decided(NamedTuple):
    """A decision to record: it stands from a period until the next of its version."""

    subscription_id: str
    version: int
    from_period: Period
    owner: Owner
    evidence: Evidence
    rule_set: str
    ruling_id: str | None = None
    """The ruling it rests on; None also for one that was made before and stands on."""


def decide_on(
    subscription_id: str,
    register: Register,
    organisation: Organisation,
    rules: RuleBook,
    *,
    first: Period = FIRST_PERIOD,
    last: Period = LAST_PERIOD,
    digest: Callable[[Evidence], bytes] = fingerprint,
) -> list[Decided]:
    """Decide for each period of a stretch from which the evidence or the rules are others.

    ``digest`` tells evidence from other evidence, where that matters for the same owner.

    Raises:
        KeyError: the subscription is not in the register.

    """
    turned = {*turns(subscription_id, register, organisation), *rules.turns}
    periods = sorted({first, *(one for one in turned if first < one <= last)})
    return [
        _decide(subscription_id, period, register, organisation, rules, digest)
        for period in periods
    ]


def _decide(
    subscription_id: str,
    period: Period,
    register: Register,
    organisation: Organisation,
    rules: RuleBook,
    digest: Callable[[Evidence], bytes],
) -> Decided:
    evidence = gather(subscription_id, period, register, organisation)
    closed = evidence.closed_on
    decision = decide(evidence, rules.at(period if closed is None else period_of_day(closed)))
    owner = Owner(
        decision.centre_id,
        decision.field_id,
        decision.unit_rule,
        decision.field_rule,
        decision.flags,
        digest(evidence),
    )
    return Decided(
        subscription_id, 1, period, owner, evidence, decision.rule_set, decision.ruling_id
    )
