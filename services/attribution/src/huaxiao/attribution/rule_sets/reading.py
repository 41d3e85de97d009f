"""Rule sets between the wire and the domain."""

import json
from functools import cache
from importlib.resources import files

from huaxiao.attribution.domain.rule_sets import Rule, RuleSet, When, faults
from huaxiao.shared import documents
from huaxiao.shared.wire.attribution import SHADOW_MONTHS, RuleIn, RuleSetFault, RuleSetIn, WhenIn
from huaxiao.shared.wire.attribution import RuleSet as Stated

DEFAULT_NAME = "CN-UNICOM-COUNTY-v1"
"""The rule set that decides while a branch has none of its own."""


def rule_set(name: str, given: RuleSetIn) -> RuleSet:
    """Return a rule set as decisions use it."""
    return RuleSet(name, tuple(_rule(one) for one in given.rules), given.shadow_months)


def faults_of(name: str, given: RuleSetIn) -> list[RuleSetFault]:
    """Return what keeps a rule set from being active."""
    return [
        RuleSetFault(
            pointer=one.pointer, code=one.code, message=one.message, message_zh=one.message_zh
        )
        for one in faults(rule_set(name, given))
    ]


def stated(found: Stated) -> RuleSetIn:
    """Return what a rule set says, without its standing."""
    return RuleSetIn.model_validate(found.model_dump(include=set(RuleSetIn.model_fields)))


def digest(given: RuleSetIn) -> str:
    """Return the SHA-256 of what a rule set says.

    One that leaves shadow credits as they are by default has the digest it had before it could say so.
    """
    said = given.model_dump(mode="json")
    if given.shadow_months == SHADOW_MONTHS:
        del said["shadow_months"]
    return documents.digest(said)


@cache
def default_given() -> RuleSetIn:
    """Return the default rule set as it ships."""
    shipped = files("huaxiao.attribution.rule_sets").joinpath("default.json")
    return RuleSetIn.model_validate(json.loads(shipped.read_text(encoding="utf-8")))


@cache
def default_rule_set() -> RuleSet:
    """Return the default rule set, ready to decide."""
    return rule_set(DEFAULT_NAME, default_given())


def _rule(given: RuleIn) -> Rule:
    return Rule(
        given.code, given.title, given.title_zh, _when(given.when), tuple(given.owner), given.flag
    )


def _when(given: WhenIn) -> When:
    return When(
        listed=given.listed,
        products=_set(given.products),
        products_except=_set(given.products_except),
        customer_kinds_except=_set(given.customer_kinds_except),
        channel_kinds=None if given.channel_kinds is None else frozenset(given.channel_kinds),
        in_campus=given.in_campus,
        in_bundle=given.in_bundle,
        left_bundle=given.left_bundle,
        secondary=given.secondary,
        ruled=given.ruled,
        lead=given.lead,
        baseline=given.baseline,
    )


def _set(given: list[str] | None) -> frozenset[str] | None:
    return None if given is None else frozenset(given)
