"""Everything a decision may look at, gathered once and kept, so that it can be made again.

Evidence holds facts already looked up (which field an address fell into, where a developer worked),
not the county they were looked up in: the same evidence gives the same owner for ever.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Optional

from huaxiao.attribution.domain.histories import (
    FIXED_PRODUCTS,
    Baseline,
    BundleStatement,
    Change,
    Lead,
    Line,
    Membership,
    Ruling,
    baseline_at,
    bundles_before,
    closed_on,
    evidence_ends,
    lead_of,
    left_after,
    line_before,
    moved_on,
    ruling_at,
    transferred_on,
)
from huaxiao.attribution.domain.organisation import Ground, Organisation, Placement
from huaxiao.shared.periods import FIRST_PERIOD, Period, first_day, period_of_day, shift
from huaxiao.shared.wire.contracts import CentreKind, ChannelKind

MAIN_CARDS_FOLLOWED = 5
"""How many main cards are followed from a secondary one; nobody has as many, and a mistake has no end."""


@dataclass(frozen=True, slots=True)
class ListedCustomer:
    """The customer is on a field's list; ``stock`` says that the line was there before the term."""

    placement: Placement
    stock: bool

    def lost_to(self, centre_id: str, field_id: str | None) -> bool:
        """Say whether a place is another than the one that the list has the customer in."""
        return (self.placement.centre_id, self.placement.field_id) != (centre_id, field_id)


@dataclass(frozen=True, slots=True)
class SalesChannel:
    """The channel that sold the line."""

    kind: ChannelKind
    centre_id: str
    """Where it belonged on the day the line was opened."""
    isolated_field: Placement | None


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person's centre on the day the line was opened."""

    centre_id: str
    enterprise: bool


@dataclass(frozen=True, slots=True)
class LineEvidence:
    """A line, and what it was found to match."""

    line: Line
    listed: ListedCustomer | None
    campus: Placement | None
    by_standard_address: Placement | None
    by_resource_address: Placement | None
    channel: SalesChannel | None
    developer: Colleague | None
    account_manager: Colleague | None
    moved_on: date | None = None
    """The day it moved to its address; None is where it was opened."""
    transferred_on: date | None = None
    """The day it passed to its customer; None is whom it was opened for."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle, and the fixed lines in it."""

    bundle_id: str
    since: date
    fixed: tuple[LineEvidence, ...]
    left_on: date | None = None
    """The day the line was no longer in it."""


def anchor_of(bundle: Bundle) -> LineEvidence:
    """Return the fixed line a bundle follows: broadband, else television, else voice; the oldest."""
    return min(bundle.fixed, key=_anchor_order)


def _anchor_order(member: LineEvidence) -> tuple[int, int, str]:
    line = member.line
    return (
        FIXED_PRODUCTS.index(line.product),
        line.opened_on.toordinal(),
        line.subscription_id,
    )


def _governing(bundles: Sequence[Bundle]) -> Bundle | None:
    """Return the bundle that counts of those a line is in, the newest of them first.

    One with a fixed line counts before one without; of several the one with the better kind of anchor,
    then the newest.
    """

    def order(bundle: Bundle) -> int:
        if not bundle.fixed:
            return len(FIXED_PRODUCTS)
        return FIXED_PRODUCTS.index(anchor_of(bundle).line.product)

    return min(bundles, key=order, default=None)


@dataclass(frozen=True, slots=True)
class Opportunity:
    """The lead that the line came from, in time."""

    lead_id: str
    approved_on: date
    centre_id: str
    originator_id: str | None
    originator_centre_id: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Where a contract's baseline has the line; the field while it is under contract."""

    period: int
    """The month the baseline is of."""
    centre_id: str
    field_id: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a subscription for a period."""

    default_centre_id: str
    subject: LineEvidence
    bundle: Bundle | None = None
    left_bundle: Bundle | None = None
    main: Optional["Evidence"] = None
    main_in_circle: bool = False
    """Its main cards name each other, or more cards lead on than are followed."""
    ruling: Ruling | None = None
    """The one in force; one that a locked list passes by, if there is no other."""
    opportunity: Opportunity | None = None
    baseline: Snapshot | None = None
    closed_on: date | None = field(default=None, repr=False)
    """The day the line was closed: what is known of it has stood still since."""


def passed_by(ruling: Ruling, listed: ListedCustomer | None) -> bool:
    """Say whether a ruling would take a line off a locked list without the contract's amendment.

    It was approved before the list was locked, or before the line was a listed customer's.
    """
    if listed is None or ruling.amendment_id is not None:
        return False
    return listed.lost_to(ruling.centre_id, ruling.field_id)


@dataclass(frozen=True)
class Register:
    """The subscriptions and bundles that are loaded."""

    opened: Mapping[str, Line] = field(default_factory=dict)
    changes: Mapping[str, Sequence[Change]] = field(default_factory=dict)
    statements: Mapping[str, Sequence[BundleStatement]] = field(default_factory=dict)
    """For each bundle, all that was ever said of its members."""
    bundles_of: Mapping[str, AbstractSet[str]] = field(default_factory=dict)
    """For each subscription, the bundles that ever named it."""
    rulings: Mapping[str, Sequence[Ruling]] = field(default_factory=dict)
    """For each subscription, the approved rulings on it."""
    leads: Mapping[str, Sequence[Lead]] = field(default_factory=dict)
    """For each subscription, the leads that are said to have become it."""
    baselines: Mapping[str, Sequence[Baseline]] = field(default_factory=dict)
    """For each subscription, what contracts' baselines say of it."""


def gather(
    subscription_id: str,
    period: Period,
    register: Register,
    organisation: Organisation,
    _seen: frozenset[str] = frozenset(),
) -> Evidence:
    """Gather the evidence on a subscription for a period.

    Of a line that was closed it is that of its last month, so what is still paid or billed stays with
    whoever had it last (DOMAIN, time semantics); only a ruling reaches beyond.

    Raises:
        KeyError: the subscription is not in the register.

    """
    opened = register.opened[subscription_id]
    closed = closed_before(subscription_id, period, register)
    seen_in = period if closed is None else period_of_day(closed)
    ground = organisation.ground(seen_in)
    end = evidence_ends(opened.opened_on, seen_in)

    named_by = register.bundles_of.get(subscription_id, ())
    stated = {one: register.statements[one] for one in named_by}

    def look(one: str, until: date = end) -> LineEvidence:
        changes = register.changes.get(one, ())
        line = line_before(register.opened[one], changes, until)
        found = _look_up(line, ground, organisation)
        if not changes:
            return found
        return replace(
            found, moved_on=moved_on(changes, until), transferred_on=transferred_on(changes, until)
        )

    def bundle(found: Membership, until: date) -> Bundle:
        fixed = (
            look(one, until)
            for one in found.members
            if one in register.opened and register.opened[one].product in FIXED_PRODUCTS
        )
        return Bundle(found.bundle_id, found.since, tuple(fixed))

    def governing(memberships: Sequence[Membership], until: date) -> Bundle | None:
        return _governing([bundle(one, until) for one in memberships])

    def kept(left: Membership | None) -> Bundle | None:
        """Return what the line had when the month began in which it left: it stays where it was."""
        until = end
        while left is not None and left.left_on is not None:
            began = evidence_ends(opened.opened_on, period_of_day(left.left_on))
            if began >= until:
                return None
            belonged = bundles_before(subscription_id, stated, began)
            had = governing(belonged.current, began)
            if had is not None:
                gone = left_after(subscription_id, stated[had.bundle_id], began, until)
                return replace(had, left_on=gone)
            left, until = belonged.left, began
        return None

    belongs = bundles_before(subscription_id, stated, end)
    main_id = opened.main_subscription_id
    seen = _seen | {subscription_id}
    main = None
    endless = main_id in seen or len(seen) > MAIN_CARDS_FOLLOWED
    if main_id is not None and main_id in register.opened and not endless:
        main = gather(main_id, seen_in, register, organisation, seen)
    subject = look(subscription_id)
    ruled = register.rulings.get(subscription_id, ())
    standing = [one for one in ruled if not passed_by(one, subject.listed)]
    return Evidence(
        default_centre_id=organisation.default_centre_id,
        subject=subject,
        bundle=governing(belongs.current, end),
        left_bundle=kept(belongs.left),
        main=main,
        main_in_circle=(main_id is not None and endless)
        or (main is not None and main.main_in_circle),
        ruling=ruling_at(standing, period) or ruling_at(ruled, period),
        opportunity=_opportunity(
            lead_of(register.leads.get(subscription_id, ()), opened.opened_on), organisation
        ),
        baseline=_snapshot(
            baseline_at(register.baselines.get(subscription_id, ()), opened.opened_on, seen_in),
            organisation,
            seen_in,
        ),
        closed_on=closed,
    )


def closed_before(subscription_id: str, period: Period, register: Register) -> date | None:
    """Return the day a subscription was closed before a period; None while it is in service."""
    changes = register.changes.get(subscription_id, ())
    return closed_on(changes, first_day(period)) if changes else None


def turns(subscription_id: str, register: Register, organisation: Organisation) -> list[Period]:
    """Return every period from which the evidence on a subscription may be another, in order.

    The first is the first period there is: between one of these and the next nothing that
    ``gather`` looks at can differ.
    """
    found = {FIRST_PERIOD, *organisation.turns}
    for one in _with_main_cards(subscription_id, register):
        for ruling in register.rulings.get(one, ()):
            found.add(Period(ruling.from_period))
            if ruling.to_period is not None:
                found.add(shift(Period(ruling.to_period), 1))
        found |= {Period(stated.period) for stated in register.baselines.get(one, ())}
        found |= _turned_by(register.changes.get(one, ()))
        for bundle_id in register.bundles_of.get(one, ()):
            statements = register.statements[bundle_id]
            found |= _turned_by(statements)
            for member in {member for stated in statements for member in stated.members}:
                found |= _turned_by(register.changes.get(member, ()))
    return sorted(found)


def leans_on(subscription_id: str, register: Register) -> set[str]:
    """Return the lines that a subscription follows: itself, its main cards, their bundles' fixed lines."""
    chain = _with_main_cards(subscription_id, register)
    bundles = {bundle_id for one in chain for bundle_id in register.bundles_of.get(one, ())}
    members = {
        member
        for one in bundles
        for stated in register.statements[one]
        for member in stated.members
    }
    fixed = (
        one
        for one in members & register.opened.keys()
        if register.opened[one].product in FIXED_PRODUCTS
    )
    return {*chain, *fixed}


def _with_main_cards(subscription_id: str, register: Register) -> list[str]:
    """Return a subscription, its main card, the main card of that one, and so on."""
    chain = [subscription_id]
    while len(chain) <= MAIN_CARDS_FOLLOWED:
        main_id = register.opened[chain[-1]].main_subscription_id
        if main_id is None or main_id not in register.opened or main_id in chain:
            return chain
        chain.append(main_id)
    return chain


def _turned_by(dated: Iterable[Change] | Iterable[BundleStatement]) -> set[Period]:
    """Return the periods whose opening snapshot is the first to show these."""
    return {shift(period_of_day(one.effective_on), 1) for one in dated}


def fingerprint(evidence: Evidence) -> bytes:
    """Return a digest that is another when anything in the evidence is."""
    told = repr(evidence)
    if evidence.closed_on is not None:
        told += f" closed {evidence.closed_on}"
    return hashlib.sha256(told.encode()).digest()[:16]


def _opportunity(lead: Lead | None, organisation: Organisation) -> Opportunity | None:
    if lead is None or lead.owner_centre_id not in organisation.centres:
        return None
    return Opportunity(
        lead.lead_id,
        lead.approved_on,
        lead.owner_centre_id,
        lead.originator_id,
        organisation.centre_of_person(lead.originator_id, lead.approved_on),
    )


def _snapshot(
    stated: Baseline | None, organisation: Organisation, period: Period
) -> Snapshot | None:
    if stated is None or stated.centre_id not in organisation.centres:
        return None
    sealed = organisation.field(stated.field_id) if stated.field_id else None
    holds = (
        sealed is not None
        and sealed.centre_id == stated.centre_id
        and sealed.term_from <= period <= sealed.term_to
    )
    return Snapshot(stated.period, stated.centre_id, stated.field_id if holds else None)


def _look_up(line: Line, ground: Ground, organisation: Organisation) -> LineEvidence:
    campus = ground.by_customer.get(line.campus_id or "")
    return LineEvidence(
        line=line,
        listed=_listed(line, ground),
        campus=campus.placement if campus else None,
        by_standard_address=ground.at_address(line.standard_address),
        by_resource_address=ground.at_resource(line.resource_address),
        channel=_channel(line, ground, organisation),
        developer=_colleague(line.developer_id, line.opened_on, organisation),
        account_manager=_colleague(line.account_manager_id, line.opened_on, organisation),
    )


def _listed(line: Line, ground: Ground) -> ListedCustomer | None:
    listing = ground.by_customer.get(line.customer_id)
    if listing is None:
        return None
    stock = period_of_day(line.opened_on) < listing.term_from
    return ListedCustomer(listing.placement, stock)


def _channel(line: Line, ground: Ground, organisation: Organisation) -> SalesChannel | None:
    """Return the channel in the centre it belonged to when it sold the line; a closed one sells none."""
    found = organisation.channels.get(line.channel_id or "")
    if found is None or line.channel_id is None or not found.is_open_on(line.opened_on):
        return None
    centre_id = found.centre_on(line.opened_on)
    return SalesChannel(found.kind, centre_id, ground.by_channel.get(line.channel_id))


def _colleague(person_id: str | None, day: date, organisation: Organisation) -> Colleague | None:
    centre_id = organisation.centre_of_person(person_id, day)
    if centre_id is None:
        return None
    return Colleague(centre_id, organisation.centres.get(centre_id) is CentreKind.ENTERPRISE)
