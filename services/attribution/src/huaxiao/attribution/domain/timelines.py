"""Whose a subscription is, from each change of its evidence to the next.

A decision stands until the evidence is another, so a month's bill asks for nothing to be decided:
it looks up the stretch its period lies in. Later decisions lie over earlier ones from the first
period on that they change; what they cover stays on record.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from huaxiao.shared.periods import Period


class Owner(NamedTuple):
    """Whose a subscription is, by which rules, on what evidence."""

    centre_id: str
    field_id: str | None
    unit_rule: str
    field_rule: str | None
    flags: tuple[str, ...]
    evidence: bytes
    """A digest of the evidence, which tells one decision from another for the same owner."""

    @property
    def place(self) -> tuple[str, str | None]:
        """The centre and the field that its entries are booked to."""
        return self.centre_id, self.field_id


class Stretch(NamedTuple):
    """An owner, from a period until the next stretch begins."""

    from_period: Period
    owner: Owner


@dataclass(frozen=True, slots=True)
class Timeline:
    """The owners of a subscription; the first stretch reaches back to the first period there is."""

    stretches: tuple[Stretch, ...]
    """Oldest first."""
    version: int = 1
    """How many times it has been decided; the last time laid over the ones before."""

    def at(self, period: Period) -> Owner:
        """Return the owner in a period."""
        last = self.stretches[-1]
        if last.from_period <= period:
            return last.owner
        for stretch in reversed(self.stretches):
            if stretch.from_period <= period:
                return stretch.owner
        return self.stretches[0].owner

    def overlaid(self, later: "Timeline") -> "Timeline":
        """Return this timeline with a later one over it from where that one begins."""
        begins = later.stretches[0].from_period
        kept = (one for one in self.stretches if one.from_period < begins)
        return Timeline((*kept, *later.stretches), later.version)

    def change(self, decided: "Timeline", since: Period) -> "Timeline | None":
        """Return what a new decision lays over this one, not before a period; None is nothing."""
        begins = next(
            (one for one in self._starts(decided, since) if self._differs(decided, one)), None
        )
        if begins is None:
            return None
        rest = (one for one in decided.stretches if one.from_period > begins)
        return Timeline((Stretch(begins, decided.at(begins)), *rest), self.version + 1)

    def _starts(self, other: "Timeline", since: Period) -> list[Period]:
        both = (*self.stretches, *other.stretches)
        return sorted({since, *(one.from_period for one in both if one.from_period > since)})

    def _differs(self, other: "Timeline", period: Period) -> bool:
        return self.at(period) != other.at(period)


def joined(stretches: Iterable[Stretch]) -> Timeline:
    """Return a timeline of stretches in order, those of one owner as one."""
    return Timeline(tuple(_distinct(stretches)))


def _distinct(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    owner: Owner | None = None
    for one in stretches:
        if one.owner != owner:
            owner = one.owner
            yield one
