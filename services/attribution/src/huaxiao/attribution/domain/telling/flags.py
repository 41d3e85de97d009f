"""What each flag means, and what to do about it."""

from collections.abc import Callable

from huaxiao.attribution.domain.evidence import (
    MAIN_CARDS_FOLLOWED,
    LineEvidence,
    anchor_of,
)
from huaxiao.attribution.domain.rules import Flag
from huaxiao.attribution.domain.telling.case import Case, ruled
from huaxiao.attribution.domain.words import Told
from huaxiao.shared.masking import masked_address
from huaxiao.shared.wire.attribution import OwnerSource


def flagged(case: Case) -> list[Told]:
    """Say what each flag means, and what to do about it."""
    return [_flag(case, one) for one in case.decision.flags]


def _flag(case: Case, flag: str) -> Told:
    main = case.main()
    if main is not None and flag in main.decision.flags:
        named, told = main.subject.line.subscription_id, _flag(main, flag)
        return Told(f"Its main card {named}: {told.text}", f"主卡 {named}：{told.text_zh}")
    say = FLAGS.get(flag)
    if say is not None:
        return say(case)
    setting = (one for one in case.rules.rules if one.flag == flag)
    rule = ruled(next(setting, case.decision.rule))
    return Told(
        f"Flag {flag}: rule {rule.text} sets it; whoever wrote the rule says what it asks for.",
        f"标记 {flag}：由规则 {rule.text_zh}设置，请按该规则的要求处理。",
    )


def _conflict(case: Case) -> Told:
    line = _addressed(case)
    other = line.by_resource_address
    assert other is not None  # noqa: S101 - it differs from the standard one
    place = case.names.place(other.centre_id, other.field_id)
    return Told(
        f"Its resource address {masked_address(line.line.resource_address or '')} leads to {place.text} instead; the"
        " standard address wins. Check which is right and have the wrong one mended; open months"
        " are then set right by a ruling.",
        f"其资源地址 {masked_address(line.line.resource_address or '')} 却指向 {place.text_zh}，以标准地址为准。"
        "请核实哪个正确并更正另一个；未关账月份凭裁定改正。",
    )


def _addressed(case: Case) -> LineEvidence:
    """Return the line whose addresses decided: this one, or its bundle's anchor."""
    bundles = {
        OwnerSource.BUNDLE_ANCHOR: case.evidence.bundle,
        OwnerSource.LEFT_BUNDLE_ANCHOR: case.evidence.left_bundle,
    }
    bundle = bundles.get(case.decision.source)
    return case.subject if bundle is None else anchor_of(bundle)


def _no_address(case: Case) -> Told:
    line = case.subject.line
    held = (line.standard_address, line.resource_address)
    named = [masked_address(one) for one in held if one is not None]
    if not named:
        return Told(
            "It is a fixed line without an address on record. Have its standard address recorded;"
            " it then finds its field.",
            "它是固网用户，却没有登记地址。请补录标准地址，补录后即可判归责任田。",
        )
    return Told(
        f"It is a fixed line, but no field covers {' or '.join(named)}. Have the address mended if"
        " it is wrong; if it is right, the map of fields has a gap there.",
        f"它是固网用户，但没有责任田覆盖 {' 或 '.join(named)}。地址有误请更正；地址无误，则责任田在此处有空白。",
    )


def _nobody_sold(_: Case) -> Told:
    return Told(
        "Nobody is on record as account manager or developer of this circuit. Find out who sold"
        " it, and have a ruling say whose it is.",
        "该专线没有登记客户经理或发展人。请查明由谁签约，并以裁定明确归属。",
    )


def _main_missing(case: Case) -> Told:
    named = case.subject.line.main_subscription_id
    return Told(
        f"It names {named} as its main card, which is not known here. Check the number; when the"
        " main card is opened, this one is decided again by itself.",
        f"它登记的主卡 {named} 在此查无记录。请核对号码；主卡入网后，本用户会自动重新判定。",
    )


def _main_in_circle(case: Case) -> Told:
    named = case.subject.line.main_subscription_id
    return Told(
        f"It and {named} lead to each other as main cards, or over more than {MAIN_CARDS_FOLLOWED} cards to"
        " none. Find out which is the main card, and have a ruling say whose they are.",
        f"它与 {named} 互为主卡，或逐级相连超过 {MAIN_CARDS_FOLLOWED} 张仍无主卡。请查明哪张是主卡，并以裁定明确归属。",
    )


def _online(_: Case) -> Told:
    return Told(
        "It was sold online (2I2C), where no centre sells. A centre that served it may ask for a"
        " ruling.",
        "它由线上（2I2C）售出，不由任何中心发展。如有中心实际服务，可申请裁定。",
    )


FLAGS: dict[str, Callable[[Case], Told]] = {
    Flag.ADDR_CONFLICT: _conflict,
    Flag.NO_ADDRESS: _no_address,
    Flag.CIRCUIT_NO_DEVELOPER: _nobody_sold,
    Flag.MAIN_MISSING: _main_missing,
    Flag.MAIN_IN_CIRCLE: _main_in_circle,
    "ONLINE_2I2C": _online,
}
"""What is said of each flag; the last one is set by the default rules."""
