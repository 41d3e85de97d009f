"""Centres and channels through time: opened, renamed, moved, closed, each from a day on (R10, R11)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from huaxiao.contracts.domain.locks import Sealed, Subject
from huaxiao.shared.problems import Conflict, Fault, Problem
from huaxiao.shared.wire.contracts import CentreKind, ChannelKind


class CentreNotOpen(Problem):
    """A centre takes nobody and nothing before it opens, nor once its closing is known."""

    code = "centre-not-open"
    status = HTTPStatus.CONFLICT
    title = "The centre is not open then"
    title_zh = "该中心在此期间未开设或已撤销"


class CentreNotClosable(Problem):
    """A centre closes with nothing left in it; what would still be there is named."""

    code = "centre-not-closable"
    status = HTTPStatus.CONFLICT
    title = "The centre still has people, channels, contracts or sealed fields"
    title_zh = "该中心尚有人员、渠道、未到期合同或已锁定的责任田，不可撤销"


class ChannelIsSealed(Sealed):
    """A channel stays in the centre of the sealed field it lies in (R21); the attempt is recorded."""

    subject = Subject.FIELD
    code = "channel-sealed"
    status = HTTPStatus.CONFLICT
    title = "The channel lies in a sealed field of its centre"
    title_zh = "该渠道属于已锁定的责任田，承包期内不得移出所属中心"

    def __init__(self, *, field_id: str, **named: Any) -> None:
        """Say which field holds it."""
        super().__init__(field_id=field_id, **named)
        self.field_id = field_id


class Dated(Protocol):
    """What holds from a day on, until the next of its kind."""

    @property
    def from_day(self) -> date | None:
        """The first day; None is: as long as the branch."""

    @property
    def open(self) -> bool:
        """False where it ends."""


Step = TypeVar("Step", bound=Dated)


def held_on(steps: Sequence[Step], day: date) -> Step | None:
    """Return what holds on a day, of steps oldest first; None before the first and after an end."""
    held = [one for one in steps if one.from_day is None or one.from_day <= day]
    return held[-1] if held and held[-1].open else None


def require_after(code: str, steps: Sequence[Dated], day: date) -> None:
    """Check that something is open still, and changes on a later day than all that is known of it.

    Raises:
        Conflict: it does not; a history is continued, never rewritten.

    """
    latest = steps[-1]
    if not latest.open:
        raise Conflict(
            f"{code} is closed from {latest.from_day}.", f"{code} 自 {latest.from_day} 起已撤销。"
        )
    if latest.from_day is not None and day <= latest.from_day:
        raise Conflict(
            f"{code} changes on {latest.from_day}; a later change begins on a later day.",
            f"{code} 自 {latest.from_day} 起已有变更；新变更须自更晚的日期起。",
        )


@dataclass(frozen=True, slots=True)
class State:
    """What a centre is called from a day on, or that it is closed."""

    from_day: date | None
    name: str
    name_zh: str
    open: bool = True
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CentreLife:
    """A centre, and what it is called when."""

    centre_id: str
    kind: CentreKind
    states: tuple[State, ...]
    """Oldest first; there is always one."""

    def takes(self, day: date) -> bool:
        """Say whether somebody may be placed here from a day on, for good."""
        return held_on(self.states, day) is not None and self.states[-1].open

    def is_open_through(self, day: date) -> bool:
        """Say whether it is not known to close on a day or before."""
        latest = self.states[-1]
        return latest.open or latest.from_day is None or latest.from_day > day


@dataclass(frozen=True, slots=True)
class Home:
    """The centre a channel belongs to from a day on, or that the channel is closed."""

    from_day: date | None
    centre_id: str
    open: bool = True
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChannelLife:
    """A channel, and where it belongs when."""

    channel_id: str
    kind: ChannelKind
    name_zh: str
    homes: tuple[Home, ...]
    """Oldest first; there is always one."""

    def homes_from(self, day: date) -> list[Home]:
        """Return where it belongs on a day or later."""
        later = [one for one in self.homes if one.open and one.from_day and one.from_day > day]
        now = held_on(self.homes, day)
        return later if now is None else [now, *later]


@dataclass(frozen=True, slots=True)
class ChannelSeal:
    """A channel in a sealed field whose term is not over on the day looked at."""

    channel_id: str
    field_id: str
    centre_id: str
    """Of the field."""
    contract_id: str
    digest: str

    def refusal(self, **extensions: Any) -> ChannelIsSealed:
        """Return the refusal to move the channel out of the field's centre."""
        return ChannelIsSealed(
            digest=self.digest,
            centre_id=self.centre_id,
            field_id=self.field_id,
            contract_id=self.contract_id,
            channel_id=self.channel_id,
            **extensions,
        )


def seals_broken(
    seals: Iterable[ChannelSeal], channel_id: str, to_centre_id: str | None
) -> list[ChannelSeal]:
    """Return the seals that a channel's move would break, or its closing, which goes to None."""
    return [one for one in seals if one.channel_id == channel_id and one.centre_id != to_centre_id]


Belonging = frozenset[tuple[str, str]]
"""For each thing the centre it is in, and its code."""


@dataclass(frozen=True, slots=True)
class Belongings:
    """What is in centres on a day or is known to be there later."""

    people: Belonging = frozenset()
    channels: Belonging = frozenset()
    contracts: Belonging = frozenset()
    """Those signed whose term, or early end, is not over."""
    sealed_fields: Belonging = frozenset()
    """Those whose term is not over: an early end of a contract lets go of none."""

    def of(self, centre_id: str, *, holds_the_pool: bool) -> "Remaining":
        """Return what one centre has."""
        return Remaining(
            _in(self.people, centre_id),
            _in(self.channels, centre_id),
            _in(self.contracts, centre_id),
            _in(self.sealed_fields, centre_id),
            holds_the_pool,
        )


def _in(belonging: Belonging, centre_id: str) -> tuple[str, ...]:
    return tuple(sorted(code for there, code in belonging if there == centre_id))


@dataclass(frozen=True, slots=True)
class Remaining:
    """What a centre has on a day or later, by code."""

    people: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()
    sealed_fields: tuple[str, ...] = ()
    holds_the_pool: bool = False
    """It is the branch's default centre, and has what nobody else has."""

    @property
    def is_empty(self) -> bool:
        """Say whether nothing is left."""
        listed = (self.people, self.channels, self.contracts, self.sealed_fields)
        return not any(listed) and not self.holds_the_pool

    def as_json(self) -> dict[str, Any]:
        """Return it as a problem names it."""
        return {
            "people": list(self.people),
            "channels": list(self.channels),
            "contracts": list(self.contracts),
            "sealed_fields": list(self.sealed_fields),
            "holds_the_pool": self.holds_the_pool,
        }


def require_closable(remaining: Remaining) -> None:
    """Check that nothing is left in a centre.

    Raises:
        CentreNotClosable: something is; it is named.

    """
    if not remaining.is_empty:
        raise CentreNotClosable(**remaining.as_json())


def require_taking(
    named: Iterable[tuple[str, str]], lives: Mapping[str, CentreLife], day: date
) -> None:
    """Check that every named centre takes somebody or something from a day on.

    Each is known, and comes behind the pointer to its place.

    Raises:
        CentreNotOpen: with a fault for each that does not.

    """
    faults = [
        Fault(
            pointer,
            "centre-not-open",
            f"{centre_id} is not open from {day} on",
            f"{centre_id} 自 {day} 起未开设或将撤销",
        )
        for pointer, centre_id in named
        if not lives[centre_id].takes(day)
    ]
    if faults:
        raise CentreNotOpen(faults=faults)


@dataclass(frozen=True)
class Register:
    """The branch's centres and channels, and what holds them on a day and later."""

    default_centre_id: str
    centres: Mapping[str, CentreLife] = field(default_factory=dict)
    channels: Mapping[str, ChannelLife] = field(default_factory=dict)
    seals: tuple[ChannelSeal, ...] = ()
    belongings: Belongings = Belongings()

    def remaining(self, centre_id: str, belongings: Belongings | None = None) -> Remaining:
        """Return what a centre has, or would have of some belongings instead."""
        return (belongings or self.belongings).of(
            centre_id, holds_the_pool=centre_id == self.default_centre_id
        )


@dataclass(frozen=True, slots=True)
class Bound:
    """A centre, and channels of its fields, that a contract is to bind for its term."""

    pointer: str
    """To where the contract names it."""
    centre_id: str
    channel_ids: tuple[str, ...] = ()


def lasting_faults(
    bound: Iterable[Bound],
    centres: Mapping[str, CentreLife],
    channels: Mapping[str, ChannelLife],
    term: tuple[date, date],
) -> Iterator[Fault]:
    """Yield the centres that close before a term's last day, and the channels that leave within it."""
    first, last = term
    for one in bound:
        if not centres[one.centre_id].is_open_through(last):
            yield Fault(
                one.pointer,
                "centre-closes",
                f"{one.centre_id} closes before the term is over",
                f"{one.centre_id} 在承包期内撤销",
            )
        for channel_id in one.channel_ids:
            if any(
                _leaves(home, one.centre_id, first, last) for home in channels[channel_id].homes
            ):
                yield Fault(
                    one.pointer,
                    "channel-leaves",
                    f"{channel_id} closes or leaves {one.centre_id} within the term",
                    f"{channel_id} 在承包期内撤销或移出 {one.centre_id}",
                )


def _leaves(home: Home, centre_id: str, first: date, last: date) -> bool:
    if home.from_day is None or home.from_day > last:
        return False
    return not home.open or (home.from_day > first and home.centre_id != centre_id)
