"""What a ruling (rule 010) may say: nothing beyond a field's term, nothing off a locked list (R21)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from huaxiao.attribution.domain.evidence import Register, gather, turns
from huaxiao.attribution.domain.organisation import Organisation, SealedField
from huaxiao.shared.periods import LAST_PERIOD, Period
from huaxiao.shared.problems import Fault
from huaxiao.shared.wire.attribution import RulingIn


def faults(given: RulingIn, register: Register, organisation: Organisation) -> Iterator[Fault]:
    """Find what keeps a ruling from standing: what it names is there, and its term runs on."""
    named = given.subscription_ids
    for index, subscription_id in enumerate(named):
        if subscription_id not in register.opened:
            pointer = f"/subscription_ids/{index}"
            yield Fault(pointer, "unknown", "no such subscription", "无此用户")
        elif subscription_id in named[:index]:
            pointer = f"/subscription_ids/{index}"
            yield Fault(pointer, "twice", "it is named twice", "用户重复")
    if given.centre_id not in organisation.centres:
        yield Fault("/centre_id", "unknown", "no such centre", "无此中心")
    if given.to_period is not None and given.to_period < given.from_period:
        yield Fault("/to_period", "order", "it ends before it begins", "止期早于起期")
    if given.field_id is not None:
        yield from _field_faults(given, organisation.field(given.field_id))


def _field_faults(given: RulingIn, field: SealedField | None) -> Iterator[Fault]:
    if field is None or field.centre_id != given.centre_id:
        yield Fault("/field_id", "unknown", "no sealed field of that centre", "该中心无此责任田")
        return
    if given.from_period < field.term_from:
        yield Fault(
            "/from_period",
            "before-term",
            f"the field's term begins in {field.term_from}",
            f"该责任田的承包期自 {field.term_from} 起",
        )
    if given.to_period is None or given.to_period > field.term_to:
        yield Fault(
            "/to_period",
            "beyond-term",
            f"the field's term ends in {field.term_to}: end the ruling by then",
            f"该责任田的承包期至 {field.term_to} 止，裁定不得超出",
        )


@dataclass(frozen=True, slots=True)
class Supplement:
    """A supplement (补充协议) that both sides have signed: the amendment by which a line leaves a list."""

    contract_id: str
    number: int
    effective_from: int
    field_ids: frozenset[str]
    """The fields of its contract, their lists among them."""


class TakenOff(NamedTuple):
    """A line that a ruling takes off a locked list."""

    subscription_id: str
    period: Period
    """The first month in which it does."""
    field_id: str | None
    """The list's field."""


def taken_off_lists(
    given: RulingIn, register: Register, organisation: Organisation
) -> list[TakenOff]:
    """Return the subscriptions that a ruling takes off locked lists, in any month of its term.

    Whose customer a line was and which lists were locked may differ from month to month; a ruling
    that leaves the line where the list has it takes nothing. A line may leave several lists.
    """
    return [
        found
        for one in given.subscription_ids
        for found in _off_lists(one, given, register, organisation)
    ]


def _off_lists(
    subscription_id: str, given: RulingIn, register: Register, organisation: Organisation
) -> list[TakenOff]:
    first, last = Period(given.from_period), given.to_period or LAST_PERIOD
    turned = turns(subscription_id, register, organisation)
    found: dict[str | None, TakenOff] = {}
    for period in (first, *sorted(one for one in turned if first < one <= last)):
        listed = gather(subscription_id, period, register, organisation).subject.listed
        if listed is not None and listed.lost_to(given.centre_id, given.field_id):
            field_id = listed.placement.field_id
            found.setdefault(field_id, TakenOff(subscription_id, period, field_id))
    return list(found.values())


def amendment_faults(amendment: Supplement, taken: Iterable[TakenOff]) -> Iterator[Fault]:
    """Find why a supplement does not let a ruling take lines off their lists.

    It is of the contract that loses them, and in force by then: nobody gives away another's customer,
    and a list is not changed backwards (R21).
    """
    for one in taken:
        line, field_id, period = one.subscription_id, one.field_id, one.period
        if field_id not in amendment.field_ids:
            yield Fault(
                "/amendment_id",
                "another-contract",
                f"{line} is on the list of field {field_id}, which is not of this contract",
                f"用户 {line} 在责任田 {field_id} 的清单中，该责任田不属于此合同",
            )
        elif period < amendment.effective_from:
            yield Fault(
                "/amendment_id",
                "not-in-force",
                f"it is in force from {amendment.effective_from} on, and {line} is taken from {period}",
                f"该补充协议自 {amendment.effective_from} 起生效，而用户 {line} 自 {period} 起被调出",
            )
