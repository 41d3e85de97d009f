"""Why a lead or a baseline that was heard of does not decide: the centre it names is not registered."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date

from huaxiao.attribution.domain import words
from huaxiao.attribution.domain.histories import Baseline, Lead, baseline_at, lead_of
from huaxiao.attribution.domain.rule_sets import NO_BASELINE, NO_LEAD, Why
from huaxiao.attribution.domain.rules import Decision
from huaxiao.shared.periods import Period


def naming_unregistered(
    decision: Decision,
    period: Period,
    opened_on: date,
    *,
    leads: Iterable[Lead],
    baselines: Iterable[Baseline],
    registered: Collection[str],
) -> Decision:
    """Return the decision, with what it says of a lead or baseline that names an unknown centre.

    The evidence has neither, since nothing is decided by a centre that is not registered; that there
    is none would mislead whoever sent it.
    """
    instead: dict[Why, Why] = {}
    lead = lead_of(leads, opened_on)
    if lead is not None and lead.owner_centre_id not in registered:
        instead[NO_LEAD] = _unregistered(
            f"lead {lead.lead_id}", f"商机 {lead.lead_id} ", lead.owner_centre_id
        )
    stated = baseline_at(baselines, opened_on, period)
    if stated is not None and stated.centre_id not in registered:
        begins = words.month(stated.period)
        instead[NO_BASELINE] = _unregistered(
            f"the baseline of {begins.text}", f"{begins.text_zh}的承包基线", stated.centre_id
        )
    return _telling(decision, instead) if instead else decision


def _telling(decision: Decision, instead: Mapping[Why, Why]) -> Decision:
    return replace(
        decision,
        rejected=tuple(
            replace(one, why=instead.get(one.why, one.why)) for one in decision.rejected
        ),
        tried=tuple(instead.get(one, one) for one in decision.tried),
    )


def _unregistered(names: str, names_zh: str, centre_id: str) -> Why:
    return Why(
        f"{names} names centre {centre_id}, which is not registered, and decides nothing until it is",
        f"{names_zh}所指的中心 {centre_id} 尚未登记，登记之前不作判定依据",
        close=True,
    )
