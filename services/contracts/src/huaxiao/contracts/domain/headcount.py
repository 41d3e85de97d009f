"""Who counts where and when, and whose pay may be recorded (R4, R14)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from huaxiao.shared.periods import Period, first_day, last_day
from huaxiao.shared.problems import Fault, Problem
from huaxiao.shared.wire.contracts import Engagement


class NotPayable(Problem):
    """Average pay counts a centre's own staff, each where they work; the faults say who is not."""

    code = "not-payable"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "Only pay of the centre's own staff is recorded"
    title_zh = "只登记本中心自有人员的工资"


@dataclass(frozen=True, slots=True)
class Placement:
    """A person's primary place from a day on, until their next placement."""

    person_id: str
    from_day: date
    engagement: Engagement
    centre_id: str
    here: bool = True
    """False where it says from when the person works here no more."""

    @property
    def own(self) -> bool:
        """Whether the person is own staff there."""
        return self.engagement is Engagement.OWN


@dataclass(frozen=True, slots=True)
class Pay:
    """A person's pay of a period in a centre."""

    person_id: str
    centre_id: str
    period: Period
    pay_fen: int


def placed_on(placements: Iterable[Placement], day: date) -> dict[str, Placement]:
    """Return each person's placement on a day; concurrent positions count no head."""
    placed: dict[str, Placement] = {}
    for one in sorted(placements, key=lambda placement: placement.from_day):
        if one.from_day <= day:
            placed[one.person_id] = one
    return {person_id: one for person_id, one in placed.items() if one.here}


def headcount(placements: Iterable[Placement], centre_id: str, day: date) -> int:
    """Count a centre's own staff on a day."""
    placed = placed_on(placements, day).values()
    return sum(one.own and one.centre_id == centre_id for one in placed)


def pay_faults(pays: Iterable[Pay], placements: Iterable[Placement]) -> Iterator[Fault]:
    """Yield whose pay cannot be recorded: strangers, other centres' people, those not own staff."""
    of_person: dict[str, list[Placement]] = {}
    for placement in placements:
        of_person.setdefault(placement.person_id, []).append(placement)
    for index, pay in enumerate(pays):
        held = _held_in(of_person.get(pay.person_id, []), pay.period)
        in_centre = [one for one in held if one.centre_id == pay.centre_id]
        if not held:
            yield Fault(
                f"/{index}/person_id",
                "unknown-reference",
                f"{pay.person_id} has no place in {pay.period}",
                f"{pay.person_id} 在 {pay.period} 账期无任职",
            )
        elif not in_centre:
            yield Fault(
                f"/{index}/centre_id",
                "other-centre",
                f"{pay.person_id} does not work in {pay.centre_id}",
                f"{pay.person_id} 不在 {pay.centre_id} 任职",
            )
        elif not any(one.own for one in in_centre):
            yield Fault(
                f"/{index}/person_id",
                "not-own-staff",
                f"{pay.person_id} is not own staff",
                f"{pay.person_id} 不是自有人员",
            )


def _held_in(placements: Iterable[Placement], period: Period) -> list[Placement]:
    """Return the placements of one person that some day of a period falls under."""
    ordered = sorted(placements, key=lambda placement: placement.from_day)
    began = [one for one in ordered if one.from_day <= last_day(period)]
    before = [one for one in began if one.from_day <= first_day(period)]
    return [one for one in began[max(len(before) - 1, 0) :] if one.here]
