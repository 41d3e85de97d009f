"""Leads: whose they are, who may decide, where they stand and until when (R16)."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from huaxiao.contracts.domain.organisation import CentreLife
from huaxiao.contracts.domain.references import repeated_faults
from huaxiao.shared.leads import LEAD_HOLDS, WHOLE
from huaxiao.shared.problems import Fault, Problem, TwoPeople
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.leads import LeadState

SERVICE_CENTRES = frozenset(
    {CentreKind.TOWN, CentreKind.TOWNSHIP, CentreKind.OWN_HALL, CentreKind.ENTERPRISE}
)
"""Kinds of centre that sell and serve, and so can have a lead's revenue (营服中心)."""
_DIGITS = 6


class ListedCustomer(Problem):
    """The customer is on a sealed list: its lines are the list's, before any lead is asked (R15)."""

    code = "listed-customer"
    status = HTTPStatus.CONFLICT
    title = "The customer is on a sealed list of the term"
    title_zh = "该客户在承包期内的锁定清单上"


class LeadTaken(Problem):
    """Another lead on the same customer is approved and holds."""

    code = "lead-taken"
    status = HTTPStatus.CONFLICT
    title = "Another lead on this customer is approved and still holds"
    title_zh = "该客户已有获批且有效的商机"


class LeadNotApproved(Problem):
    """Only a lead that is approved and holds can become lines."""

    code = "lead-not-approved"
    status = HTTPStatus.CONFLICT
    title = "The lead is not approved, or no longer holds"
    title_zh = "该商机未获批准或已失效"


@dataclass(frozen=True, slots=True)
class Part:
    """Somebody's part in a lead, in basis points."""

    person_id: str
    share_basis_points: int


def lead_id_of(number: int) -> str:
    """Return the identifier made of a lead's number: ``LD-000017``."""
    return f"LD-{number:0{_DIGITS}}"


def number_of(lead_id: str) -> int | None:
    """Return the number an identifier was made of; None if it was made of none."""
    digits = lead_id.removeprefix("LD-")
    if not (digits.isascii() and digits.isdecimal()):
        return None
    number = int(digits)
    return number if 0 < number < 2**31 and lead_id_of(number) == lead_id else None


def part_faults(parts: Sequence[Part]) -> Iterator[Fault]:
    """Yield what is wrong with the parts of a lead: each person once, all together a whole."""
    yield from repeated_faults("/people", [one.person_id for one in parts], "/person_id")
    total = sum(one.share_basis_points for one in parts)
    if total != WHOLE:
        yield Fault(
            "/people",
            "not-a-whole",
            f"the shares add up to {total} basis points, not to {WHOLE}",
            f"份额合计为 {total} 基点，须为 {WHOLE} 基点",
        )


def require_somebody_else(
    *, subject: str, person_id: str | None, brought_by: str, person_ids: AbstractSet[str]
) -> None:
    """Check that whoever decides neither brought the lead nor has a part in it.

    Raises:
        TwoPeople: they did, or have.

    """
    if subject == brought_by or person_id in person_ids:
        raise TwoPeople


def owner_faults(owner: CentreLife, today: date) -> Iterator[Fault]:
    """Yield why a centre cannot have a lead's revenue."""
    if owner.kind not in SERVICE_CENTRES:
        yield Fault(
            "/owner_centre_id",
            "no-service-centre",
            f"{owner.centre_id} is no service centre; name the one that is to have the revenue",
            f"{owner.centre_id} 不是营服中心，请指定收入归属的营服中心",
        )
    elif not owner.takes(today):
        yield Fault(
            "/owner_centre_id",
            "centre-not-open",
            f"{owner.centre_id} is not open, or is to close; name the one that is to have the revenue",
            f"{owner.centre_id} 未开设或将撤销，请指定收入归属的营服中心",
        )


def decision_faults(*, approved: bool, terms: Mapping[str, object]) -> Iterator[Fault]:
    """Yield the terms of an approval that a rejection has."""
    for name, value in terms.items():
        if not approved and value is not None:
            yield Fault(
                f"/{name}",
                "of-an-approval",
                "only an approval says this",
                "仅批准时可以填写",
            )


def last_day_of(approved_on: date) -> date:
    """Return the last day on which a lead may become a line."""
    return approved_on + LEAD_HOLDS


def first_approval_that_holds(today: date) -> date:
    """Return the earliest day of approval whose leads still hold."""
    return today - LEAD_HOLDS


def state_of(
    *, approved: bool | None, decided_on: date | None, converted: bool, today: date
) -> LeadState:
    """Say where a lead stands on a day; ``approved`` is None while nobody has decided."""
    if converted:
        return LeadState.CONVERTED
    if approved is None or decided_on is None:
        return LeadState.BROUGHT
    if not approved:
        return LeadState.REJECTED
    return LeadState.VOID if today > last_day_of(decided_on) else LeadState.APPROVED


def require_convertible(state: LeadState) -> None:
    """Check that a lead can become lines.

    Raises:
        LeadNotApproved: it is not approved, or no longer holds.

    """
    if state is not LeadState.APPROVED:
        raise LeadNotApproved(state=state)
