"""Reading one event: what it says, or the stable code of what is wrong with it.

A refusal has a stable code that systems branch on, and a sentence in two languages.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from huaxiao.attribution.domain.books import OWN_SOURCE
from huaxiao.attribution.domain.messages import Message, Refusal
from huaxiao.attribution.intake.repeated import RepeatedError, repeated_in, require_once
from huaxiao.attribution.intake.wording import in_chinese
from huaxiao.shared.by_turns import by_turns
from huaxiao.shared.identifiers import BRANCH_MAX, BRANCH_MIN
from huaxiao.shared.leads import WHOLE
from huaxiao.shared.periods import (
    FIRST_PERIOD,
    LAST_PERIOD,
    Period,
    first_day,
    period_of,
    shift,
    starts_at,
)
from huaxiao.shared.values import Value, changed
from huaxiao.shared.wire import events
from huaxiao.shared.wire.dispatch import CustomerClass, OrderKind

CLOCK_TOLERANCE = timedelta(days=1)
"""How far in the future a sender's clock may be before its event is refused."""
PERIODS_AHEAD = 1
"""How many periods ahead of the present one a bill may lie."""


class Name(Value, frozen=True):
    """What could be read of an event that could not be read whole."""

    source: str | None = None
    event_id: str | None = None
    type: str | None = None
    branch_id: int | None = None
    sequence: int | None = None
    """The sender's running number (CloudEvents ``sequence``), where it gives one in digits."""

    @property
    def key(self) -> tuple[str, str] | None:
        """The event's identity, when all of it could be read."""
        if self.source is None or self.event_id is None:
            return None
        return self.source, self.event_id


class Reading(Value, frozen=True):
    """An event as it came, and what it says: a message, or why it is refused."""

    raw: bytes
    digest: bytes
    """SHA-256 of the bytes as they came."""
    name: Name
    says: Message | Refusal


_ATTRIBUTES = {"id": "event_id", "branchid": "branch_id"}
"""Members of a name that are called otherwise in the envelope."""
_NAMED = frozenset(Name.__struct_fields__)
_WORK = frozenset(OrderKind)
_CUSTOMERS = frozenset(CustomerClass)
_MONTHS = 12
_SEQUENCE_DIGITS = 18
_FIRST_DAY, _LAST_DAY = date(1950, 1, 1), first_day(LAST_PERIOD) - timedelta(days=1)
"""What happens in a month counts from the next one on, and there must be a next one."""
_FIRST_MOMENT = starts_at(FIRST_PERIOD)
_AMOUNTS = re.compile(r"`\$\.(amount_fen|tax_fen|remitted_fen)`")
_BOUNDS = re.compile(r"`int` [<>]=? ")
_CURRENCY = re.compile(r"`\$\.currency`")
_PERIODS = re.compile(r"`\$\.period`")
_envelopes = msgspec.json.Decoder(events.Envelope)
_data = {kind: msgspec.json.Decoder(form) for kind, form in events.DATA_TYPES.items()}


class _LooseName(msgspec.Struct, frozen=True):
    """As much of an envelope as tells a sender which of its events is meant."""

    id: object = None
    source: object = None
    type: object = None
    branchid: object = None
    sequence: object = None


_loose = msgspec.json.Decoder(_LooseName)


SUITE_SOURCE = "urn:huaxiao:contracts"
"""The sender of what the register of leads says; the identifier of each event is its lead's."""


class Limits(NamedTuple):
    """How late an event may lie, by the moment it is read."""

    latest: datetime
    ordinary: range
    """Days, by number, that lie within in whatever zone they are told."""
    last_period: Period
    posted: bool = False


def read(raw: bytes, *, now: datetime, posted: bool = False) -> Reading:
    """Read one event; ``posted`` as ``read_all`` has it."""
    return _read(raw, _limits(now, posted=posted))


def _reserved(source: str) -> Refusal:
    return Refusal(
        "reserved-source",
        f"{source} names the suite itself; send under a name of your own.",
        f"{source} 专指本系统，请使用自己的来源名称。",
    )


def read_all(raws: Iterable[bytes], *, now: datetime, posted: bool = False) -> list[Reading]:
    """Read events that came together; one that was ``posted`` has no name of the suite's own."""
    within = _limits(now, posted=posted)
    return [_read(raw, within) for raw in raws]


async def read_by_turns(
    raws: Sequence[bytes], *, now: datetime, posted: bool = False
) -> list[Reading]:
    """Read events that came together, as ``read_all`` does, and let others run in between."""
    within = _limits(now, posted=posted)
    return [_read(raw, within) async for some in by_turns(raws) for raw in some]


def _limits(now: datetime, *, posted: bool) -> Limits:
    latest = now + CLOCK_TOLERANCE
    ordinary = range(_FIRST_MOMENT.toordinal() + 2, latest.toordinal() - 1)
    return Limits(latest, ordinary, shift(period_of(now), PERIODS_AHEAD), posted)


def _read(raw: bytes, within: Limits) -> Reading:
    name, says = _understand(raw, within)
    if isinstance(says, Refusal):
        name = _once(raw, name)
    return Reading(raw, hashlib.sha256(raw).digest(), name, says)


def cut_off(beginning: bytes) -> Reading:
    """Refuse an event too long to be taken whole; only its beginning is kept."""
    too_long = Refusal(
        "line-too-long",
        "The line is too long; its beginning is kept.",
        "该行过长，仅保留开头部分。",
    )
    return Reading(beginning, hashlib.sha256(beginning).digest(), Name(), too_long)


def _understand(raw: bytes, within: Limits) -> tuple[Name, Message | Refusal]:
    # One byte is found many times as fast as several; events seldom hold it.
    if b"\\" in raw and b"\\u0000" in raw:
        nul = Refusal("malformed-event", "The event holds a NUL character.", "事件含有空字符。")
        return _name_of(raw), nul
    try:
        envelope = _envelopes.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return _name_of(raw), _malformed(error)
    if envelope.source == OWN_SOURCE or (envelope.source == SUITE_SOURCE and within.posted):
        # Held under no name, so that it takes no identifier from an event of the suite's own.
        return Name(), _reserved(envelope.source)
    placed = BRANCH_MIN <= envelope.branchid <= BRANCH_MAX
    name = Name(
        envelope.source,
        envelope.id,
        envelope.type,
        envelope.branchid if placed else None,
        None if envelope.sequence is None else _running_number(envelope.sequence),
    )
    if refusal := _examine_envelope(envelope, name, within):
        return name, refusal
    try:
        data = _data[envelope.type].decode(envelope.data)
        require_once(raw, envelope, data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return name, _malformed(error)
    message = Message(envelope.source, envelope.id, envelope.type, envelope.time, data)
    return name, _examine(data, within) or message


def _once(raw: bytes, name: Name) -> Name:
    """Take out of a name what the event says twice: nobody knows which of them is meant."""
    members = {_ATTRIBUTES.get(one, one) for one in repeated_in(raw).attributes}
    return changed(name, **dict.fromkeys(members & _NAMED)) if members else name


def _running_number(given: str) -> int | None:
    if len(given) > _SEQUENCE_DIGITS or not given.isascii():
        return None
    return int(given) if given.isdecimal() else None


def _examine_envelope(envelope: events.Envelope, name: Name, within: Limits) -> Refusal | None:
    if envelope.type not in _data:
        return Refusal(
            "unknown-type",
            f"No event of type {envelope.type} is known.",
            f"未知的事件类型 {envelope.type}。",
        )
    if name.branch_id is None:
        return Refusal(
            "unknown-branch", "branchid is no county code.", "branchid 不是县级行政区划代码。"
        )
    if envelope.time.toordinal() in within.ordinary:
        return None
    if envelope.time < _FIRST_MOMENT:
        return Refusal(
            "clock-off", "The event lies before the year 2000.", "事件时间早于 2000 年。"
        )
    if envelope.time > within.latest:
        return Refusal(
            "clock-off", "The event lies in the future.", "事件时间在未来，请核对发送方时钟。"
        )
    return None


def _malformed(error: Exception) -> Refusal:
    text = str(error)
    text_zh = in_chinese(text)
    if isinstance(error, RepeatedError):
        return Refusal(
            "repeated-member",
            f"An object names {error.name} twice; systems differ in which of the two counts.",
            f"同一对象中 {error.name} 重复出现，不同系统取值可能不同。",
        )
    if _AMOUNTS.search(text) and _BOUNDS.search(text):
        return Refusal(
            "bad-amount", f"An amount is out of range: {text}", f"金额超出允许范围：{text_zh}"
        )
    if _CURRENCY.search(text):
        return Refusal(
            "unknown-currency",
            f"Amounts are yuan, CNY: {text}",
            f"金额只能是人民币（CNY）：{text_zh}",
        )
    if _AMOUNTS.search(text):
        return Refusal(
            "bad-amount",
            f"An amount is whole fen: {text}",
            f"金额必须是以分为单位的整数：{text_zh}",
        )
    if _PERIODS.search(text):
        return Refusal(
            "bad-period", f"A period is a month, YYYYMM: {text}", f"账期必须是 YYYYMM：{text_zh}"
        )
    return Refusal("malformed-event", text, f"事件格式不符合要求：{text_zh}")


def _examine_period(period: int, within: Limits) -> Refusal | None:
    if period > within.last_period:
        return Refusal("bad-period", f"{period} lies in the future.", f"账期 {period} 在未来。")
    if not 1 <= period % 100 <= _MONTHS:
        return Refusal("bad-period", f"{period} is no month.", f"{period} 不是有效账期。")
    return None


def _examine_bill(bill: events.BillItemIssued, within: Limits) -> Refusal | None:
    return _examine_period(bill.period, within)


def _examine_baseline(stated: events.BaselineStated, within: Limits) -> Refusal | None:
    return _examine_period(stated.period, within)


def _examine_lead(lead: events.LeadConverted, _: Limits) -> Refusal | None:
    if (lead.subscription_id is None) == (lead.subscription_ids is None):
        return Refusal(
            "malformed-event",
            "A lead names subscription_id or subscription_ids.",
            "商机须填写 subscription_id 或 subscription_ids 之一。",
        )
    if len(set(lead.subscription_ids or ())) != len(lead.subscription_ids or ()):
        return Refusal("malformed-event", "A subscription is named twice.", "用户重复。")
    people = lead.people or []
    if len({one.person_id for one in people}) != len(people):
        return Refusal("malformed-event", "A person is named twice.", "人员重复。")
    if people and sum(one.share_basis_points for one in people) != WHOLE:
        return Refusal(
            "malformed-event",
            f"The people's shares add up to {WHOLE} basis points.",
            f"人员份额合计须为 {WHOLE} 基点。",
        )
    return None


def _examine_cost(cost: events.Cost, within: Limits) -> Refusal | None:
    named = (cost.subscription_id, cost.channel_id, cost.field_id, cost.centre_id)
    if sum(one is not None for one in named) > 1:
        return Refusal(
            "malformed-event",
            "A cost belongs to one of subscription, channel, field or centre.",
            "成本只能归属用户、渠道、责任田、中心之一。",
        )
    return _examine_period(cost.period, within)


def _examine_opening(opened: events.SubscriptionOpened, _: Limits) -> Refusal | None:
    if opened.product in events.PRODUCTS:
        return None
    return Refusal(
        "unknown-product",
        f"No product {opened.product} is known.",
        f"未知的产品类型 {opened.product}。",
    )


def _examine_adjustment(made: events.AdjustmentMade, _: Limits) -> Refusal | None:
    if made.amount_fen:
        return None
    return Refusal("bad-amount", "An adjustment of nothing.", "调整金额不能为零。")


def _examine_work(work: events.WorkRequested, _: Limits) -> Refusal | None:
    moment = work.requested_at
    if not _FIRST_DAY <= moment.date() <= _LAST_DAY:
        return Refusal(
            "bad-date", f"requested_at {moment} is out of range.", f"时间 {moment} 超出范围。"
        )
    if work.kind in _WORK and work.customer_class in _CUSTOMERS:
        return None
    return Refusal(
        "malformed-event",
        f"No work {work.kind} for {work.customer_class} is known.",
        f"未知的工单类型 {work.kind}/{work.customer_class}。",
    )


def _examine_bundle(bundle: events.BundleMembers, _: Limits) -> Refusal | None:
    if len(set(bundle.subscription_ids)) == len(bundle.subscription_ids):
        return None
    return Refusal("malformed-event", "A member is named twice.", "套餐成员重复。")


_EXAMINED_BY: dict[type[events.EventData], Callable[[Any, Limits], Refusal | None]] = {
    events.BillItemIssued: _examine_bill,
    events.BaselineStated: _examine_baseline,
    events.Cost: _examine_cost,
    events.LeadConverted: _examine_lead,
    events.SubscriptionOpened: _examine_opening,
    events.AdjustmentMade: _examine_adjustment,
    events.WorkRequested: _examine_work,
    events.BundleMembers: _examine_bundle,
}


_DAYS = {
    form: tuple(
        one for one in form.__struct_fields__ if one in {"effective_on", "opened_on", "approved_on"}
    )
    for form in events.DATA_TYPES.values()
}
"""Which days each form of data names."""


def _examine_days(data: events.EventData) -> Refusal | None:
    """Refuse days that no county's books reach to."""
    for attribute in _DAYS[type(data)]:
        day: date = getattr(data, attribute)
        if not _FIRST_DAY <= day <= _LAST_DAY:
            return Refusal(
                "bad-date", f"{attribute} {day} is out of range.", f"日期 {day} 超出范围。"
            )
    return None


def _examine(data: events.EventData, within: Limits) -> Refusal | None:
    """Check what the form alone cannot say."""
    if refusal := _examine_days(data):
        return refusal
    examine = _EXAMINED_BY.get(type(data))
    return None if examine is None else examine(data, within)


def _name_of(raw: bytes) -> Name:
    """Read what identity there is, however broken the rest."""
    try:
        loose = _loose.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return Name()

    def text(value: object) -> str | None:
        return value.replace("\x00", "�")[:128] if isinstance(value, str) else None

    branch_id = loose.branchid if type(loose.branchid) is int else None
    known = branch_id is not None and BRANCH_MIN <= branch_id <= BRANCH_MAX
    return Name(
        text(loose.source),
        text(loose.id),
        text(loose.type),
        branch_id if known else None,
        _running_number(text(loose.sequence) or ""),
    )
