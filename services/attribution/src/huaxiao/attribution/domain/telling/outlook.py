"""What came before a decision, how long it holds, and what could change it."""

from collections.abc import Iterator
from datetime import datetime

from huaxiao.attribution.domain import words
from huaxiao.attribution.domain.telling.case import Case, Contest
from huaxiao.attribution.domain.words import Told
from huaxiao.shared.periods import Period, business_day, period_of_day, shift
from huaxiao.shared.wire.attribution import OwnerSource


def outlook(case: Case) -> Iterator[Told]:
    """Say whose it was before, until when this holds, and whose it will be by what is known."""
    yield from _before(case)
    if case.evidence.closed_on is None:
        yield from _ends(case)
        yield CHANGED_BY[case.decision.source]
    else:
        yield _BY_RULING_ONLY
    if case.dispute is None or not case.dispute.frozen:
        yield _contest(case)


def _before(case: Case) -> Iterator[Told]:
    """Say whose it was before, unless it lay in the pool."""
    opened = period_of_day(case.subject.line.opened_on)
    now = case.timeline.at(case.period).place
    for begins, _ in reversed(case.timeline.stretches):
        last = shift(begins, -1)
        before = case.timeline.at(last)
        if begins > case.period or before.place == now:
            continue
        if last >= opened and before.centre_id != case.evidence.default_centre_id:
            place, until = case.names.place(*before.place), words.month(last)
            yield Told(
                f"Until {until.text} it belonged to {place.text}, by rule {before.unit_rule}.",
                f"此前（至{until.text_zh}）它归 {place.text_zh}，依据规则 {before.unit_rule}。",
            )
        return


def _ends(case: Case) -> Iterator[Told]:
    """Say until when it stays so, and whose it is then."""
    now = case.timeline.at(case.period).place
    later = (one for one in case.timeline.stretches if one.from_period > case.period)
    begins, owner = next((one for one in later if one.owner.place != now), (None, None))
    field_id = case.decision.field_id
    term = case.names.fields.get(field_id or "")
    if field_id is not None and term is not None:
        named, until = case.names.field(field_id), words.month(term.term_to)
        ends = Told(
            f"The term of {named.text} ends with {until.text}",
            f"{named.text_zh}的承包期至{until.text_zh}止",
        )
        if owner is not None and begins == shift(Period(term.term_to), 1):
            place = case.names.place(*owner.place)
            yield Told(
                f"{ends.text}; unless a field is sealed for the time after, it then belongs to"
                f" {place.text}.",
                f"{ends.text_zh}；届时若无新的责任田接续，则归 {place.text_zh}。",
            )
            return
        yield Told(f"{ends.text}.", f"{ends.text_zh}。")
    if owner is not None and begins is not None:
        place, since = case.names.place(*owner.place), words.month(begins)
        yield Told(
            f"By what is known now, from {since.text} on it belongs to {place.text}, by rule"
            f" {owner.unit_rule}.",
            f"就目前所知，自{since.text_zh}起它归 {place.text_zh}，依据规则 {owner.unit_rule}。",
        )


_BY_MOVE = Told(
    "What would change it: a move of the fixed line, from the month after.",
    "可能改变归属的情形：固网移机，自次月起。",
)
_BY_BUNDLE = Told(
    "What would change it: a move of the fixed line, or another bundle, from the month after.",
    "可能改变归属的情形：固网移机或更换套餐，自次月起。",
)
_BY_LIST = Told(
    "What would change it: a transfer to another customer, or an amendment of the contract.",
    "可能改变归属的情形：过户给其他客户，或合同变更。",
)
_BY_BUNDLING = Told(
    "People who change centre later leave it behind; a bundle with a fixed line would change the"
    " owner, from the month after.",
    "此后人员调动不改变归属；如与固网融合，自次月起随固网。",
)
_BY_RULING_ONLY = Told(
    "What would change it: a ruling.",
    "可能改变归属的情形：裁定。",
)
_BY_EVIDENCE = Told(
    "What would change it: better evidence, or a ruling; months that are open are then decided"
    " again.",
    "可能改变归属的情形：补充证据，或裁定；未关账月份随即重新判定。",
)
CHANGED_BY: dict[OwnerSource, Told] = {
    OwnerSource.RULING: Told(
        "What would change it: a later ruling.", "可能改变归属的情形：之后的裁定。"
    ),
    OwnerSource.LEAD_CENTRE: _BY_RULING_ONLY,
    OwnerSource.LIST_FIELD: _BY_LIST,
    OwnerSource.CAMPUS_FIELD: _BY_RULING_ONLY,
    OwnerSource.BUNDLE_ANCHOR: _BY_BUNDLE,
    OwnerSource.LEFT_BUNDLE_ANCHOR: _BY_BUNDLE,
    OwnerSource.MAIN_CARD: Told(
        "What would change it: whatever changes the main card.",
        "可能改变归属的情形：主卡归属改变。",
    ),
    OwnerSource.STANDARD_ADDRESS: _BY_MOVE,
    OwnerSource.RESOURCE_ADDRESS: _BY_MOVE,
    OwnerSource.CHANNEL_FIELD: _BY_BUNDLING,
    OwnerSource.CHANNEL_CENTRE: _BY_BUNDLING,
    OwnerSource.DEVELOPER_CENTRE: _BY_BUNDLING,
    OwnerSource.ENTERPRISE_DEVELOPER: _BY_RULING_ONLY,
    OwnerSource.ENTERPRISE_ACCOUNT_MANAGER: _BY_RULING_ONLY,
    OwnerSource.BASELINE: _BY_EVIDENCE,
    OwnerSource.DEFAULT_CENTRE: _BY_EVIDENCE,
}


def _contest(case: Case) -> Told:
    month, contest = words.month(case.period), case.contest
    if contest.decided_by is not None:
        return _appeal(contest.decided_by, contest)
    if contest.until is None:
        return Told(
            f"A centre that disagrees raises a dispute, while {month.text} is open or within"
            f" {contest.days} days after the day of its closing.",
            f"有异议的中心可在{month.text_zh}关账前，或关账后 {contest.days} 日内，提出争议。",
        )
    last = words.day(business_day(contest.until - datetime.resolution))
    if contest.over:
        return Told(
            f"{month.text} is closed, and the time to contest it ended with {last.text}; county"
            " finance may still propose a ruling that restates it in the first open month.",
            f"{month.text_zh}已关账，争议期限已于{last.text_zh}届满；县财务仍可提出更正裁定，记入首个未关账的月份。",
        )
    return Told(
        f"{month.text} is closed and its books stay as they are; a centre that disagrees raises a"
        f" dispute by {last.text}, and what is decided is booked in the first open month.",
        f"{month.text_zh}已关账，账目不再改变；有异议的中心可在{last.text_zh}前（含当日）提出争议，"
        "裁决结果记入首个未关账的月份。",
    )


def _appeal(decided_by: str, contest: Contest) -> Told:
    """Say what parties of a decision do that disagree, and what a centre does that was not heard."""
    appeal = Told(
        f"Dispute {decided_by} has decided this; a party that disagrees appeals there, while its time"
        " runs.",
        f"争议 {decided_by} 已对此裁决；不服的当事中心可在期限内就该争议申诉。",
    )
    if contest.over:
        return appeal
    by = Told("", "")
    if contest.until is not None:
        last = words.day(business_day(contest.until - datetime.resolution))
        by = Told(f", by {last.text}", f"，至{last.text_zh}止（含当日）")
    return Told(
        f"{appeal.text} A centre that was no party to it may raise a dispute of its own, once, when that"
        f" time is over{by.text}.",
        f"{appeal.text_zh}未参与该争议的中心可在申诉期满后另行提出争议{by.text_zh}，限一次。",
    )
