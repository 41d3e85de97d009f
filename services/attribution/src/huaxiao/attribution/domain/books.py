"""The books of one branch while events are taken into them: no I/O, everything loaded before.

Events about lines come first, money after them, and what was decided before is decided again when
the evidence changed. So the same events end in the same books, in whatever order they came (R23).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from huaxiao.attribution.domain.evidence import Evidence, Register, gather
from huaxiao.attribution.domain.histories import BundleStatement, Change, Lead, Line, Ruling
from huaxiao.attribution.domain.messages import Message, Refusal, Waiting
from huaxiao.attribution.domain.organisation import Organisation
from huaxiao.attribution.domain.postings import Entry, Posting, booking_period, moved
from huaxiao.attribution.domain.rule_sets import RuleBook
from huaxiao.attribution.domain.rules import Decision, decide
from huaxiao.shared.periods import Period
from huaxiao.shared.wire import events

OWN_SOURCE = "/attribution"
"""The source of entries that a changed decision makes."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a subscription is in a period, and the how-manieth decision on it that was."""

    centre_id: str
    field_id: str | None
    unit_rule: str
    field_rule: str | None
    flags: tuple[str, ...]
    version: int

    @property
    def place(self) -> tuple[str, str | None]:
        """The centre and the field that its entries are booked to."""
        return self.centre_id, self.field_id


@dataclass(frozen=True, slots=True)
class Document:
    """Something with a number of its own that must not be booked twice."""

    kind: str
    document_id: str
    subscription_id: str | None
    period: Period
    amount_fen: int
    channel_id: str | None = None
    remitted_fen: int | None = None
    """Of a payment, what reached the bank; None is not known."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision to record."""

    subscription_id: str
    period: Period
    version: int
    evidence: Evidence
    decision: Decision


@dataclass
class Known:
    """What is loaded of a branch."""

    lines: dict[str, Line] = field(default_factory=dict)
    changes: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    statements: dict[str, list[BundleStatement]] = field(default_factory=lambda: defaultdict(list))
    bundles_of: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    secondaries: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    leads: dict[str, list[Lead]] = field(default_factory=lambda: defaultdict(list))
    rulings: dict[str, list[Ruling]] = field(default_factory=lambda: defaultdict(list))
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    settled: dict[str, int] = field(default_factory=dict)
    owners: dict[tuple[str, Period], Owner] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    """Entries of the subscriptions whose decisions are made again."""
    loaded: set[str] = field(default_factory=set)
    """Subscriptions that have been looked for."""
    loaded_entries: set[str] = field(default_factory=set)

    def register(self) -> Register:
        """Return what evidence is gathered from."""
        return Register(
            self.lines, self.changes, self.statements, self.bundles_of, self.rulings, self.leads
        )


@dataclass
class Produced:
    """What taking events in has brought about, to be written."""

    lines: list[Line] = field(default_factory=list)
    changes: list[tuple[str, str, Change]] = field(default_factory=list)
    """Subscription, event type, change."""
    statements: list[BundleStatement] = field(default_factory=list)
    leads: list[tuple[str, Lead]] = field(default_factory=list)
    """Subscription, lead."""
    documents: list[Document] = field(default_factory=list)
    settled: dict[str, int] = field(default_factory=dict)
    decided: list[Decided] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    work: list[events.WorkRequested] = field(default_factory=list)


@dataclass
class Books:
    """One branch's books, open for a transaction."""

    organisation: Organisation
    rules: RuleBook
    known: Known
    closed_through: Period | None
    now: datetime
    produced: Produced = field(default_factory=Produced)
    affected: set[str] = field(default_factory=set)
    """Subscriptions whose evidence has changed since their last decision."""
    arrived: set[str] = field(default_factory=set)
    """What parked events may have waited for."""

    def affect(self, subscription_id: str) -> None:
        """Remember whose evidence this line is part of: its own, its bundles', its secondaries'."""
        if subscription_id in self.affected:
            return
        self.affected.add(subscription_id)
        for bundle_id in self.known.bundles_of.get(subscription_id, ()):
            for statement in self.known.statements.get(bundle_id, ()):
                for member in statement.members:
                    self.affect(member)
        for secondary in self.known.secondaries.get(subscription_id, ()):
            self.affect(secondary)

    def decide_again(self) -> None:
        """Make every open decision on affected subscriptions again; move what changed owner."""
        for subscription_id, period in sorted(self.known.owners):
            if subscription_id in self.affected and self._is_open(period):
                self._decide_again(subscription_id, period)
        self.affected.clear()

    def _decide_again(self, subscription_id: str, period: Period) -> None:
        before = self.known.owners[subscription_id, period]
        after = self._decide(subscription_id, period, version=before.version + 1)
        if after is None or after.place == before.place:
            return
        event_id = f"decision:{subscription_id}:{period}:{after.version}"
        held = self.known.entries[subscription_id]
        for entry in _net(one for one in held if _owned(one, period, before)):
            in_period = booking_period(entry.period, self.closed_through)
            for line in moved(entry, after.centre_id, after.field_id, in_period):
                self._enter(replace(line, source=OWN_SOURCE, event_id=event_id, booked_at=self.now))

    def _is_open(self, period: Period) -> bool:
        return self.closed_through is None or period > self.closed_through

    # --- owners ---------------------------------------------------------------------------------

    def owner(self, subscription_id: str, period: Period) -> Owner:
        """Return whose a known subscription is in a period, deciding it on first need."""
        known = self.known.owners.get((subscription_id, period))
        if known is not None:
            return known
        decided = self._decide(subscription_id, period, version=1)
        assert decided is not None  # noqa: S101 - there was nothing to equal
        return decided

    def _decide(self, subscription_id: str, period: Period, *, version: int) -> Owner | None:
        """Decide and record; None when nothing differs from the decision that stands."""
        evidence = gather(subscription_id, period, self.known.register(), self.organisation)
        decision = decide(evidence, self.rules.at(period))
        owner = Owner(
            decision.centre_id,
            decision.field_id,
            decision.unit_rule,
            decision.field_rule,
            decision.flags,
            version,
        )
        before = self.known.owners.get((subscription_id, period))
        if before is not None and replace(before, version=version) == owner:
            return None
        self.known.owners[subscription_id, period] = owner
        self.produced.decided.append(Decided(subscription_id, period, version, evidence, decision))
        return owner

    # --- entries ------------------------------------------------------------------------------

    def number(self, document: Document) -> Refusal | None:
        """Claim a document's number."""
        key = (document.kind, document.document_id)
        if key in self.known.documents:
            return already_known(f"{document.kind} {document.document_id}", document.document_id)
        self.known.documents[key] = document
        self.produced.documents.append(document)
        return None

    def post(
        self,
        message: Message,
        posted: Iterable[Posting],
        *,
        owner: tuple[str, str | None],
        origin: Period,
        owner_period: Period,
        subscription_id: str | None,
    ) -> None:
        """Enter postings of an event under an owner, in the first period that is open."""
        period = booking_period(origin, self.closed_through)
        for one in posted:
            self._enter(
                Entry(
                    period=period,
                    origin_period=origin,
                    owner_period=owner_period,
                    centre_id=owner[0],
                    field_id=owner[1],
                    debit=one.debit,
                    credit=one.credit,
                    amount_fen=one.amount_fen,
                    subscription_id=subscription_id,
                    source=message.source,
                    event_id=message.event_id,
                    booked_at=self.now,
                )
            )

    def _enter(self, entry: Entry) -> None:
        self.produced.entries.append(entry)
        if entry.subscription_id is not None:
            self.known.entries[entry.subscription_id].append(entry)


def _owned(entry: Entry, period: Period, owner: Owner) -> bool:
    return entry.owner_period == period and (entry.centre_id, entry.field_id) == owner.place


def _net(entries: Iterable[Entry]) -> list[Entry]:
    """Sum entries of one owner by account pair, so that what was moved away is not moved again."""
    sums: dict[tuple[Period, Period, str, str], int] = {}
    samples: dict[tuple[Period, Period, str, str], Entry] = {}
    for entry in entries:
        forward = (entry.period, entry.origin_period, entry.debit, entry.credit)
        backward = (entry.period, entry.origin_period, entry.credit, entry.debit)
        key, amount = (
            (backward, -entry.amount_fen) if backward in sums else (forward, entry.amount_fen)
        )
        sums[key] = sums.get(key, 0) + amount
        samples.setdefault(key, entry)
    return [_summed(samples[key], amount) for key, amount in sums.items() if amount]


def _summed(sample: Entry, amount_fen: int) -> Entry:
    """Return an entry of an amount; its sides swap when the amount is negative."""
    if amount_fen < 0:
        return replace(sample, debit=sample.credit, credit=sample.debit, amount_fen=-amount_fen)
    return replace(sample, amount_fen=amount_fen)


def already_known(what: str, what_zh: str) -> Refusal:
    """Refuse what another event has brought before."""
    return Refusal(
        "already-known",
        f"Another event has already brought {what}.",
        f"{what_zh} 已由另一事件登记。",
    )


def unknown_subscription(subscription_id: str) -> Waiting:
    """Park what came before the subscription it names."""
    return Waiting(
        "unknown-subscription",
        f"subscription:{subscription_id}",
        f"Waits for subscription {subscription_id}.",
        f"等待用户 {subscription_id} 的入网事件。",
    )
