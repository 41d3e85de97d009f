"""What binds in a period: the contract, its supplements, and an end before its term (R1, R21)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus
from itertools import pairwise

from huaxiao.contracts.domain.locks import Sealed, Subject
from huaxiao.shared.periods import Period, first_day, shift
from huaxiao.shared.problems import Fault, Problem
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
class Bound:
    """What of a contract its supplements and an early exit have changed."""

    amendments: tuple[Amendment, ...]
    last: Period
    """The term's end, or that of an early exit."""


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


def phase_in(period: Period, first: Period, last: Period, *, is_signed: bool) -> ContractPhase:
    """Say where a contract stands in a period; it follows from its term and is stored nowhere."""
    if not is_signed:
        return ContractPhase.DRAFT
    if period < first:
        return ContractPhase.SIGNED
    return ContractPhase.IN_FORCE if period <= last else ContractPhase.ENDED


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
