"""What a line was on a day: its opening, the dated changes since, and the bundles that named it.

Nothing here depends on the order in which events arrived: changes are ordered by the day they take
effect, then by when and under which identifier the sender made them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from huaxiao.shared.leads import LEAD_HOLDS
from huaxiao.shared.periods import Period, first_day

FIXED_PRODUCTS = ("broadband", "tv", "voice")
"""Fixed-line products, in the order in which one anchors a bundle (rule 070)."""

CLOSED, RESUMED = "subscription.closed", "subscription.resumed"


@dataclass(frozen=True, slots=True)
class Line:
    """A subscription as it stood on a day."""

    subscription_id: str
    customer_id: str
    product: str
    opened_on: date
    customer_kind: str
    standard_address: str | None
    resource_address: str | None
    main_subscription_id: str | None
    channel_id: str | None
    developer_id: str | None
    account_manager_id: str | None
    campus_id: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A dated change: a move gives a new address, a transfer a new customer; an end gives neither."""

    effective_on: date
    made_at: datetime
    event: str
    customer_id: str | None = None
    standard_address: str | None = None
    resource_address: str | None = None
    kind: str = ""
    """The type of the event."""
    customer_kind: str | None = None
    """Of a new customer; None is that of the one before."""


@dataclass(frozen=True, slots=True)
class BundleStatement:
    """Who is in a bundle from a day on. ``joins`` adds to those before; otherwise it replaces them."""

    bundle_id: str
    effective_on: date
    made_at: datetime
    event: str
    members: tuple[str, ...]
    joins: bool = False


@dataclass(frozen=True, slots=True)
class Membership:
    """A bundle on a day."""

    bundle_id: str
    since: date
    members: tuple[str, ...]
    left_on: date | None = None
    """The day the line in question was no longer in it."""


def evidence_ends(opened_on: date, period: Period) -> date:
    """Return the first day that is no longer evidence for a period.

    Evidence is the snapshot at 00:00 of the period's first day; for a line opened later it is what
    the opening day itself brought (DOMAIN, time semantics).
    """
    return max(first_day(period), opened_on + timedelta(days=1))


def line_before(opened: Line, changes: Iterable[Change], end: date) -> Line:
    """Return the line with the changes that took effect before a day."""
    line = opened
    for change in sorted(changes, key=lambda one: (one.effective_on, one.made_at, one.event)):
        if change.effective_on >= end:
            break
        if change.customer_id is not None:
            kind = change.customer_kind or line.customer_kind
            line = replace(line, customer_id=change.customer_id, customer_kind=kind)
        if change.standard_address is not None:
            line = replace(
                line,
                standard_address=change.standard_address,
                resource_address=change.resource_address,
            )
    return line


def moved_on(changes: Iterable[Change], end: date) -> date | None:
    """Return the day of the last move before a day."""
    days = (one.effective_on for one in changes if one.standard_address is not None)
    return max((one for one in days if one < end), default=None)


def transferred_on(changes: Iterable[Change], end: date) -> date | None:
    """Return the day of the last transfer to another customer before a day."""
    days = (one.effective_on for one in changes if one.customer_id is not None)
    return max((one for one in days if one < end), default=None)


def closed_on(changes: Iterable[Change], end: date) -> date | None:
    """Return the day a line was closed before a day; None if it was not, or resumed since."""
    closed = None
    for one in sorted(changes, key=lambda one: (one.effective_on, one.made_at, one.event)):
        if one.effective_on < end and one.kind == CLOSED:
            closed = closed or one.effective_on
        elif one.effective_on < end and one.kind == RESUMED:
            closed = None
    return closed


def bundle_steps(statements: Iterable[BundleStatement], end: date) -> list[Membership]:
    """Return how a bundle's membership went before a day, oldest first."""
    steps: list[Membership] = []
    members: tuple[str, ...] = ()
    for one in sorted(statements, key=lambda one: (one.effective_on, one.made_at, one.event)):
        if one.effective_on >= end:
            break
        members = tuple(dict.fromkeys(members + one.members)) if one.joins else one.members
        steps.append(Membership(one.bundle_id, one.effective_on, members))
    return steps


@dataclass(frozen=True, slots=True)
class BundlesOfLine:
    """The bundles a line is in, or the one it left last while in none."""

    current: tuple[Membership, ...]
    """The one it joined last comes first."""
    left: Membership | None


def bundles_before(
    subscription_id: str, bundles: Mapping[str, Iterable[BundleStatement]], end: date
) -> BundlesOfLine:
    """Say which bundles a line was in before a day, and which one it had left."""
    current: list[Membership] = []
    left: list[tuple[date, str, Membership]] = []
    for bundle_id, statements in bundles.items():
        steps = bundle_steps(statements, end)
        inside = [step for step in steps if subscription_id in step.members]
        if not inside:
            continue
        if inside[-1] is steps[-1]:
            since = _joined(steps, subscription_id)
            current.append(Membership(bundle_id, since, steps[-1].members))
        else:
            gone = steps[steps.index(inside[-1]) + 1].since
            left.append((gone, bundle_id, replace(inside[-1], left_on=gone)))
    if current:
        newest = sorted(current, key=lambda one: (one.since, one.bundle_id), reverse=True)
        return BundlesOfLine(tuple(newest), None)
    return BundlesOfLine((), max(left, key=lambda one: one[:2])[2] if left else None)


def left_after(
    subscription_id: str, statements: Iterable[BundleStatement], since: date, end: date
) -> date | None:
    """Return the first day from one on, and before another, on which a line was not in a bundle."""
    steps = bundle_steps(statements, end)
    gone = (one.since for one in steps if subscription_id not in one.members)
    return next((day for day in gone if day >= since), None)


def _joined(steps: list[Membership], subscription_id: str) -> date:
    """Return since when a line has been in the bundle without a break."""
    since = steps[-1].since
    for step in reversed(steps):
        if subscription_id not in step.members:
            break
        since = step.since
    return since


@dataclass(frozen=True, slots=True)
class Ruling:
    """What two people have decided about a line; both ends of its term belong to it (rule 010)."""

    ruling_id: str
    centre_id: str
    field_id: str | None
    from_period: int
    to_period: int | None
    approved_at: datetime
    amendment_id: str | None = None
    """The contract amendment by which it may take a customer off a locked list (R21)."""


@dataclass(frozen=True, slots=True)
class Lead:
    """A lead that became a line: who was to own it, and who brought it (R16)."""

    lead_id: str
    approved_on: date
    owner_centre_id: str
    originator_id: str | None
    project_id: str | None = None
    person_ids: tuple[str, ...] = ()
    """Who has a part in it, in the order of ``shares``."""
    shares: tuple[int, ...] = ()
    """Basis points of a whole."""
    rate_basis_points: int | None = None
    """Of what is collected; None is by the branch's terms, as for the months."""
    months: int | None = None

    @property
    def people(self) -> tuple[tuple[str, int], ...]:
        """Who has which part in it: those it names, else who brought it, alone."""
        if self.person_ids:
            return tuple(zip(self.person_ids, self.shares, strict=True))
        return () if self.originator_id is None else ((self.originator_id, 1),)


@dataclass(frozen=True, slots=True)
class Baseline:
    """Whose a line was by the baseline of a contract that begins with a period (rule 160)."""

    period: int
    made_at: datetime
    event: str
    centre_id: str
    field_id: str | None


def baseline_at(baselines: Iterable[Baseline], opened_on: date, period: Period) -> Baseline | None:
    """Return the newest baseline of a period that had the line: it was opened before it began."""
    known = [
        one
        for one in baselines
        if one.period <= period and opened_on < first_day(Period(one.period))
    ]
    return max(known, key=lambda one: (one.period, one.made_at, one.event), default=None)


def lead_of(leads: Iterable[Lead], opened_on: date) -> Lead | None:
    """Return the lead a line came from: of several the one approved last, then the higher number."""
    timely = [one for one in leads if timedelta(0) < opened_on - one.approved_on <= LEAD_HOLDS]
    return max(timely, key=lambda one: (one.approved_on, one.lead_id), default=None)


def ruling_at(rulings: Iterable[Ruling], period: Period) -> Ruling | None:
    """Return the ruling in force: of several the one approved last, then the higher identifier."""
    in_force = [
        one
        for one in rulings
        if one.from_period <= period and (one.to_period is None or period <= one.to_period)
    ]
    return max(in_force, key=lambda one: (one.approved_at, one.ruling_id), default=None)
