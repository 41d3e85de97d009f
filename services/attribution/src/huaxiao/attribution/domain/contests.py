"""What was disputed and ruled on about a line before, and what that leaves to contest.

Who was heard on some months does not contest them again: there is an appeal. Who was not may raise its
own dispute, once, after the time for that appeal. Whoever keeps raising what comes to no decision, and so
keeps the line frozen for the other, is stopped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from huaxiao.attribution.domain.disputes import in_days
from huaxiao.shared.periods import Period, shift
from huaxiao.shared.wire.attribution import DisputeLimits, DisputeState

TIMES_RAISED = 2
"""How often one centre raises one claim: a withdrawal may mend a mistake, once, and the county may
decide the second time what it left undecided."""

_IN_VAIN = {DisputeState.WITHDRAWN, DisputeState.UNDECIDED}


class Term(NamedTuple):
    """Months from a first to a last, both included."""

    first: int
    last: int

    def common(self, other: "Term") -> "Term | None":
        """Return the months that are in both."""
        found = Term(max(self.first, other.first), min(self.last, other.last))
        return found if found.first <= found.last else None


def uncovered(term: Term, covers: Iterable[Term]) -> list[Term]:
    """Return the stretches of a term that none of some others covers, in order."""
    left = [term]
    for cover in covers:
        before, after = shift(Period(cover.first), -1), shift(Period(cover.last), 1)
        parts = [
            part
            for one in left
            for part in (
                Term(one.first, min(one.last, before)),
                Term(max(one.first, after), one.last),
            )
        ]
        left = [one for one in parts if one.first <= one.last]
    return left


class RuledOn(NamedTuple):
    """An approved ruling on the line."""

    ruling_id: str
    centre_id: str
    term: Term
    approved_at: datetime
    dispute_id: str | None
    """The dispute it decides."""


class Earlier(NamedTuple):
    """A dispute about the line, and how it stands."""

    dispute_id: str
    claimant: str
    respondent: str
    term: Term
    state: DisputeState
    raised_at: datetime
    ended_at: datetime | None
    appeal_due: datetime | None
    ruling_id: str | None
    """The decision in force."""

    @property
    def cleared_at(self) -> datetime | None:
        """The last moment at which it keeps others from being raised; None while nobody knows."""
        if self.state is DisputeState.DECIDED and self.appeal_due is not None:
            return self.appeal_due - datetime.resolution
        return self.ended_at


@dataclass(frozen=True, slots=True)
class RaiseLimits:
    """How many days a county has given for raising a dispute, each number from a moment on."""

    given: Sequence[tuple[datetime, int]] = ()
    """Oldest first; before the first it is the default."""

    def ends(self, moment: datetime) -> datetime:
        """Return until when a dispute may be raised that could be from a moment on.

        A limit that is set later may lengthen the time that runs, and never shortens it.
        """
        before = [days for since, days in self.given if since <= moment]
        after = [days for since, days in self.given if since > moment]
        default = DisputeLimits().raise_days
        return in_days(moment, max(before[-1] if before else default, *after, 0))


@dataclass(frozen=True, slots=True)
class Record:
    """All disputes about a line, first raised first, and all approved rulings on it."""

    disputes: Sequence[Earlier] = ()
    rulings: Sequence[RuledOn] = ()

    def own(self, dispute: Earlier) -> list[Term]:
        """Return the months in which a dispute's decision still stands: no later ruling is about them."""
        return uncovered(dispute.term, (one.term for one in self._since(dispute)))

    def standing(self, term: Term) -> Earlier | None:
        """Return the newest dispute whose decision stands in some of these months."""
        for one in reversed(self.disputes):
            if one.ruling_id is not None and any(term.common(left) for left in self.own(one)):
                return one
        return None

    def heard(self, claimant: str, term: Term) -> str | None:
        """Return a decided dispute in which a centre was heard on some of these months.

        A later ruling about all of them opens them again for both parties. One that decides another
        dispute does so for the respondent alone, and only if it gives the line to another centre: the
        claimant has had its dispute, and the respondent its answer to this claimant.
        """
        for one in self.disputes:
            common = one.term.common(term)
            if one.ruling_id is None or common is None:
                continue
            if claimant not in {one.claimant, one.respondent}:
                continue
            given_to = next(
                (own.centre_id for own in self.rulings if own.ruling_id == one.ruling_id), None
            )
            reopens = (
                later.term
                for later in self._since(one)
                if later.dispute_id is None
                or (claimant != one.claimant and later.centre_id != given_to)
            )
            if uncovered(common, reopens):
                return one.dispute_id
        return None

    def in_vain(self, claimant: str, respondent: str, term: Term) -> list[DisputeState]:
        """Return how a centre's claims against another ended on some of these months without a decision.

        They were withdrawn, or lapsed undecided. A ruling about all of the months since makes another
        matter of it.
        """
        found = []
        for one in self.disputes:
            common = one.term.common(term)
            same = (one.claimant, one.respondent) == (claimant, respondent)
            undecided = one.state in _IN_VAIN and one.ruling_id is None
            if not undecided or not same or common is None:
                continue
            assert one.ended_at is not None  # noqa: S101 - it has ended
            since = (later.term for later in self.rulings if later.approved_at > one.ended_at)
            if uncovered(common, since):
                found.append(one.state)
        return found

    def appealable(self, now: datetime) -> Earlier | None:
        """Return a dispute whose decision may still be appealed."""
        for one in self.disputes:
            due = one.appeal_due
            waits = one.state is DisputeState.DECIDED and due is not None and now < due
            if waits and self.own(one):
                return one
        return None

    def until(self, until: datetime, limits: RaiseLimits, claimant: str | None) -> datetime:
        """Return until when a centre may raise a dispute, other disputes having been in its way.

        Its time does not run out while it must wait for others. What it raised itself and withdrew, or
        let lapse, gives it no more time.
        """
        for one in self.disputes:
            own = one.ruling_id is None and one.claimant == claimant
            if one.raised_at < until and not own and one.cleared_at is not None:
                until = max(until, limits.ends(one.cleared_at))
        return until

    def _since(self, dispute: Earlier) -> list[RuledOn]:
        """Return the rulings approved after a dispute's decision."""
        decided = [one.approved_at for one in self.rulings if one.ruling_id == dispute.ruling_id]
        return [one for one in self.rulings if decided and one.approved_at > decided[0]]
