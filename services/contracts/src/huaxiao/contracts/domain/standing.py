"""What binds in a period: the contract, its supplements, and an end before its term (R1, R21)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from itertools import pairwise

from huaxiao.contracts.domain.locks import Sealed, Subject
from huaxiao.shared.periods import Period, first_day, shift
from huaxiao.shared.problems import Fault, Problem
from huaxiao.shared.wire.contracts import LockState
from huaxiao.shared.wire.supplements import ContractPhase, ExitGround
from huaxiao.shared.wire.terms import ContractTerms, ExitTerms, Parties

_QUARTER = 3


class SealUnderAmendment(Sealed):
    """A supplement may not touch what is sealed; the attempt has been recorded (R21)."""

    subject = Subject.CONTRACT
    code = "seal-under-amendment"
    status = HTTPStatus.CONFLICT
    title = "A supplement may not touch what is sealed"
    title_zh = "补充协议不得触及已锁定的内容"


class TooLate(Problem):
    """What has been settled, or agreed for later, is not reached back behind."""

    code = "too-late"
    status = HTTPStatus.CONFLICT
    title = "This period has been settled, or a later supplement stands"
    title_zh = "该账期已结算，或已有更晚生效的补充协议"


class CentresOutlive(Problem):
    """Centres contract inside the county's contract: none of theirs goes on without it (R7)."""

    code = "centres-outlive"
    status = HTTPStatus.CONFLICT
    title = "Contracts of centres would go on after the county's has ended"
    title_zh = "县级合同终止后仍有中心级合同在履行"


class NoGround(Problem):
    """The terms do not let the contract end so."""

    code = "no-ground"
    status = HTTPStatus.CONFLICT
    title = "The terms do not let the contract end so"
    title_zh = "合同条款不支持以此理由提前终止"


@dataclass(frozen=True, slots=True)
class Amendment:
    """A supplement that both sides have signed."""

    number: int
    effective_from: Period
    terms: ContractTerms | None
    parties: Parties | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """The periods of a suspension (中止); one without a last goes on."""

    first: Period
    last: Period | None

    def has(self, period: Period) -> bool:
        """Say whether a period lies in it."""
        return self.first <= period and (self.last is None or period <= self.last)


@dataclass(frozen=True, slots=True)
class Bound:
    """What of a contract its supplements, suspensions and an early exit have changed."""

    amendments: tuple[Amendment, ...]
    last: Period
    """The term's end, or that of an early exit."""
    suspended: tuple[Stretch, ...] = ()


def suspended_among(periods: Iterable[Period], suspended: Sequence[Stretch]) -> frozenset[Period]:
    """Return those of some periods in which a contract is suspended."""
    return frozenset(period for period in periods if any(one.has(period) for one in suspended))


@dataclass(frozen=True, slots=True)
class Binding:
    """What binds in a period."""

    terms: ContractTerms
    parties: Parties
    supplements: tuple[int, ...]


def binding_in(
    period: Period, terms: ContractTerms, parties: Parties, amendments: Sequence[Amendment]
) -> Binding:
    """Return what binds in a period: of each part the latest that is in force."""
    in_force = [
        one
        for one in sorted(amendments, key=lambda one: (one.effective_from, one.number))
        if one.effective_from <= period
    ]
    for one in in_force:
        terms, parties = one.terms or terms, one.parties or parties
    return Binding(terms, parties, tuple(sorted(one.number for one in in_force)))


def phase_in(period: Period, first: Period, bound: Bound, state: LockState) -> ContractPhase:
    """Say where a contract stands in a period; it follows from its term and is stored nowhere."""
    if state is not LockState.SEALED:
        in_review = state is LockState.IN_REVIEW
        return ContractPhase.IN_REVIEW if in_review else ContractPhase.DRAFT
    if period < first:
        return ContractPhase.SIGNED
    if period > bound.last:
        return ContractPhase.ENDED
    suspended = suspended_among([period], bound.suspended)
    return ContractPhase.SUSPENDED if suspended else ContractPhase.IN_FORCE


def suspension_faults(
    first: Period, last: Period | None, term: tuple[Period, Period], others: Sequence[Stretch]
) -> Iterator[Fault]:
    """Yield what is wrong with a suspension from one period to another, or to an end not yet known."""
    if not term[0] <= first <= term[1]:
        yield Fault(
            "/from_period",
            "outside-term",
            f"a suspension begins within {term[0]} to {term[1]}",
            f"中止须始于 {term[0]} 至 {term[1]} 之内",
        )
    if last is not None and last < first:
        yield Fault(
            "/last_period",
            "bad-term",
            f"the suspension began only in {first}",
            f"中止自 {first} 开始，止期不得更早",
        )
    for one in others:
        if (last is None or one.first <= last) and (one.last is None or first <= one.last):
            yield Fault(
                "/from_period",
                "suspended-already",
                f"it is suspended from {one.first} on already",
                f"自 {one.first} 起已中止",
            )


def supplement_faults(effective_from: Period, first: Period, last: Period) -> Iterator[Fault]:
    """Yield what is wrong with a supplement's beginning."""
    if not first <= effective_from <= last:
        yield Fault(
            "/effective_from",
            "outside-term",
            f"a supplement begins within the term, {first} to {last}",
            f"补充协议须在承包期 {first} 至 {last} 内生效",
        )


def require_later(
    effective_from: Period, settled_through: Period | None, amendments: Sequence[Amendment]
) -> None:
    """Check that a supplement reaches behind nothing that stands.

    Raises:
        TooLate: the period is settled, or a later supplement is signed.

    """
    latest = max((one.effective_from for one in amendments), default=None)
    if settled_through is not None and effective_from <= settled_through:
        raise TooLate(settled_through=settled_through)
    if latest is not None and effective_from < latest:
        raise TooLate(effective_from=latest)


def require_ground(
    ground: ExitGround,
    terms: ExitTerms,
    *,
    noticed_on: date,
    last: Period,
    red_line_stands: bool,
    shortfalls: Sequence[Period],
) -> None:
    """Check that the terms let a contract end so.

    Raises:
        NoGround: the notice is too short, the quarters too few or apart, or no red line stands.

    """
    match ground:
        case ExitGround.NOTICE:
            ends = first_day(shift(last, 1))
            if ends < noticed_on + timedelta(days=terms.notice_days):
                raise NoGround(notice_days=terms.notice_days)
        case ExitGround.RED_LINE:
            if not red_line_stands:
                raise NoGround
        case ExitGround.SHORTFALL:
            running = all(
                later == shift(earlier, _QUARTER) for earlier, later in pairwise(shortfalls)
            )
            if len(shortfalls) < terms.shortfall_quarters or not running:
                raise NoGround(shortfall_quarters=terms.shortfall_quarters)
