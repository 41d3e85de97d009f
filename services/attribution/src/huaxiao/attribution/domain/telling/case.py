"""A decision to tell, and what there is to say it with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from huaxiao.attribution.domain import words
from huaxiao.attribution.domain.evidence import Evidence, LineEvidence
from huaxiao.attribution.domain.organisation import Placement
from huaxiao.attribution.domain.rule_sets import Rule, RuleSet, Why
from huaxiao.attribution.domain.rules import Decision, decide
from huaxiao.attribution.domain.timelines import Timeline
from huaxiao.attribution.domain.words import Told
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.attribution import OwnerSource


@dataclass(frozen=True, slots=True)
class SealedName:
    """What a field is called, and its term; both ends belong to it."""

    name_zh: str
    term_from: int
    term_to: int


@dataclass(frozen=True, slots=True)
class Names:
    """What a county's centres, fields and channels are called, by their codes."""

    centres: Mapping[str, Told] = field(default_factory=dict)
    """As they were registered, until a day is chosen."""
    fields: Mapping[str, SealedName] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, tuple[tuple[date, Told], ...]] = field(default_factory=dict)
    """For each centre, since when it is called otherwise, oldest first."""

    def on(self, day: date) -> "Names":
        """Return what everything is called on a day."""
        called = {
            centre_id: name
            for centre_id, names in self.renamed.items()
            for since, name in names
            if since <= day
        }
        return replace(self, centres={**self.centres, **called})

    def centre(self, centre_id: str) -> Told:
        """Name a centre: Town centre (C1), 县城营服中心（C1）."""
        name = self.centres.get(centre_id, Told(centre_id, centre_id))
        return Told(coded(name.text, centre_id), coded_zh(name.text_zh, centre_id))

    def field(self, field_id: str) -> Told:
        """Name a field; it has a Chinese name only."""
        known = self.fields.get(field_id)
        name = known.name_zh if known else field_id
        return Told(f"field {coded(field_id, name)}", f"责任田 {coded_zh(name, field_id)}")

    def channel(self, channel_id: str) -> Told:
        """Name a channel; it has a Chinese name only."""
        name = self.channels.get(channel_id, channel_id)
        return Told(coded(channel_id, name), coded_zh(name, channel_id))

    def place(self, centre_id: str, field_id: str | None) -> Told:
        """Name a centre, and the field inside it if there is one."""
        centre = self.centre(centre_id)
        if field_id is None:
            return centre
        named = self.field(field_id)
        return Told(f"{centre.text}, {named.text}", f"{centre.text_zh}、{named.text_zh}")

    def holding(self, placement: Placement) -> Told:
        """Name the field that something was found in, with its term; else the centre."""
        field_id = placement.field_id
        known = self.fields.get(field_id or "")
        if field_id is None or known is None:
            return self.place(placement.centre_id, field_id)
        since, until = words.month(known.term_from), words.month(known.term_to)
        named = () if known.name_zh == field_id else (known.name_zh,)
        about = ", ".join((*named, f"under contract from {since.text} to {until.text}"))
        about_zh = "，".join(
            (*(field_id for _ in named), f"承包期{since.text_zh}至{until.text_zh}")
        )
        return Told(f"field {field_id} ({about})", f"责任田 {known.name_zh}（{about_zh}）")


@dataclass(frozen=True, slots=True)
class OpenDispute:
    """A dispute that is not decided: who raised it, and whose the line should be by the claim."""

    dispute_id: str
    claimant_centre_id: str
    centre_id: str
    field_id: str | None
    frozen: bool = True
    """The line stays where it is until the end; not if its owner says that it is another's."""


@dataclass(frozen=True, slots=True)
class Contest:
    """Whether and until when the period may be contested."""

    days: int
    """How many, after the period is closed."""
    until: datetime | None = None
    """The moment it is over, once the period is closed."""
    over: bool = False
    decided_by: str | None = None
    """The dispute that has decided on it: its parties appeal, only others may raise a second one."""


@dataclass(frozen=True, slots=True)
class Case:
    """A decision, how it stands in the books, and what its evidence was."""

    period: Period
    evidence: Evidence
    decision: Decision
    """What the rules made of the evidence just now."""
    rules: RuleSet
    names: Names
    timeline: Timeline
    """Whose the line is by the books, before and after as well."""
    revenue_fen: int
    """Net revenue of the period, whoever it is booked to."""
    contest: Contest
    closed_as: tuple[str, str | None] | None = None
    """Whose it was when the period was closed, if it has been restated since."""
    ruling_reason: str | None = None
    """What was given as the reason of the ruling it rests on."""
    dispute: OpenDispute | None = None
    """The open dispute about it."""

    @property
    def subject(self) -> LineEvidence:
        """The line it is about."""
        return self.evidence.subject

    @property
    def reproduced(self) -> bool:
        """Say whether the rules came to the owner of the books."""
        owner, decision = self.timeline.at(self.period), self.decision
        return (*owner.place, owner.unit_rule) == (
            decision.centre_id,
            decision.field_id,
            decision.unit_rule,
        )

    def main(self) -> "Case | None":
        """Return the case of the main card, when it is one that decided."""
        main = self.evidence.main
        follows = self.decision.source is OwnerSource.MAIN_CARD
        if main is None or not follows or self.evidence.main_in_circle:
            return None
        return replace(self, evidence=main, decision=decide(main, self.rules))


def ruled(rule: Rule) -> Told:
    """Name a rule by its code and title."""
    return Told(f"{rule.code} (“{rule.title}”)", f"{rule.code}“{rule.title_zh}”")


def joined(whys: tuple[Why, ...]) -> Told:
    """Join reasons, each said once."""
    distinct = list(dict.fromkeys((one.text, one.text_zh) for one in whys))
    return Told(
        ", ".join(text for text, _ in distinct), "、".join(text_zh for _, text_zh in distinct)
    )


def coded(name: str, code: str) -> str:
    """Put a code behind a name, unless it is the name: Town centre (C1)."""
    return name if name == code else f"{name} ({code})"


def coded_zh(name: str, code: str) -> str:
    """Put a code behind a Chinese name, unless it is the name."""
    return name if name == code else f"{name}（{code}）"
