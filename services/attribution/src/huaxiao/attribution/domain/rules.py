"""The rule set CN-UNICOM-COUNTY v1: whose a subscription's revenue is (R22-R24).

Rules are asked in order and the first that takes the line decides; every rule before it says why it
passed. 900 takes whatever is left, so nothing is ever without an owner. Rulings on request (010)
and opportunities (030) have no evidence here yet, and no rule.
"""

from collections.abc import Callable
from dataclasses import dataclass

from huaxiao.attribution.domain.evidence import Bundle, Evidence, LineEvidence
from huaxiao.attribution.domain.histories import FIXED_PRODUCTS
from huaxiao.attribution.domain.organisation import Placement
from huaxiao.shared.wire.contracts import ChannelKind

RULE_SET = "CN-UNICOM-COUNTY v1"

ADDR_CONFLICT = "ADDR_CONFLICT"
"""Standard and resource address lead to different centres or fields; the standard one wins."""
NO_ADDRESS = "NO_ADDRESS"
"""A fixed line without an address that any field covers: somebody must mend its address."""
CIRCUIT_NO_DEVELOPER = "CIRCUIT_NO_DEVELOPER"
"""A circuit that nobody is known to have sold."""
ONLINE_2I2C = "ONLINE_2I2C"
"""Sold online: left out of margins that are stated without 2I2C."""
MAIN_MISSING = "MAIN_MISSING"
"""A secondary card whose main card is unknown."""
MAIN_IN_CIRCLE = "MAIN_IN_CIRCLE"
"""Secondary cards that name each other as main."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A rule took the line."""

    centre_id: str
    field_id: str | None
    field_rule: str | None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule did not apply, and why."""

    reason: str
    reason_zh: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its code, its name, and how it judges."""

    code: str
    title: str
    title_zh: str
    judge: Callable[[Evidence], Taken | Passed]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule that was asked and passed."""

    rule: Rule
    passed: Passed


@dataclass(frozen=True, slots=True)
class Shadow:
    """A memo for a centre that helped; never in a sum."""

    centre_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Whose it is, by which rule; where it lands; who developed it."""

    centre_id: str
    field_id: str | None
    rule: Rule
    unit_rule: str
    field_rule: str | None
    flags: tuple[str, ...]
    landing_centre_id: str | None
    development_centre_id: str | None
    shadows: tuple[Shadow, ...]
    rejected: tuple[Candidate, ...]


def decide(evidence: Evidence) -> Decision:
    """Return the owner, and everything that was considered on the way."""
    rejected: list[Candidate] = []
    flags: list[str] = []
    for rule in RULES:
        verdict = rule.judge(evidence)
        flags += [flag for flag in verdict.flags if flag not in flags]
        if isinstance(verdict, Taken):
            return Decision(
                centre_id=verdict.centre_id,
                field_id=verdict.field_id,
                rule=rule,
                unit_rule=rule.code,
                field_rule=verdict.field_rule,
                flags=tuple(flags),
                landing_centre_id=_landing(evidence.subject),
                development_centre_id=_development(evidence.subject),
                shadows=_shadows(evidence.subject, rule.code, verdict.centre_id),
                rejected=tuple(rejected),
            )
        rejected.append(Candidate(rule, verdict))
    raise AssertionError("the last rule takes everything")


# --- the rules ----------------------------------------------------------------------------------


def _locked_list(evidence: Evidence) -> Taken | Passed:
    listed = evidence.subject.listed
    if listed is None:
        return Passed("the customer is on no list", "客户不在任何清单中")
    if not listed.stock:
        return Passed("the line is newer than the locked list", "该用户晚于锁定清单入网")
    return _placed(listed.placement, "020")


def _list_new(evidence: Evidence) -> Taken | Passed:
    listed = evidence.subject.listed
    if listed is None:
        return Passed("the customer is on no list", "客户不在任何清单中")
    if evidence.subject.line.customer_kind == "person":
        return Passed("a personal line does not follow a listed customer", "个人用户不随清单客户")
    return _placed(listed.placement, "025")


def _circuit(evidence: Evidence) -> Taken | Passed:
    subject = evidence.subject
    if subject.line.product != "leased_line":
        return Passed("not a circuit", "不是专线电路")
    nobody = subject.account_manager is None and subject.developer is None
    flags = (CIRCUIT_NO_DEVELOPER,) if nobody else ()
    manager = subject.account_manager
    if manager is not None and manager.enterprise:
        return Taken(manager.centre_id, None, None, flags)
    if subject.by_standard_address is not None:
        return _placed(subject.by_standard_address, "040", flags)
    return Taken(evidence.default_centre_id, None, None, flags)


def _iot(evidence: Evidence) -> Taken | Passed:
    subject = evidence.subject
    if subject.line.product != "iot":
        return Passed("not an IoT line", "不是物联网用户")
    if subject.developer is not None and subject.developer.enterprise:
        return Taken(subject.developer.centre_id, None, None)
    return Taken(evidence.default_centre_id, None, None)


def _campus(evidence: Evidence) -> Taken | Passed:
    if evidence.subject.line.campus_id is None:
        return Passed("in no campus group", "不在校园群组中")
    if evidence.subject.campus is None:
        return Passed("the campus is on no list", "该校园不在清单中")
    return _placed(evidence.subject.campus, "060")


def _bundle(evidence: Evidence) -> Taken | Passed:
    if evidence.bundle is None:
        return Passed("in no bundle", "不在融合套餐中")
    return _by_anchor(evidence.bundle, "070")


def _secondary(evidence: Evidence) -> Taken | Passed:
    if evidence.subject.line.main_subscription_id is None:
        return Passed("not a secondary card", "不是副卡")
    if evidence.main_in_circle:
        return Taken(evidence.default_centre_id, None, None, (MAIN_IN_CIRCLE,))
    if evidence.main is None:
        return Passed("the main card is unknown", "主卡未知", (MAIN_MISSING,))
    main = decide(evidence.main)
    return Taken(main.centre_id, main.field_id, main.field_rule, main.flags)


def _sticky(evidence: Evidence) -> Taken | Passed:
    if evidence.subject.line.product != "mobile":
        return Passed("not a mobile line", "不是移动用户")
    if evidence.left_bundle is None:
        return Passed("it has left no bundle", "没有离开过融合套餐")
    return _by_anchor(evidence.left_bundle, "080")


def _standard_address(evidence: Evidence) -> Taken | Passed:
    if not _is_fixed(evidence):
        return Passed("not a fixed line", "不是固网用户")
    return _by_standard_address(evidence.subject, "090")


def _resource_address(evidence: Evidence) -> Taken | Passed:
    if not _is_fixed(evidence):
        return Passed("not a fixed line", "不是固网用户")
    return _by_resource_address(evidence.subject, "100")


def _channel_field(evidence: Evidence) -> Taken | Passed:
    if _is_fixed(evidence):
        return _FIXED_PASSED
    channel = evidence.subject.channel
    if channel is None:
        return Passed("no known channel", "没有已知渠道")
    if channel.isolated_field is None:
        return Passed("the channel is in no field of its own", "该渠道不在隔离的渠道型责任田中")
    return _placed(channel.isolated_field, "110")


def _own_hall(evidence: Evidence) -> Taken | Passed:
    return _by_channel(evidence, (ChannelKind.OWN_HALL,))


def _agent(evidence: Evidence) -> Taken | Passed:
    kinds = (
        ChannelKind.AGENT,
        ChannelKind.CHAIN_STORE,
        ChannelKind.BUSINESS_DISTRICT,
        ChannelKind.DIRECT,
    )
    return _by_channel(evidence, kinds)


def _developer(evidence: Evidence) -> Taken | Passed:
    if _is_fixed(evidence):
        return _FIXED_PASSED
    if evidence.subject.developer is None:
        return Passed("no known developer", "没有已知发展人")
    return Taken(evidence.subject.developer.centre_id, None, None)


def _online(evidence: Evidence) -> Taken | Passed:
    if _is_fixed(evidence):
        return _FIXED_PASSED
    channel = evidence.subject.channel
    if channel is None or channel.kind is not ChannelKind.ONLINE:
        return Passed("not sold online", "不是线上发展")
    return Taken(evidence.default_centre_id, None, None, (ONLINE_2I2C,))


def _pool(evidence: Evidence) -> Taken | Passed:
    flags = (NO_ADDRESS,) if _is_fixed(evidence) else ()
    return Taken(evidence.default_centre_id, None, None, flags)


RULES: tuple[Rule, ...] = (
    Rule("020", "Locked stock list", "存量清单锁定", _locked_list),
    Rule("025", "New line of a listed customer", "清单客户新增", _list_new),
    Rule("040", "Circuit", "专线电路", _circuit),
    Rule("050", "Internet of things", "物联网", _iot),
    Rule("060", "Campus", "校园", _campus),
    Rule("070", "Bundle with a fixed line", "融合随固网", _bundle),
    Rule("075", "Secondary card", "副卡随主卡", _secondary),
    Rule("080", "Mobile that left its bundle", "离开融合后保持原归属", _sticky),
    Rule("090", "Standard address", "标准地址", _standard_address),
    Rule("100", "Resource address", "资源地址", _resource_address),
    Rule("110", "Isolated channel field", "隔离的渠道型责任田", _channel_field),
    Rule("120", "Own hall", "自有厅", _own_hall),
    Rule("130", "Agent or chain store", "代理商或连锁渠道", _agent),
    Rule("140", "Developer", "发展人", _developer),
    Rule("150", "Online", "线上2I2C", _online),
    Rule("900", "Pool", "本部/游离", _pool),
)
"""The rules in the order they are asked."""


# --- what several rules share -------------------------------------------------------------------

_FIXED_PASSED = Passed(
    "a fixed line never follows its channel or developer", "固网用户不按渠道或发展人归属"
)


def _is_fixed(evidence: Evidence) -> bool:
    return evidence.subject.line.product in FIXED_PRODUCTS


def _placed(placement: Placement, rule: str, flags: tuple[str, ...] = ()) -> Taken:
    return Taken(placement.centre_id, placement.field_id, rule, flags)


def _by_standard_address(subject: LineEvidence, rule: str) -> Taken | Passed:
    placement, other = subject.by_standard_address, subject.by_resource_address
    if placement is None:
        return Passed("no field covers its standard address", "没有责任田覆盖其标准地址")
    differs = other is not None and (other.centre_id, other.field_id) != (
        placement.centre_id,
        placement.field_id,
    )
    return _placed(placement, rule, (ADDR_CONFLICT,) if differs else ())


def _by_resource_address(subject: LineEvidence, rule: str) -> Taken | Passed:
    if subject.by_resource_address is None:
        return Passed("no field covers its resource address", "没有责任田覆盖其资源地址")
    return _placed(subject.by_resource_address, rule)


def _by_anchor(bundle: Bundle, rule: str) -> Taken | Passed:
    if not bundle.fixed:
        return Passed("the bundle has no fixed line", "该套餐没有固网成员")
    anchor = min(bundle.fixed, key=_anchor_order)
    for judge in (_by_standard_address, _by_resource_address):
        verdict = judge(anchor, rule)
        if isinstance(verdict, Taken):
            return verdict
    return Passed("no field covers the bundle's fixed line", "没有责任田覆盖该套餐的固网成员")


def _anchor_order(member: LineEvidence) -> tuple[int, int, str]:
    line = member.line
    return (
        FIXED_PRODUCTS.index(line.product),
        line.opened_on.toordinal(),
        line.subscription_id,
    )


def _by_channel(evidence: Evidence, kinds: tuple[ChannelKind, ...]) -> Taken | Passed:
    if _is_fixed(evidence):
        return _FIXED_PASSED
    channel = evidence.subject.channel
    if channel is None or channel.kind not in kinds:
        return Passed("not sold by such a channel", "不是此类渠道发展")
    return Taken(channel.centre_id, None, None)


def _landing(subject: LineEvidence) -> str | None:
    placement = subject.by_standard_address or subject.by_resource_address
    return placement.centre_id if placement else None


def _development(subject: LineEvidence) -> str | None:
    if subject.developer is not None:
        return subject.developer.centre_id
    return subject.channel.centre_id if subject.channel else None


def _shadows(subject: LineEvidence, rule: str, owner: str) -> tuple[Shadow, ...]:
    channel = subject.channel
    if channel is None or channel.kind is not ChannelKind.OWN_HALL or channel.centre_id == owner:
        return ()
    return (Shadow(channel.centre_id, f"sold in an own hall; owned by rule {rule}"),)
