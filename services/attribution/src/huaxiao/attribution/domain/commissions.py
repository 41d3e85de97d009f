"""Commissions of leads (商机提成, R16): the revenue goes to the centre, a share of it to people.

For its first months, accounting months of which the one it was opened in is the first, whoever brought
the lead that a line came from has a rate of every payment on it; a refund of those months' bills takes
the same rate back, of each person never more than the line has earned them: a bill of those months that
was paid after them earned nothing, so its refund finds nothing of its own to take. What is due depends on the lead, the line's opening, the terms and what was
collected, and never on the order in which they became known: booked is what is due less what was
booked before.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from huaxiao.attribution.domain.histories import Lead, lead_of
from huaxiao.shared.leads import WHOLE
from huaxiao.shared.money import split_fen
from huaxiao.shared.periods import Period, period_of_day, shift


@dataclass(frozen=True, slots=True)
class Terms:
    """How much a lead earns, and of how many accounting months."""

    rate_basis_points: int
    months: int


DEFAULT_TERMS = Terms(rate_basis_points=200, months=12)
"""What holds while a branch has approved no terms of its own."""


@dataclass(frozen=True, slots=True)
class TermsBook:
    """The terms of a branch, each for leads approved from a period on."""

    approved: tuple[tuple[int, Terms], ...] = ()
    """From which period, oldest first; of two from the same period the later approved stands."""

    def at(self, period: Period) -> Terms:
        """Return the terms of leads that are approved in a period."""
        found = DEFAULT_TERMS
        for since, terms in self.approved:
            if since <= period:
                found = terms
        return found


class Collected(NamedTuple):
    """What an event took in on a line, or gave back of it; in the order refunds are held in."""

    owner_period: Period
    """The month paid in; of a refund, the month whose bill it takes back."""
    origin_period: Period
    source: str
    event_id: str
    amount_fen: int
    """Negative for what was given back."""

    @property
    def key(self) -> tuple[str, str]:
        """The event's identity: its sender, and the sender's identifier."""
        return self.source, self.event_id


class Earning(NamedTuple):
    """A person's part in what one event collected, from one lead."""

    source: str
    event_id: str
    lead_id: str
    person_id: str

    @property
    def key(self) -> tuple[str, str]:
        """The event's identity."""
        return self.source, self.event_id


class Commission(NamedTuple):
    """A change of a person's commission, to be written."""

    person_id: str
    lead_id: str
    subscription_id: str
    period: Period
    """The month it is booked in."""
    origin_period: Period
    owner_period: Period
    source: str
    event_id: str
    collected_fen: int
    amount_fen: int


def due(
    leads: Iterable[Lead], opened_on: date, terms: TermsBook, collected: Iterable[Collected]
) -> dict[Earning, int]:
    """Return what each person has of each event on a line, in fen."""
    lead = lead_of(leads, opened_on)
    if lead is None or not lead.people:
        return {}
    agreed = _terms_of(lead, terms)
    first = period_of_day(opened_on)
    end = shift(first, agreed.months)
    people, shares = zip(*lead.people, strict=True)
    earned: Counter[str] = Counter()
    found: dict[Earning, int] = {}
    # What came in before what went back: a refund takes back of all that its line has earned.
    for one in sorted(collected, key=lambda one: (one.amount_fen < 0, one)):
        if not first <= one.owner_period < end:
            continue
        whole = _rated(one.amount_fen, agreed.rate_basis_points)
        for person_id, share in zip(people, split_fen(whole, shares), strict=True):
            part = max(share, -earned[person_id])
            if part:
                earned[person_id] += part
                found[Earning(one.source, one.event_id, lead.lead_id, person_id)] = part
    return found


def owed(due_now: Mapping[Earning, int], booked: Mapping[Earning, int]) -> dict[Earning, int]:
    """Return what is due less what was booked before, in an order of its own."""
    changed = {one: due_now.get(one, 0) - booked.get(one, 0) for one in sorted({*due_now, *booked})}
    return {one: amount for one, amount in changed.items() if amount}


def _terms_of(lead: Lead, terms: TermsBook) -> Terms:
    """Return what the lead itself says, and the branch's terms of its approval for the rest."""
    general = terms.at(period_of_day(lead.approved_on))
    rate, months = lead.rate_basis_points, lead.months
    return Terms(
        general.rate_basis_points if rate is None else rate,
        general.months if months is None else months,
    )


def _rated(amount_fen: int, rate_basis_points: int) -> int:
    """Return a rate of an amount, half a fen rounded up; what is taken back mirrors it."""
    rated = (abs(amount_fen) * rate_basis_points + WHOLE // 2) // WHOLE
    return -rated if amount_fen < 0 else rated
