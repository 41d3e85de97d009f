"""The county as attribution sees it: fields in force in a period, channels, people, centres."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

from huaxiao.shared.periods import Period, shift
from huaxiao.shared.wire.contracts import CentreKind, ChannelKind, ChannelMode, FieldKind


@dataclass(frozen=True, slots=True)
class Placement:
    """Where something belongs: a centre, the field inside it if there is one, and what matched."""

    centre_id: str
    field_id: str | None
    matched: str
    """The address prefix, resource, customer, channel or person that led here."""
    digest: str = ""
    """Of the field's scope as it was sealed, so that a decision says which drawing it followed."""


@dataclass(frozen=True, slots=True)
class SealedField:
    """A responsibility field under contract; both ends of the term belong to it (R21)."""

    field_id: str
    kind: FieldKind
    centre_id: str
    term_from: int
    term_to: int
    address_prefixes: tuple[str, ...] = ()
    resource_prefixes: tuple[str, ...] = ()
    customer_ids: frozenset[str] = frozenset()
    channel_ids: tuple[str, ...] = ()
    channel_mode: ChannelMode | None = None
    digest: str = ""
    """Of the scope as it was sealed; empty for a field that is only tried."""

    def placement(self, matched: str) -> Placement:
        """Return where something belongs that this field covers."""
        return Placement(self.centre_id, self.field_id, matched, self.digest)


class ChannelMove(NamedTuple):
    """A channel belongs to another centre from a day on, or is closed."""

    from_day: date
    centre_id: str
    open: bool = True


@dataclass(frozen=True, slots=True)
class Channel:
    """A sales channel and the centre it belongs to (R11)."""

    kind: ChannelKind
    centre_id: str
    """Until it first moves."""
    moves: tuple[ChannelMove, ...] = ()
    """Oldest first."""

    def centre_on(self, day: date) -> str:
        """Return the centre it belongs to on a day; a closed one the centre it had last."""
        return next(
            (one.centre_id for one in reversed(self.moves) if one.from_day <= day), self.centre_id
        )

    def is_open_on(self, day: date) -> bool:
        """Say whether it sells on a day."""
        return next((one.open for one in reversed(self.moves) if one.from_day <= day), True)


@dataclass(frozen=True, slots=True)
class Listing:
    """A customer on a field's list, and the term the list is locked for."""

    placement: Placement
    term_from: int


@dataclass(frozen=True)
class Ground:
    """The fields in force in one period, ready to be asked."""

    by_address: Mapping[str, Placement]
    by_resource: Mapping[str, Placement]
    by_customer: Mapping[str, Listing]
    by_channel: Mapping[str, Placement]
    address_lengths: tuple[int, ...]
    resource_lengths: tuple[int, ...]

    def at_address(self, address: str | None) -> Placement | None:
        """Return the placement of the deepest prefix over a standard address."""
        return _deepest(address, self.by_address, self.address_lengths)

    def at_resource(self, resource: str | None) -> Placement | None:
        """Return the placement of the deepest prefix over a resource."""
        return _deepest(resource, self.by_resource, self.resource_lengths)


@dataclass(frozen=True)
class Organisation:
    """Everything contracts has sealed and registered for a branch."""

    default_centre_id: str
    centres: Mapping[str, CentreKind] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    people: Mapping[str, tuple[tuple[date, str], ...]] = field(default_factory=dict)
    """For each person, since when in which centre, oldest first."""
    fields: tuple[SealedField, ...] = ()
    _grounds: dict[Period, Ground] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @cached_property
    def turns(self) -> frozenset[Period]:
        """The periods from which other fields are in force than before."""
        begin = {Period(one.term_from) for one in self.fields}
        return frozenset(begin | {shift(Period(one.term_to), 1) for one in self.fields})

    def ground(self, period: Period) -> Ground:
        """Return the fields in force in a period."""
        if period not in self._grounds:
            self._grounds[period] = _ground(
                one for one in self.fields if one.term_from <= period <= one.term_to
            )
        return self._grounds[period]

    def centre_of_person(self, person_id: str | None, day: date) -> str | None:
        """Return where a person worked on a day; before their first known place, that place."""
        places = self.people.get(person_id or "", ())
        held = [centre_id for since, centre_id in places if since <= day]
        return held[-1] if held else places[0][1] if places else None

    def field(self, field_id: str) -> SealedField | None:
        """Return a sealed field by its code."""
        return next((one for one in self.fields if one.field_id == field_id), None)

    def drawn_twice(self, first: Period, last: Period) -> list[tuple[str, str, str]]:
        """Return what two fields in force in some months cover alike: the fields, and what it is.

        A longer prefix within a shorter one is no such thing: the longer one is asked first.
        """
        found: dict[tuple[str, str], str] = {}
        twice = []
        for one in self.fields:
            if one.term_to < first or last < one.term_from:
                continue
            for key in _keys(one):
                other = found.setdefault(key, one.field_id)
                if other != one.field_id:
                    twice.append((other, one.field_id, key[1]))
        return twice


def _keys(one: SealedField) -> Iterable[tuple[str, str]]:
    """Return what a field is found by, each with what kind of thing it is."""
    yield from (("address", prefix) for prefix in one.address_prefixes)
    yield from (("resource", prefix) for prefix in one.resource_prefixes)
    yield from (("customer", customer_id) for customer_id in one.customer_ids)
    if one.channel_mode is ChannelMode.ISOLATED:
        yield from (("channel", channel_id) for channel_id in one.channel_ids)


def _ground(fields: Iterable[SealedField]) -> Ground:
    by_address: dict[str, Placement] = {}
    by_resource: dict[str, Placement] = {}
    by_customer: dict[str, Listing] = {}
    by_channel: dict[str, Placement] = {}
    for one in fields:
        for prefix in one.address_prefixes:
            by_address[prefix] = one.placement(prefix)
        for prefix in one.resource_prefixes:
            by_resource[prefix] = one.placement(prefix)
        for customer_id in one.customer_ids:
            placement = one.placement(customer_id)
            by_customer[customer_id] = Listing(placement, one.term_from)
        if one.channel_mode is ChannelMode.ISOLATED:
            for channel_id in one.channel_ids:
                by_channel[channel_id] = one.placement(channel_id)
    return Ground(
        by_address,
        by_resource,
        by_customer,
        by_channel,
        _lengths(by_address),
        _lengths(by_resource),
    )


def _lengths(prefixes: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({len(prefix) for prefix in prefixes}, reverse=True))


def _deepest(
    value: str | None, known: Mapping[str, Placement], lengths: tuple[int, ...]
) -> Placement | None:
    if value is None:
        return None
    for length in lengths:
        found = known.get(value[:length])
        if found is not None:
            return found
    return None
