"""The books of one branch while events are taken into them: no I/O, everything loaded before.

Events about lines come first, money after them, and what was decided before is decided again when
the evidence changed. So the same events end in the same books, in whatever order they came (R23).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from huaxiao.attribution.domain.commissions import Collected, Commission, Earning
from huaxiao.attribution.domain.decisions import Decided, decide_on
from huaxiao.attribution.domain.evidence import Register, leans_on
from huaxiao.attribution.domain.histories import (
    Baseline,
    BundleStatement,
    Change,
    Lead,
    Line,
    Ruling,
)
from huaxiao.attribution.domain.messages import Refusal, Waiting
from huaxiao.attribution.domain.organisation import Organisation
from huaxiao.attribution.domain.postings import Entry, Posting, booking_period, moved
from huaxiao.attribution.domain.rule_sets import RuleBook
from huaxiao.attribution.domain.timelines import Owner, Stretch, Timeline, joined
from huaxiao.shared.periods import FIRST_PERIOD, Period, shift
from huaxiao.shared.values import Value, changed
from huaxiao.shared.wire import events

OWN_SOURCE = "/attribution"
"""The source of entries that a changed decision makes."""


class Document(Value, frozen=True):
    """Something with a number of its own that must not be booked twice."""

    kind: str
    document_id: str
    subscription_id: str | None
    period: Period
    amount_fen: int
    channel_id: str | None = None
    remitted_fen: int | None = None
    """Of a payment, what reached the bank; None is not known."""


@dataclass
class Known:
    """What is loaded of a branch."""

    lines: dict[str, Line] = field(default_factory=dict)
    changes: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    statements: dict[str, list[BundleStatement]] = field(default_factory=lambda: defaultdict(list))
    bundles_of: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    secondaries: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    leads: dict[str, list[Lead]] = field(default_factory=lambda: defaultdict(list))
    baselines: dict[str, list[Baseline]] = field(default_factory=lambda: defaultdict(list))
    rulings: dict[str, list[Ruling]] = field(default_factory=lambda: defaultdict(list))
    documents: dict[tuple[str, str], Document] = field(default_factory=dict)
    settled: dict[str, int] = field(default_factory=dict)
    timelines: dict[str, Timeline] = field(default_factory=dict)
    """Whose each subscription is; one without a timeline has never been opened."""
    on_record: dict[str, list[Decided]] = field(default_factory=dict)
    """Decisions made before, of the subscriptions whose closed months may be reached."""
    frozen: set[str] = field(default_factory=set)
    """Subscriptions under dispute: their owner, and that of what follows them, waits for its end."""
    deferred: dict[str, Timeline] = field(default_factory=dict)
    """Whose subscriptions would be on which something was decided while they waited."""

    @property
    def thawed(self) -> set[str]:
        """Subscriptions that may wait no longer, and have what was deferred ahead of them."""
        return self.deferred.keys() - self.frozen

    entries: dict[str, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    """Entries of the subscriptions whose decisions are made again."""
    fixed_through: dict[str, Period] = field(default_factory=dict)
    """For each of them, the last closed period whose owner has something booked in a closed one."""
    collected: dict[str, list[Collected]] = field(default_factory=lambda: defaultdict(list))
    """What was taken in before on the lines that came from a lead."""
    commissions: dict[str, dict[Earning, int]] = field(default_factory=lambda: defaultdict(dict))
    """What people have been booked of it, by subscription."""
    loaded: set[str] = field(default_factory=set)
    """Subscriptions that have been looked for."""
    loaded_entries: set[str] = field(default_factory=set)
    loaded_deferred: set[str] = field(default_factory=set)

    def register(self) -> Register:
        """Return what evidence is gathered from."""
        return Register(
            self.lines,
            self.changes,
            self.statements,
            self.bundles_of,
            self.rulings,
            self.leads,
            self.baselines,
        )


@dataclass
class Produced:
    """What taking events in has brought about, to be written."""

    lines: list[Line] = field(default_factory=list)
    changes: list[tuple[str, Change]] = field(default_factory=list)
    """Subscription, change."""
    statements: list[BundleStatement] = field(default_factory=list)
    leads: list[tuple[str, Lead]] = field(default_factory=list)
    """Subscription, lead."""
    baselines: list[tuple[str, Baseline]] = field(default_factory=list)
    """Subscription, what a contract's baseline says of it."""
    documents: list[Document] = field(default_factory=list)
    settled: dict[str, int] = field(default_factory=dict)
    decided: list[Decided] = field(default_factory=list)
    deferred: list[Decided] = field(default_factory=list)
    """Decisions on subscriptions that wait for a dispute: kept, not in force."""
    thawed: list[str] = field(default_factory=list)
    """Subscriptions whose deferred decisions have been made up for."""
    entries: list[Entry] = field(default_factory=list)
    commissions: list[Commission] = field(default_factory=list)
    work: list[events.WorkRequested] = field(default_factory=list)

    def add_money(self, other: "Produced") -> None:
        """Add the money and the work that other events have brought, none of which is decided on."""
        self.documents += other.documents
        self.settled |= other.settled
        self.entries += other.entries
        self.work += other.work


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
    ruled: frozenset[str] = frozenset()
    """Subscriptions on which a ruling is put in force: they wait for no other line's dispute."""
    arrived: set[str] = field(default_factory=set)
    """What parked events may have waited for."""
    _made: dict[str, Sequence[Decided]] = field(default_factory=dict)
    """Decisions made while what is unchanged was passed over, to be used right after."""
    earning: set[str] = field(default_factory=set)
    """Subscriptions that a lead was heard of, or on which something was paid or given back."""
    _sorted_entries: int = 0
    """How many of the entries made here lie with their subscriptions by now."""

    def affect(self, subscription_id: str) -> None:
        """Remember whose evidence this line is part of: its own, its bundles', its secondaries'."""
        reached = [subscription_id]
        while reached:
            one = reached.pop()
            if one in self.affected:
                continue
            self.affected.add(one)
            for bundle_id in self.known.bundles_of.get(one, ()):
                for statement in self.known.statements.get(bundle_id, ()):
                    reached += statement.members
            reached += self.known.secondaries.get(one, ())

    def decide_again(self, restating: Ruling | None = None) -> None:
        """Decide on affected subscriptions, and move what is booked where it now belongs.

        Closed months in which something of a line is booked keep its owner, except those that a restating
        ruling reaches, and those on which a dispute that has ended held back what was decided while they
        were open.
        """
        self._sort_entries()
        for subscription_id in sorted(self.affected & self.known.lines.keys()):
            decisions = self._decisions(subscription_id)
            if subscription_id in self.known.timelines:
                self._decide_again(subscription_id, decisions, restating)
            else:
                self._lay(subscription_id, _timeline(decisions), decisions)
        self.affected.clear()
        self._made.clear()

    def pass_over_unchanged(self) -> None:
        """Leave out the affected subscriptions that would be decided as they are, all the way.

        A new person or field affects a whole county and changes little of it; for what stays,
        nothing that is booked need be looked at.
        """
        self._made.clear()
        self.affected = {one for one in self.affected if self._would_change(one)}

    def _would_change(self, subscription_id: str) -> bool:
        known = self.known
        standing = known.timelines.get(subscription_id)
        if subscription_id not in known.lines:
            return False
        if standing is None or subscription_id in known.deferred:
            return True
        decided = _timeline(self._decisions(subscription_id))
        return standing.change(decided, FIRST_PERIOD) is not None

    def _decisions(self, subscription_id: str) -> Sequence[Decided]:
        if subscription_id not in self._made:
            self._made[subscription_id] = decide_on(
                subscription_id, self.known.register(), self.organisation, self.rules
            )
        return self._made[subscription_id]

    def _decide_again(
        self, subscription_id: str, decisions: Sequence[Decided], restating: Ruling | None
    ) -> None:
        before = self.known.timelines[subscription_id]
        basis = self.known.deferred.get(subscription_id, before)
        free = self._first_free(subscription_id)
        if self._waits(subscription_id):
            self._defer(subscription_id, basis.change(_timeline(decisions), free), decisions)
            return
        if restating is None and basis is before:
            after = before.change(_timeline(decisions), free)
        else:
            decided = _reaching_back(basis, decisions, free, restating)
            after = before.change(decided, FIRST_PERIOD)
        if basis is not before:
            del self.known.deferred[subscription_id]
            self.produced.thawed.append(subscription_id)
        if after is not None:
            self._lay(subscription_id, after, decisions)
            self._move(subscription_id, before, after)

    def _waits(self, subscription_id: str) -> bool:
        """Say whether a dispute has to end before a subscription gets another owner."""
        frozen = self.known.frozen
        if subscription_id in frozen:
            return True
        if not frozen or subscription_id in self.ruled:
            return False
        return not frozen.isdisjoint(leans_on(subscription_id, self.known.register()))

    def _lay(self, subscription_id: str, after: Timeline, decisions: Sequence[Decided]) -> None:
        """Lay decisions over those that stand."""
        before = self.known.timelines.get(subscription_id)
        self.known.timelines[subscription_id] = after if before is None else before.overlaid(after)
        self.produced.decided += self._recorded(subscription_id, after, decisions)

    def _defer(
        self, subscription_id: str, later: Timeline | None, decisions: Sequence[Decided]
    ) -> None:
        """Keep what would be decided on a subscription that waits, until the dispute has ended."""
        if later is None:
            return
        standing = self.known.timelines[subscription_id]
        basis = self.known.deferred.get(subscription_id, standing)
        self.known.deferred[subscription_id] = basis.overlaid(later)
        self.produced.deferred += self._recorded(subscription_id, later, decisions)

    def _recorded(
        self, subscription_id: str, timeline: Timeline, decisions: Sequence[Decided]
    ) -> Iterator[Decided]:
        """Yield what is to be recorded of a timeline, a decision for each stretch."""
        on_record = self.known.on_record.get(subscription_id, ())
        by_owner = {one.owner: one for one in (*on_record, *decisions)}
        for begins, owner in timeline.stretches:
            yield by_owner[owner]._replace(version=timeline.version, from_period=begins)

    def _first_free(self, subscription_id: str) -> Period:
        """Return the first period whose owner may still become another.

        What is booked in a closed period fixes the owner it follows; what came late, and lies in an open
        one, does not: else the books would depend on whether it came before its evidence.
        """
        closed = self.closed_through
        fixed = self.known.fixed_through.get(subscription_id, 0)
        if closed is not None:
            for entry in self.known.entries.get(subscription_id, ()):
                if entry.period <= closed and entry.owner_period <= closed:
                    fixed = max(fixed, entry.owner_period)
        return shift(Period(fixed), 1) if fixed else FIRST_PERIOD

    def _move(self, subscription_id: str, before: Timeline, after: Timeline) -> None:
        """Take what is booked from the owners before, and give it to those after."""
        held = self.known.entries[subscription_id]
        begins = after.stretches[0].from_period
        for period in sorted({one.owner_period for one in held if one.owner_period >= begins}):
            old, new = before.at(period).place, after.at(period).place
            if old == new:
                continue
            event_id = f"decision:{subscription_id}:{period}:{after.version}"
            for entry in _net(
                one for one in held if one.owner_period == period and one.place == old
            ):
                in_period = booking_period(entry.period, self.closed_through)
                for line in moved(entry, *new, in_period):
                    self.produced.entries.append(
                        changed(line, source=OWN_SOURCE, event_id=event_id)
                    )

    # --- owners ---------------------------------------------------------------------------------

    def owner(self, subscription_id: str, period: Period) -> Owner | None:
        """Return whose a subscription is in a period; None for one that is not known."""
        timeline = self.known.timelines.get(subscription_id)
        return None if timeline is None else timeline.at(period)

    # --- entries ------------------------------------------------------------------------------

    def number(self, document: Document) -> Refusal | None:
        """Claim a document's number."""
        if refusal := self.repeated(document):
            return refusal
        self.known.documents[document.kind, document.document_id] = document
        self.produced.documents.append(document)
        return None

    def repeated(self, document: Document) -> Refusal | None:
        """Refuse a document whose number another has."""
        if (document.kind, document.document_id) not in self.known.documents:
            return None
        return already_known(f"{document.kind} {document.document_id}", document.document_id)

    def post(
        self,
        event: tuple[str, str],
        posted: Iterable[Posting],
        *,
        owner: tuple[str, str | None],
        origin: Period,
        owner_period: Period,
        subscription_id: str | None,
    ) -> None:
        """Enter postings of an event, by source and id, under an owner in the first open period."""
        period = booking_period(origin, self.closed_through)
        centre_id, field_id = owner
        source, event_id = event
        self.produced.entries += [
            Entry(
                period,
                origin,
                owner_period,
                centre_id,
                field_id,
                one.debit,
                one.credit,
                one.amount_fen,
                subscription_id,
                source,
                event_id,
            )
            for one in posted
        ]

    def _sort_entries(self) -> None:
        """Lay the entries made here with those known of their subscriptions, which may move."""
        entries = self.produced.entries
        for entry in entries[self._sorted_entries :]:
            if entry.subscription_id is not None:
                self.known.entries[entry.subscription_id].append(entry)
        self._sorted_entries = len(entries)


def _timeline(decisions: Iterable[Decided]) -> Timeline:
    return joined(Stretch(one.from_period, one.owner) for one in decisions)


def _reaching_back(
    basis: Timeline, decisions: Sequence[Decided], free: Period, restating: Ruling | None
) -> Timeline:
    """Return what is decided, with closed months as they stand unless the ruling is behind them."""
    turned = {one.from_period for one in (*basis.stretches, *_timeline(decisions).stretches)}
    stretches: list[Stretch] = []
    for period in sorted({free, *turned}):
        now = next(one for one in reversed(decisions) if one.from_period <= period)
        ruled = restating is not None and now.ruling_id == restating.ruling_id
        stretches.append(
            Stretch(period, now.owner if ruled or period >= free else basis.at(period))
        )
    return joined(stretches)


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
        return changed(sample, debit=sample.credit, credit=sample.debit, amount_fen=-amount_fen)
    return changed(sample, amount_fen=amount_fen)


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
