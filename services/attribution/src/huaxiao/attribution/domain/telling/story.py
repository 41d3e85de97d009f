"""The story of a decision: its sentences, in the order in which people ask."""

from collections.abc import Iterator

from huaxiao.attribution.domain import words
from huaxiao.attribution.domain.histories import evidence_ends
from huaxiao.attribution.domain.rules import Decision
from huaxiao.attribution.domain.telling.case import Case, joined, ruled
from huaxiao.attribution.domain.telling.flags import flagged
from huaxiao.attribution.domain.telling.outlook import outlook
from huaxiao.attribution.domain.telling.reasons import because
from huaxiao.attribution.domain.words import Told
from huaxiao.shared.money import yuan
from huaxiao.shared.periods import first_day, period_of_day
from huaxiao.shared.wire.attribution import OwnerSource


def tell(case: Case) -> list[Told]:
    """Tell a decision: whose, why, what else was asked, who helped, what to do, what may change."""
    return [
        headline(case),
        *_not_there(case),
        *_closed_as(case),
        *_disputed(case),
        *_doubts(case),
        because(case),
        *_ruling_reason(case),
        *_as_of(case),
        *_ended(case),
        *_passed(case.decision),
        *_others(case),
        *flagged(case),
        _money(case),
        *outlook(case),
    ]


def headline(case: Case) -> Told:
    """Say whose the revenue is, by the books."""
    line, month = case.subject.line, words.month(case.period)
    product = words.product(line.product)
    place = case.names.place(*case.timeline.at(case.period).place)
    return Told(
        f"In {month.text} the revenue of {product.text} {line.subscription_id} belongs to"
        f" {place.text}.",
        f"{month.text_zh}，{product.text_zh} {line.subscription_id} 的收入归 {place.text_zh}。",
    )


def _not_there(case: Case) -> Iterator[Told]:
    """Say that the line was opened in a later month."""
    opened = period_of_day(case.subject.line.opened_on)
    if case.period < opened:
        month = words.month(opened)
        yield Told(
            f"It was opened in {month.text} only: for earlier months it counts as it was on its first"
            " day.",
            f"该用户{month.text_zh}才入网，此前的月份按其入网当日的情况计。",
        )


def _ended(case: Case) -> Iterator[Told]:
    """Say that the line was closed, and that nothing moves what is left of it."""
    if case.evidence.closed_on is not None:
        day = words.day(case.evidence.closed_on)
        yield Told(
            f"It was closed on {day.text}: what is still billed, paid or given up of it stays with"
            " whoever had it last.",
            f"该用户已于{day.text_zh}拆机：此后的欠费、缴费和核销仍归最后的归属方。",
        )


def _closed_as(case: Case) -> Iterator[Told]:
    if case.closed_as is not None:
        month, place = words.month(case.period), case.names.place(*case.closed_as)
        yield Told(
            f"When {month.text} was closed it belonged to {place.text}; that has been corrected since,"
            " by entries in a month that was open.",
            f"{month.text_zh}关账时它归 {place.text_zh}，其后已作更正，更正记在当时未关账的月份。",
        )


def _disputed(case: Case) -> Iterator[Told]:
    """Say that the line is under dispute, what the claim is, and whether it is frozen."""
    if case.dispute is None:
        return
    claimant = case.names.centre(case.dispute.claimant_centre_id)
    place = case.names.place(case.dispute.centre_id, case.dispute.field_id)
    meanwhile = _FROZEN if case.dispute.frozen else _GOES_ON
    yield Told(
        f"It is under dispute {case.dispute.dispute_id}: {claimant.text} holds that it belongs to"
        f" {place.text}. {meanwhile.text}",
        f"该用户处于争议 {case.dispute.dispute_id} 中：{claimant.text_zh}主张其归 {place.text_zh}。"
        f"{meanwhile.text_zh}",
    )


_FROZEN = Told(
    "Until the dispute ends it stays where it is, and what is heard of it late moves nothing.",
    "争议结束前归属不变，其间迟到的信息不移动账目。",
)
_GOES_ON = Told(
    "Its owner has raised that itself, so what is heard of it late moves it nevertheless.",
    "该争议由现归属中心自行提出，其间迟到的信息照常移动账目。",
)


def _ruling_reason(case: Case) -> Iterator[Told]:
    if case.ruling_reason is not None:
        reason = " ".join(case.ruling_reason.split())
        yield Told(f"The ruling gives this reason: “{reason}”.", f"裁定理由：“{reason}”。")


def _doubts(case: Case) -> Iterator[Told]:
    if case.reproduced:
        return
    place = case.names.place(case.decision.centre_id, case.decision.field_id)
    yield Told(
        f"Caution: run again just now on the evidence that was kept, the rules come to {place.text},"
        f" by rule {case.decision.unit_rule}. The books stand as they are; have this looked into.",
        f"注意：用留存的证据重新运行规则，结果为 {place.text_zh}，依据规则 {case.decision.unit_rule}。账目保持不变，请核查原因。",
    )


def _as_of(case: Case) -> Iterator[Told]:
    """Say of which moment the evidence is, where it may have moved on within the month."""
    if case.decision.source not in _MOVING:
        return
    opened_on, closed_on = case.subject.line.opened_on, case.evidence.closed_on
    seen_in = case.period if closed_on is None else period_of_day(closed_on)
    if evidence_ends(opened_on, seen_in) == first_day(seen_in):
        month = words.month(seen_in)
        yield Told(
            f"That was so when {month.text} began; a move or a change of bundle counts from the"
            " month after it.",
            f"以上为{month.text_zh}1日零时的状态；移机、套餐变更自次月起计。",
        )
        return
    yield Told(
        "That was so on the day it was opened; a move or a change of bundle counts from the month"
        " after it.",
        "以上为入网当日的状态；移机、套餐变更自次月起计。",
    )


_MOVING = {
    OwnerSource.BUNDLE_ANCHOR,
    OwnerSource.LEFT_BUNDLE_ANCHOR,
    OwnerSource.MAIN_CARD,
    OwnerSource.STANDARD_ADDRESS,
    OwnerSource.RESOURCE_ADDRESS,
}


def _passed(decision: Decision) -> Iterator[Told]:
    """Say of each rule before that came close why it passed, and of the rest together."""
    rest = [one for one in decision.rejected if not one.why.close]
    for one in decision.rejected:
        if one.why.close:
            rule = ruled(one.rule)
            yield Told(
                f"Rule {rule.text} comes before it, but {one.why.text}.",
                f"规则 {rule.text_zh}在前，但{one.why.text_zh}。",
            )
    if rest:
        whys, other = joined(tuple(one.why for one in rest)), len(rest) < len(decision.rejected)
        yield Told(
            f"The {'other ' if other else ''}rules before it do not apply: {whys.text}.",
            f"排在前面的{'其余' if other else ''}规则均不适用：{whys.text_zh}。",
        )


def _others(case: Case) -> Iterator[Told]:
    """Say who else has to do with it: where it lands, who developed it, who is credited."""
    decision, names = case.decision, case.names
    landing, development = decision.landing_centre_id, decision.development_centre_id
    rule = decision.rule.code
    if landing is not None and landing != decision.centre_id:
        centre = names.centre(landing)
        yield Told(
            f"Its address lies with {centre.text}; that is on record, but by rule {rule} the address"
            " does not decide here.",
            f"它的地址在 {centre.text_zh}的范围内；此项留有记录，但按规则 {rule}，不由地址判定。",
        )
    if development is not None and development != decision.centre_id:
        centre, by = names.centre(development), _developed_through(case)
        yield Told(
            f"It was developed by {centre.text} through {by.text}; that is on record, but by rule"
            f" {rule} who developed it does not decide here.",
            f"它由 {centre.text_zh}经{by.text_zh}发展；此项留有记录，但按规则 {rule}，不由发展方判定。",
        )
    for one in decision.shadows_in(case.period):
        centre, last = names.centre(one.centre_id), words.month(one.through)
        yield Told(
            f"{centre.text} has a shadow credit to {last.text}, because {one.why.text}: a memo in no"
            " sum, which takes nothing from the owner.",
            f"{centre.text_zh}得影子积分（{one.why.text_zh}），至{last.text_zh}止：仅作备忘，不计入任何合计，"
            "也不减少归属方收入。",
        )


def _developed_through(case: Case) -> Told:
    line = case.subject.line
    if case.subject.developer is not None:
        return Told(f"developer {line.developer_id}", f"发展人 {line.developer_id} ")
    channel = case.names.channel(line.channel_id or "")
    return Told(f"channel {channel.text}", f"渠道 {channel.text_zh}")


def _money(case: Case) -> Told:
    month, amount = words.month(case.period), yuan(case.revenue_fen)
    if not case.revenue_fen:
        return Told(
            f"No net revenue of {month.text} is booked to it.",
            f"没有{month.text_zh}的净收入入账。",
        )
    return Told(
        f"{amount} yuan are at stake: its net revenue of {month.text}, without VAT, whenever it was"
        " booked.",
        f"涉及金额 {amount} 元：{month.text_zh}的净收入，不含税，不论何时入账。",
    )
