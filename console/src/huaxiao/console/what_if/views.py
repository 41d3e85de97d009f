"""What the page of other rules and fields shows, and what its forms come to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from huaxiao.console.language import Words
from huaxiao.console.page import CentreNames
from huaxiao.console.words import called
from huaxiao.shared import web
from huaxiao.shared.money import FEN_PER_YUAN
from huaxiao.shared.problems import Malformed, NotFound
from huaxiao.shared.wire.attribution import (
    DraftField,
    Period,
    PeriodState,
    RuleIn,
    RuleSet,
    RuleSetIn,
    WhatIf,
    WhenIn,
)
from huaxiao.shared.wire.contracts import ChannelMode, FieldScopeIn, ResponsibilityField

DEFAULT_RULES = "CN-UNICOM-COUNTY-v1"
"""The rule set that decides while a branch has none of its own (docs/attribution.md)."""
_BAR = "|"
_FLAGS = ("in_campus", "in_bundle", "left_bundle", "secondary", "ruled", "lead", "baseline")


class RuleChange(StrEnum):
    """How a rule stands to those in force."""

    SAME = "same"
    NEW = "new"
    CHANGED = "changed"
    MOVED = "moved"
    """It says the same, but is asked before or after others than it was."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A field that is not sealed, and the code of the sealed one that it would stand for."""

    field: ResponsibilityField
    instead_of: str | None

    @property
    def beside(self) -> str:
        """The choice to try it beside the sealed ones."""
        return self.field.field_id

    @property
    def in_place(self) -> str | None:
        """The choice to try it in place of a sealed one."""
        if self.instead_of is None:
            return None
        return f"{self.field.field_id}{_BAR}{self.instead_of}"

    @property
    def choice(self) -> str:
        """The choice that is likelier to be meant."""
        return self.in_place or self.beside


def drawn(
    drafts: Sequence[ResponsibilityField], sealed: Sequence[ResponsibilityField]
) -> list[Drawn]:
    """Pair each draft with the sealed field with which it has most in common, each of them once."""
    ground = {one.field_id: _covered(one) for one in sealed}
    alike = sorted(
        (-len(_covered(draft) & covered), draft.field_id, field_id)
        for draft in drafts
        for field_id, covered in ground.items()
        if _covered(draft) & covered
    )
    paired: dict[str, str] = {}
    for _, draft_id, field_id in alike:
        if draft_id not in paired and field_id not in paired.values():
            paired[draft_id] = field_id
    return [Drawn(one, paired.get(one.field_id)) for one in drafts]


def _covered(field: ResponsibilityField) -> set[tuple[str, str]]:
    """Return what a field names and no other one may."""
    scope = field.scope
    named = {("address", one) for one in scope.address_prefixes}
    named |= {("resource", one) for one in scope.resource_prefixes}
    named |= {("customer", one.customer_id) for one in scope.customers}
    if scope.channel_mode is ChannelMode.ISOLATED:
        named |= {("channel", one) for one in scope.channel_ids}
    return named


def tried(choices: Iterable[str], known: Sequence[Drawn]) -> list[DraftField]:
    """Return the fields to try; one that stands for a sealed field is tried under its code.

    Raises:
        NotFound: a choice names a field that is no draft, or stands for none that it could.

    """
    by_id = {one.field.field_id: one for one in known}
    found = []
    for choice in choices:
        field_id, _, instead_of = choice.partition(_BAR)
        one = by_id.get(field_id)
        if one is None or instead_of not in {"", one.instead_of}:
            raise NotFound
        found.append(
            DraftField(
                field_id=instead_of or field_id,
                kind=one.field.kind,
                centre_id=one.field.centre_id,
                scope=FieldScopeIn.model_validate(one.field.scope.model_dump()),
            )
        )
    return found


# --- rule sets ----------------------------------------------------------------------------------


def stated(found: RuleSet) -> RuleSetIn:
    """Return what a rule set says, without its standing."""
    return RuleSetIn.model_validate(found.model_dump(include=set(RuleSetIn.model_fields)))


def written(text: str) -> RuleSetIn:
    """Read a rule set that somebody has written as JSON.

    Raises:
        Malformed: it is none; each fault is named with its place.

    """
    try:
        return RuleSetIn.model_validate_json(text)
    except ValidationError as error:
        raise Malformed(faults=[web.fault_of(dict(one)) for one in error.errors()]) from error


def in_force(known: Sequence[RuleSet], period: int) -> RuleSet:
    """Return the rule set that decides in a month; the default one is among those given."""
    active = [(one.active_from, one) for one in known if one.active_from is not None]
    began = [(since, one) for since, one in active if since <= period]
    if began:
        return max(began, key=lambda one: one[0])[1]
    return next(one for one in known if one.name == DEFAULT_RULES)


def compared(shown: RuleSet, before: RuleSet) -> list[tuple[RuleIn, RuleChange]]:
    """Hold each rule of a set against those in force."""
    old = {one.code: one for one in before.rules}
    codes = [one.code for one in shown.rules]
    order = SequenceMatcher(a=[*old], b=codes, autojunk=False).get_matching_blocks()
    in_order = {code for block in order for code in codes[block.b : block.b + block.size]}
    return [(one, _change(one, old.get(one.code), one.code in in_order)) for one in shown.rules]


def _change(rule: RuleIn, before: RuleIn | None, in_order: bool) -> RuleChange:  # noqa: FBT001
    if before is None:
        return RuleChange.NEW
    if rule != before:
        return RuleChange.CHANGED
    return RuleChange.SAME if in_order else RuleChange.MOVED


def dropped(shown: RuleSet, before: RuleSet) -> list[RuleIn]:
    """Return the rules in force that a set leaves out."""
    kept = {one.code for one in shown.rules}
    return [one for one in before.rules if one.code not in kept]


def conditions(words: Words, when: WhenIn) -> list[str]:
    """Put the conditions of a rule in words; none for one that takes every line."""
    return list(_conditions(words, when))


def _conditions(words: Words, when: WhenIn) -> Iterator[str]:
    def listed(codes: Iterable[str], of: str) -> str:
        return words("、", ", ").join(called(words, one, of) for one in codes)

    if when.listed is not None:
        yield called(words, f"listed.{when.listed}", "when")
    if when.products is not None:
        yield words("产品为", "product ") + listed(when.products, "product")
    if when.products_except is not None:
        yield words("产品不为", "product not ") + listed(when.products_except, "product")
    if when.customer_kinds_except is not None:
        yield words("客户不为", "customer not ") + listed(when.customer_kinds_except, "customer")
    if when.channel_kinds is not None:
        yield words("渠道为", "channel ") + listed(when.channel_kinds, "channel")
    yield from (called(words, one, "when") for one in _FLAGS if getattr(when, one))


def first_open(known: Sequence[Period], otherwise: int) -> int:
    """Return the earliest month that is not closed, from which other rules could decide."""
    return min((one.period for one in known if one.state is PeriodState.OPEN), default=otherwise)


# --- the answer ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RuleTitles:
    """What rules are called, before and after."""

    before: Mapping[str, str]
    after: Mapping[str, str]

    @classmethod
    def of(cls, words: Words, before: RuleSet, after: RuleSet) -> "RuleTitles":
        """Name the rules of two sets."""
        return cls(
            *({one.code: words.of(one, "title") for one in each.rules} for each in (before, after))
        )


def moved_fen(found: WhatIf) -> int:
    """Return how much net revenue would be another centre's, all months and centres together."""
    return sum(max(0, one.after_fen - one.before_fen) for one in found.centres)


def chart(words: Words, names: CentreNames, found: WhatIf) -> dict[str, Any]:
    """Describe the chart of what each centre would gain or lose."""
    changed = [one for one in found.centres if one.after_fen != one.before_fen]
    return {
        "kind": "contributions",
        "labels": [names(one.centre_id) for one in changed],
        "unit": words("元", "yuan"),
        "series": [
            {
                "name": words("收入变化", "change of revenue"),
                "values": [(one.after_fen - one.before_fen) / FEN_PER_YUAN for one in changed],
            }
        ],
    }
