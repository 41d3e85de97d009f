"""Deciding whose a subscription's revenue is, by a rule set (R22-R24).

Rules are asked in order and the first that takes the line decides; every rule before it says why it
passed. The last one takes whatever is left, so nothing is ever without an owner.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from huaxiao.attribution.domain.evidence import (
    Bundle,
    Colleague,
    Evidence,
    LineEvidence,
    anchor_of,
    passed_by,
)
from huaxiao.attribution.domain.histories import FIXED_PRODUCTS
from huaxiao.attribution.domain.organisation import Placement
from huaxiao.attribution.domain.rule_sets import (
    NO_BASELINE,
    NO_CHANNEL,
    NO_LEAD,
    Rule,
    RuleSet,
    Why,
    unmet,
)
from huaxiao.shared.periods import LAST_PERIOD, Period, period_of_day, shift
from huaxiao.shared.wire.attribution import OwnerSource
from huaxiao.shared.wire.contracts import ChannelKind


class Flag(StrEnum):
    """What asks for attention and changes no owner; a rule may set flags of its own beside these."""

    ADDR_CONFLICT = "ADDR_CONFLICT"
    """Standard and resource address lead to different centres or fields; the standard one wins."""
    NO_ADDRESS = "NO_ADDRESS"
    """A fixed line without an address that any field covers: somebody must mend its address."""
    CIRCUIT_NO_DEVELOPER = "CIRCUIT_NO_DEVELOPER"
    """A circuit that nobody is known to have sold."""
    MAIN_MISSING = "MAIN_MISSING"
    """A secondary card whose main card is unknown."""
    MAIN_IN_CIRCLE = "MAIN_IN_CIRCLE"
    """Secondary cards that name each other as main, or lead on without an end."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an owner source leads: a centre, and a field if it is one that holds the line."""

    centre_id: str
    field_id: str | None = None
    field_rule: str | None = None
    """The rule that chose the field; the rule at hand when it is not another one's."""
    flags: tuple[str, ...] = ()
    ruling_id: str | None = None


@dataclass(frozen=True, slots=True)
class Nowhere:
    """An owner source leads nowhere, and why."""

    why: Why
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule that was asked and passed, and why."""

    rule: Rule
    why: Why


@dataclass(frozen=True, slots=True)
class Shadow:
    """A memo for a centre that helped; never in a sum."""

    centre_id: str
    why: Why
    through: Period
    """The last month of it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whose it is, by which rule; where it lands; who developed it."""

    centre_id: str
    field_id: str | None
    rule: Rule
    rule_set: str
    unit_rule: str
    field_rule: str | None
    source: OwnerSource
    """Which of the rule's owner sources yielded the place."""
    tried: tuple[Why, ...]
    """Why those before it yielded none."""
    flags: tuple[str, ...]
    landing_centre_id: str | None
    development_centre_id: str | None
    shadows: tuple[Shadow, ...]
    rejected: tuple[Candidate, ...]
    ruling_id: str | None
    """The ruling it rests on: one on the line itself, or on its main card."""

    def shadows_in(self, period: int) -> list[Shadow]:
        """Return who is credited in a month: who helped does not for ever."""
        return [one for one in self.shadows if period <= one.through]


@dataclass(frozen=True, slots=True)
class _Found:
    """What a rule that takes the line has found."""

    source: OwnerSource
    place: Place
    tried: tuple[Why, ...]
    flags: tuple[str, ...]


_NAMES_NOBODY = Why("it names no owner", "规则未指定归属")


def decide(evidence: Evidence, rule_set: RuleSet) -> Decision:
    """Return the owner, and everything that was considered on the way."""
    rejected: list[Candidate] = []
    flags: list[str] = []
    for rule in rule_set.rules:
        found = _judge(rule, evidence, rule_set)
        if isinstance(found, Why):
            rejected.append(Candidate(rule, found))
            continue
        own = (rule.flag,) if rule.flag else ()
        flags += [flag for flag in (*found.flags, *own) if flag not in flags]
        if isinstance(found, Nowhere):
            rejected.append(Candidate(rule, found.why))
            continue
        place = found.place
        return Decision(
            centre_id=place.centre_id,
            field_id=place.field_id,
            rule=rule,
            rule_set=rule_set.name,
            unit_rule=rule.code,
            field_rule=(place.field_rule or rule.code) if place.field_id else None,
            source=found.source,
            tried=found.tried,
            flags=tuple(flags),
            landing_centre_id=_landing(evidence.subject),
            development_centre_id=_development(evidence.subject),
            shadows=_shadows(evidence, place.centre_id, rule_set.shadow_months),
            rejected=tuple(rejected),
            ruling_id=place.ruling_id,
        )
    raise AssertionError("a rule set that is active takes every line")


def _judge(rule: Rule, evidence: Evidence, rule_set: RuleSet) -> _Found | Nowhere | Why:
    """Ask a rule: it takes the line, knows of no place for it, or does not apply."""
    why = unmet(rule.when, evidence)
    if why is not None:
        return why
    flags: tuple[str, ...] = ()
    tried: tuple[Why, ...] = ()
    for source in rule.owner:
        found = _SOURCES[source](evidence, rule_set)
        flags += found.flags
        if isinstance(found, Place):
            return _Found(source, found, tried, flags)
        tried += (found.why,)
    return Nowhere(tried[-1] if tried else _NAMES_NOBODY, flags)


# --- where owner sources lead -------------------------------------------------------------------


def _ruling(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    ruling = evidence.ruling
    if ruling is None:
        return Nowhere(Why("nobody has ruled on it", "没有裁定"))
    if passed_by(ruling, evidence.subject.listed):
        named = ruling.ruling_id
        return Nowhere(
            Why(
                f"ruling {named} names no amendment of the contract whose list the customer is on",
                f"裁定 {named} 未注明合同变更，而客户在锁定清单中",
                close=True,
            )
        )
    return Place(ruling.centre_id, ruling.field_id, ruling_id=ruling.ruling_id)


def _lead_centre(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    if evidence.opportunity is None:
        return Nowhere(NO_LEAD)
    return Place(evidence.opportunity.centre_id)


def _list_field(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    listed = evidence.subject.listed
    if listed is None:
        return Nowhere(Why("the customer is on no list", "客户不在任何清单中"))
    return _at(listed.placement)


def _campus_field(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    if evidence.subject.campus is None:
        return Nowhere(Why("the campus is on no list", "该校园不在清单中", close=True))
    return _at(evidence.subject.campus)


def _bundle_anchor(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    return _by_anchor(evidence.bundle)


def _left_bundle_anchor(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    return _by_anchor(evidence.left_bundle)


def _main_card(evidence: Evidence, rule_set: RuleSet) -> Place | Nowhere:
    if evidence.main_in_circle:
        return Place(evidence.default_centre_id, flags=(Flag.MAIN_IN_CIRCLE,))
    if evidence.main is None:
        return Nowhere(
            Why("the main card is unknown", "主卡未知", close=True), (Flag.MAIN_MISSING,)
        )
    main = decide(evidence.main, rule_set)
    return Place(main.centre_id, main.field_id, main.field_rule, main.flags, main.ruling_id)


def _standard_address(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    return _by_standard_address(evidence.subject)


def _resource_address(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    return _by_resource_address(evidence.subject)


def _channel_field(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    channel = evidence.subject.channel
    if channel is None:
        return Nowhere(NO_CHANNEL)
    if channel.isolated_field is None:
        return Nowhere(
            Why("the channel is in no field of its own", "该渠道不在隔离的渠道型责任田中")
        )
    return _at(channel.isolated_field)


def _channel_centre(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    if evidence.subject.channel is None:
        return Nowhere(NO_CHANNEL)
    return Place(evidence.subject.channel.centre_id)


def _developer_centre(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    if evidence.subject.developer is None:
        return Nowhere(Why("it has no known developer", "没有已知发展人"))
    return Place(evidence.subject.developer.centre_id)


def _enterprise_developer(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    return _enterprise(evidence.subject.developer)


def _enterprise_account_manager(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    subject = evidence.subject
    nobody = subject.account_manager is None and subject.developer is None
    found = _enterprise(subject.account_manager)
    if nobody and isinstance(found, Nowhere):
        return Nowhere(found.why, (Flag.CIRCUIT_NO_DEVELOPER,))
    return found


def _baseline(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    snapshot = evidence.baseline
    if snapshot is None:
        return Nowhere(NO_BASELINE)
    flags = _unplaced(evidence.subject)
    return Place(snapshot.centre_id, snapshot.field_id, flags=flags)


def _default_centre(evidence: Evidence, _: RuleSet) -> Place | Nowhere:
    return Place(evidence.default_centre_id, flags=_unplaced(evidence.subject))


_SOURCES: dict[OwnerSource, Callable[[Evidence, RuleSet], Place | Nowhere]] = {
    OwnerSource.RULING: _ruling,
    OwnerSource.LEAD_CENTRE: _lead_centre,
    OwnerSource.LIST_FIELD: _list_field,
    OwnerSource.CAMPUS_FIELD: _campus_field,
    OwnerSource.BUNDLE_ANCHOR: _bundle_anchor,
    OwnerSource.LEFT_BUNDLE_ANCHOR: _left_bundle_anchor,
    OwnerSource.MAIN_CARD: _main_card,
    OwnerSource.STANDARD_ADDRESS: _standard_address,
    OwnerSource.RESOURCE_ADDRESS: _resource_address,
    OwnerSource.CHANNEL_FIELD: _channel_field,
    OwnerSource.CHANNEL_CENTRE: _channel_centre,
    OwnerSource.DEVELOPER_CENTRE: _developer_centre,
    OwnerSource.BASELINE: _baseline,
    OwnerSource.ENTERPRISE_DEVELOPER: _enterprise_developer,
    OwnerSource.ENTERPRISE_ACCOUNT_MANAGER: _enterprise_account_manager,
    OwnerSource.DEFAULT_CENTRE: _default_centre,
}


# --- what several sources share -----------------------------------------------------------------


def _at(placement: Placement, flags: tuple[str, ...] = ()) -> Place:
    return Place(placement.centre_id, placement.field_id, flags=flags)


def _enterprise(person: Colleague | None) -> Place | Nowhere:
    if person is None or not person.enterprise:
        return Nowhere(Why("nobody of the enterprise centre is named", "未登记政企中心人员"))
    return Place(person.centre_id)


def _by_standard_address(subject: LineEvidence) -> Place | Nowhere:
    placement, other = subject.by_standard_address, subject.by_resource_address
    if placement is None:
        return Nowhere(_uncovered(subject.line.standard_address, _NO_STANDARD, _OFF_STANDARD))
    differs = other is not None and (other.centre_id, other.field_id) != (
        placement.centre_id,
        placement.field_id,
    )
    return _at(placement, (Flag.ADDR_CONFLICT,) if differs else ())


def _by_resource_address(subject: LineEvidence) -> Place | Nowhere:
    if subject.by_resource_address is None:
        return Nowhere(_uncovered(subject.line.resource_address, _NO_RESOURCE, _OFF_RESOURCE))
    return _at(subject.by_resource_address)


_NO_STANDARD = Why("it has no standard address", "没有登记标准地址", close=True)
_OFF_STANDARD = Why("no field covers its standard address", "没有责任田覆盖其标准地址", close=True)
_NO_RESOURCE = Why("it has no resource address", "没有登记资源地址", close=True)
_OFF_RESOURCE = Why("no field covers its resource address", "没有责任田覆盖其资源地址", close=True)


def _uncovered(address: str | None, absent: Why, off: Why) -> Why:
    return absent if address is None else off


def _by_anchor(bundle: Bundle | None) -> Place | Nowhere:
    """Return where a bundle's anchor lies."""
    if bundle is None or not bundle.fixed:
        return Nowhere(Why("the bundle has no fixed line", "该套餐没有固网成员", close=True))
    anchor = anchor_of(bundle)
    for by_address in (_by_standard_address, _by_resource_address):
        found = by_address(anchor)
        if isinstance(found, Place):
            return found
    return Nowhere(
        Why("no field covers the bundle's fixed line", "没有责任田覆盖该套餐的固网成员", close=True)
    )


def _unplaced(subject: LineEvidence) -> tuple[str, ...]:
    """Return the flag of a fixed line whose addresses no field covers."""
    placed = subject.by_standard_address or subject.by_resource_address
    fixed = subject.line.product in FIXED_PRODUCTS
    return (Flag.NO_ADDRESS,) if fixed and not placed else ()


def _landing(subject: LineEvidence) -> str | None:
    placement = subject.by_standard_address or subject.by_resource_address
    return placement.centre_id if placement else None


def _development(subject: LineEvidence) -> str | None:
    if subject.developer is not None:
        return subject.developer.centre_id
    return subject.channel.centre_id if subject.channel else None


def _shadows(evidence: Evidence, owner: str, months: int) -> tuple[Shadow, ...]:
    if months == 0:
        return ()
    shadows: list[Shadow] = []
    channel, lead = evidence.subject.channel, evidence.opportunity
    opened = period_of_day(evidence.subject.line.opened_on)
    through = min(shift(opened, months - 1), LAST_PERIOD)
    if channel and channel.kind is ChannelKind.OWN_HALL and channel.centre_id != owner:
        shadows.append(
            Shadow(channel.centre_id, Why("its own hall sold it", "由其自有厅售出"), through)
        )
    if lead and lead.originator_centre_id and lead.originator_centre_id != owner:
        why = Why(f"it brought lead {lead.lead_id}", f"由其提出商机 {lead.lead_id}")
        shadows.append(Shadow(lead.originator_centre_id, why, through))
    return tuple(shadows)
