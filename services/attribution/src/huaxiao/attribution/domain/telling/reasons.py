"""Which rule decided and from what: one sentence for each owner source."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar

from huaxiao.attribution.domain import words
from huaxiao.attribution.domain.evidence import (
    MAIN_CARDS_FOLLOWED,
    Bundle,
    LineEvidence,
    anchor_of,
)
from huaxiao.attribution.domain.organisation import Placement
from huaxiao.attribution.domain.telling.case import Case, Names, joined, ruled
from huaxiao.attribution.domain.words import Told
from huaxiao.shared.leads import LEAD_HOLDS
from huaxiao.shared.masking import masked_address
from huaxiao.shared.periods import business_day
from huaxiao.shared.wire.attribution import OwnerSource

T = TypeVar("T")


def because(case: Case) -> Told:
    """Say which rule decided, and from what."""
    rule, found = ruled(case.decision.rule), REASONS[case.decision.source](case)
    return Told(
        f"Rule {rule.text} decides: {found.text}.",
        f"依据规则 {rule.text_zh}：{found.text_zh}。",
    )


def _found(value: T | None) -> T:
    """Return what the owner source that decided has found a place from."""
    assert value is not None  # noqa: S101 - else it would not have decided
    return value


def _by_ruling(case: Case) -> Told:
    ruling = _found(case.evidence.ruling)
    approved = words.day(business_day(ruling.approved_at))
    since = words.month(ruling.from_period)
    until = None if ruling.to_period is None else words.month(ruling.to_period)
    return Told(
        f"ruling {ruling.ruling_id}, approved on {approved.text}, says so from {since.text}"
        + (f" to {until.text}" if until else " on"),
        f"裁定 {ruling.ruling_id} 于{approved.text_zh}获批，自{since.text_zh}起"
        + (f"至{until.text_zh}止" if until else "")
        + "如此判归",
    )


def _from_lead(case: Case) -> Told:
    lead = _found(case.evidence.opportunity)
    approved, opened = words.day(lead.approved_on), words.day(case.subject.line.opened_on)
    return Told(
        f"it came from lead {lead.lead_id}, approved on {approved.text}; it was opened within"
        f" {LEAD_HOLDS.days} days, on {opened.text}, and belongs to the centre that took the lead"
        " on",
        f"它由商机 {lead.lead_id} 转化而来，商机于{approved.text_zh}批准，它在 {LEAD_HOLDS.days} 天内"
        f"（{opened.text_zh}）入网，归承接商机的中心",
    )


def _listed(case: Case) -> Told:
    listed = _found(case.subject.listed)
    placement, opened = listed.placement, words.day(case.subject.line.opened_on)
    field_id = placement.field_id
    named = case.names.field(field_id) if field_id else case.names.centre(placement.centre_id)
    locked = case.names.fields.get(field_id or "")
    since = words.month(locked.term_from) if locked else None
    stock = Told(
        f"the line was there before, since {opened.text}",
        f"该用户此前已在网（{opened.text_zh}入网），属存量",
    )
    new = Told(
        f"the line is newer ({opened.text}), and what a listed customer takes later goes there too",
        f"该用户是新增（{opened.text_zh}入网），清单客户的新增同样归此",
    )
    told = stock if listed.stock else new
    passed = case.subject.transferred_on and words.day(case.subject.transferred_on)
    return Told(
        f"customer {placement.matched}"
        + (f", to whom it passed on {passed.text}," if passed else "")
        + f" is on the list of {named.text}"
        + (f", locked since {since.text}" if since else "")
        + f"; {told.text}",
        f"客户 {placement.matched}"
        + (f"（{passed.text_zh}过户）" if passed else " ")
        + f"在 {named.text_zh}的清单上"
        + (f"，清单自{since.text_zh}起锁定" if since else "")
        + f"；{told.text_zh}",
    )


def _campus(case: Case) -> Told:
    campus = _found(case.subject.campus)
    named = case.names.holding(campus)
    return Told(
        f"it is in the group of campus {campus.matched}, which is on the list of {named.text}",
        f"它在校园 {campus.matched} 的群组中，该校园在 {named.text_zh}的清单上",
    )


def _in_bundle(case: Case) -> Told:
    bundle = _found(case.evidence.bundle)
    since, anchor = words.day(bundle.since), _anchored(case, bundle)
    return Told(
        f"it has been in bundle {bundle.bundle_id} since {since.text}, {anchor.text}",
        f"它自{since.text_zh}起在融合套餐 {bundle.bundle_id} 中，{anchor.text_zh}",
    )


def _left_bundle(case: Case) -> Told:
    bundle = _found(case.evidence.left_bundle)
    left, anchor = words.day(_found(bundle.left_on)), _anchored(case, bundle)
    return Told(
        f"it left bundle {bundle.bundle_id} on {left.text}, is in no other, and stays where it was,"
        f" with that bundle, {anchor.text}",
        f"它于{left.text_zh}离开融合套餐 {bundle.bundle_id}，之后未入其他套餐，保持原归属："
        f"{anchor.text_zh}",
    )


def _anchored(case: Case, bundle: Bundle) -> Told:
    """Say which fixed line a bundle follows, and where that one lies."""
    anchor = anchor_of(bundle)
    own = anchor.line.subscription_id == case.subject.line.subscription_id
    product, name = words.product(anchor.line.product), anchor.line.subscription_id
    address = (_by_standard if anchor.by_standard_address else _by_resource)(case.names, anchor)
    why = Told("", "")
    if len(bundle.fixed) > 1:
        why = Told(
            " (broadband before television before voice, then the oldest)",
            "（宽带先于电视、固话，同类取入网最早者）",
        )
    return Told(
        f"which follows its {product.text} {name}{', this very line' if own else ''}{why.text};"
        f" {address.text}",
        f"套餐随其{product.text_zh} {name}{'（即本用户）' if own else ''}{why.text_zh}；"
        f"{address.text_zh}",
    )


def _main_card(case: Case) -> Told:
    main = case.main()
    named = case.subject.line.main_subscription_id
    if main is None:
        centre = case.names.centre(case.decision.centre_id)
        return Told(
            f"it is a secondary card, and the cards that lead from it to its main card {named} name"
            f" each other in a circle, or are more than {MAIN_CARDS_FOLLOWED}; so it stays with"
            f" {centre.text}",
            f"它是副卡，而它与主卡 {named} 互为主卡（或逐级相连超过 {MAIN_CARDS_FOLLOWED} 张），无法判定，"
            f"故归 {centre.text_zh}",
        )
    rule, found = ruled(main.decision.rule), REASONS[main.decision.source](main)
    return Told(
        f"it is a secondary card and follows its main card {named}, of which rule {rule.text}"
        f" decides: {found.text}",
        f"它是副卡，随主卡 {named}；主卡依据规则 {rule.text_zh}：{found.text_zh}",
    )


def _standard_address(case: Case) -> Told:
    return _by_standard(case.names, case.subject)


def _resource_address(case: Case) -> Told:
    return _by_resource(case.names, case.subject)


def _by_standard(names: Names, line: LineEvidence) -> Told:
    named = Told("standard address", "标准地址")
    return _covered(
        names, named, line.line.standard_address, _found(line.by_standard_address), line.moved_on
    )


def _by_resource(names: Names, line: LineEvidence) -> Told:
    named = Told("resource address", "资源地址")
    return _covered(
        names, named, line.line.resource_address, _found(line.by_resource_address), line.moved_on
    )


def _covered(
    names: Names, kind: Told, address: str | None, placement: Placement, since: date | None
) -> Told:
    """Say since when an address is the line's, which prefix covers it, and in which field's term."""
    holding, prefix = names.holding(placement), placement.matched
    moved, under = Told("", " "), Told("", "")
    if since is not None:
        day = words.day(since)
        moved = Told(f", where it moved on {day.text},", f"（{day.text_zh}移机至此）")
    shown = _found(address) if address == prefix else masked_address(_found(address))
    if address != prefix:
        under = Told(f" lies under {prefix}, which", f"在 {prefix} 之下，后者")
    return Told(
        f"its {kind.text} {shown}{moved.text}{under.text} belongs to {holding.text}",
        f"其{kind.text_zh} {shown}{moved.text_zh}{under.text_zh}属于 {holding.text_zh}",
    )


def _channel_field(case: Case) -> Told:
    sold, channel = _sold(case), _found(case.subject.channel)
    named = case.names.holding(_found(channel.isolated_field))
    return Told(
        f"{sold.text}, which stands alone as {named.text}",
        f"{sold.text_zh}，该渠道隔离划小，自成 {named.text_zh}",
    )


def _channel_centre(case: Case) -> Told:
    sold, channel = _sold(case), _found(case.subject.channel)
    centre = case.names.centre(channel.centre_id)
    return Told(
        f"{sold.text}, which belongs to {centre.text}",
        f"{sold.text_zh}，该渠道属于 {centre.text_zh}",
    )


def _sold(case: Case) -> Told:
    line, channel = case.subject.line, _found(case.subject.channel)
    opened, kind = words.day(line.opened_on), words.CHANNELS[channel.kind]
    named = case.names.channel(line.channel_id or "")
    return Told(
        f"it was sold on {opened.text} through the {kind.text} {named.text}",
        f"它于{opened.text_zh}由{kind.text_zh} {named.text_zh}售出",
    )


def _developer(case: Case) -> Told:
    developer, opened = _found(case.subject.developer), words.day(case.subject.line.opened_on)
    centre, person = case.names.centre(developer.centre_id), case.subject.line.developer_id
    return Told(
        f"it was opened on {opened.text} by developer {person}, who worked for {centre.text} that"
        " day",
        f"它于{opened.text_zh}入网，发展人 {person} 当日属于 {centre.text_zh}",
    )


def _account_manager(case: Case) -> Told:
    found, opened = _found(case.subject.account_manager), words.day(case.subject.line.opened_on)
    centre, person = case.names.centre(found.centre_id), case.subject.line.account_manager_id
    return Told(
        f"its account manager {person} worked for {centre.text} when it was opened on"
        f" {opened.text}",
        f"其客户经理 {person} 在入网当日（{opened.text_zh}）属于 {centre.text_zh}",
    )


def _baseline(case: Case) -> Told:
    snapshot = _found(case.evidence.baseline)
    opened, begins = words.day(case.subject.line.opened_on), words.month(snapshot.period)
    place = case.names.place(snapshot.centre_id, snapshot.field_id)
    return Told(
        f"no other evidence places it, and the baseline of {begins.text} has it, opened on"
        f" {opened.text}, with {place.text}",
        f"没有其他证据可判归属，而{begins.text_zh}的承包基线将它（{opened.text_zh}入网）列在"
        f" {place.text_zh}",
    )


def _default(case: Case) -> Told:
    decision = case.decision
    centre, tried = case.names.centre(decision.centre_id), joined(decision.tried)
    if decision.rule.when.always:
        return Told(
            f"no other rule found where it belongs, so it stays with {centre.text} until somebody"
            " claims it",
            f"没有其他规则能找到它的归属，故暂归 {centre.text_zh}，待认领",
        )
    if decision.tried:
        return Told(
            f"{tried.text}, so it stays with {centre.text}",
            f"{tried.text_zh}，故归 {centre.text_zh}",
        )
    told = _sold(case) if case.subject.channel else _is(case)
    return Told(
        f"{told.text}; what this rule takes goes to no contracting centre but to {centre.text}",
        f"{told.text_zh}；此规则所收的用户不归任何承包中心，归 {centre.text_zh}",
    )


def _is(case: Case) -> Told:
    product = words.product(case.subject.line.product)
    return Told(f"it is {words.a(product.text)}", f"它是{product.text_zh}")


REASONS: dict[OwnerSource, Callable[[Case], Told]] = {
    OwnerSource.RULING: _by_ruling,
    OwnerSource.LEAD_CENTRE: _from_lead,
    OwnerSource.LIST_FIELD: _listed,
    OwnerSource.CAMPUS_FIELD: _campus,
    OwnerSource.BUNDLE_ANCHOR: _in_bundle,
    OwnerSource.LEFT_BUNDLE_ANCHOR: _left_bundle,
    OwnerSource.MAIN_CARD: _main_card,
    OwnerSource.STANDARD_ADDRESS: _standard_address,
    OwnerSource.RESOURCE_ADDRESS: _resource_address,
    OwnerSource.CHANNEL_FIELD: _channel_field,
    OwnerSource.CHANNEL_CENTRE: _channel_centre,
    OwnerSource.DEVELOPER_CENTRE: _developer,
    OwnerSource.ENTERPRISE_DEVELOPER: _developer,
    OwnerSource.ENTERPRISE_ACCOUNT_MANAGER: _account_manager,
    OwnerSource.BASELINE: _baseline,
    OwnerSource.DEFAULT_CENTRE: _default,
}
