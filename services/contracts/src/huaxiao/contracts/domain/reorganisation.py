"""Re-organisation: the difference between the organisation before and the one planned (R20)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from http import HTTPStatus

from huaxiao.contracts.domain.restructuring import Restructuring, named_centres
from huaxiao.shared.problems import Fault, Problem
from huaxiao.shared.wire.contracts import Engagement, Skill
from huaxiao.shared.wire.organisation import (
    CentreChange,
    HeadCount,
    Move,
    ReorganisationIn,
    Vacancy,
)


class NotApplicable(Problem):
    """A plan that leaves people or contracts without a place, or closes what is in use, is not applied."""

    code = "not-applicable"
    status = HTTPStatus.CONFLICT
    title = "The plan cannot be applied as it stands"
    title_zh = "该调整方案目前不能执行"


class PlanIsApplied(Problem):
    """An applied plan stays as it was."""

    code = "plan-applied"
    status = HTTPStatus.CONFLICT
    title = "The plan has been applied and does not change"
    title_zh = "该方案已执行，不可变更"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where somebody works, and as what."""

    person_id: str
    centre_id: str
    position: str
    engagement: Engagement
    skills: frozenset[Skill] = frozenset()
    concurrent: frozenset[tuple[str, str]] = frozenset()
    """Of each concurrent position its centre and what it is called."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a plan changes."""

    moves: tuple[Move, ...]
    joining: tuple[Move, ...]
    leaving: tuple[Move, ...]
    staying: int
    centres: tuple[CentreChange, ...]
    vacancies: tuple[Vacancy, ...]
    without_place: tuple[str, ...]
    not_here: tuple[str, ...]
    """Who is to leave and was not here the day before."""
    emptied: tuple[str, ...]


def planned(plan: ReorganisationIn) -> dict[str, Placed]:
    """Return everybody's place after a plan."""
    return {
        one.person_id: Placed(
            one.person_id,
            one.centre_id,
            one.position,
            one.engagement,
            frozenset(one.skills),
            frozenset((place.centre_id, place.position) for place in one.concurrent),
        )
        for one in plan.places
    }


def plan_faults(plan: ReorganisationIn, known_centres: AbstractSet[str]) -> Iterator[Fault]:
    """Yield what is wrong with a plan by itself."""
    opened = Counter(one.centre_id for one in plan.centres)
    for index, one in enumerate(plan.centres):
        if opened[one.centre_id] > 1 or one.centre_id in known_centres:
            yield Fault(
                f"/centres/{index}/centre_id", "repeated", "the centre exists", "中心已存在"
            )
    placed = [one.person_id for one in plan.places]
    going = [one.person_id for one in plan.leaving]
    named = Counter(placed + going)
    for name, people in (("places", placed), ("leaving", going)):
        for index, person_id in enumerate(people):
            if named[person_id] > 1:
                yield Fault(
                    f"/{name}/{index}/person_id",
                    "named-twice",
                    f"{person_id} is named more than once",
                    f"{person_id} 出现多次",
                )
    centres = known_centres | opened.keys()
    for pointer, centre_id in named_centres(plan):
        if centre_id not in centres:
            yield Fault(
                pointer,
                "unknown-reference",
                f"there is no centre {centre_id}",
                f"没有中心 {centre_id}",
            )


def difference(
    before: Mapping[str, Placed], plan: ReorganisationIn, contracting: AbstractSet[str]
) -> Difference:
    """Return what a plan changes of the organisation before."""
    after = planned(plan)
    going = {one.person_id for one in plan.leaving}
    both = before.keys() & after.keys()
    moved = [one for one in sorted(both) if before[one] != after[one]]
    centres = sorted(
        {one.centre_id for one in (*before.values(), *after.values())}
        | {one.centre_id for one in plan.centres}
    )
    return Difference(
        moves=tuple(_move(before[one], after[one]) for one in moved),
        joining=tuple(_move(None, after[one]) for one in sorted(after.keys() - before.keys())),
        leaving=tuple(_move(before[one], None) for one in sorted(going & before.keys())),
        staying=len(both) - len(moved),
        centres=tuple(
            CentreChange(
                centre_id=one,
                before=heads(before.values(), one),
                after=heads(after.values(), one),
            )
            for one in centres
        ),
        vacancies=tuple(_vacancies(after, plan)),
        without_place=tuple(sorted(before.keys() - after.keys() - going)),
        not_here=tuple(sorted(going - before.keys())),
        emptied=tuple(sorted(contracting - {one.centre_id for one in after.values()})),
    )


def require_applicable(
    made: Difference,
    structure: Restructuring | None = None,
    on_negative_list: Sequence[str] = (),
) -> None:
    """Check that a plan leaves nobody and no contract without a place, and closes what is empty.

    Whatever of the negative list forbids the plan as well is named beside.

    Raises:
        NotApplicable: it does not; who and which is named.

    """
    not_closable = structure.not_closable if structure else []
    if made.without_place or made.not_here or made.emptied or not_closable:
        raise NotApplicable(
            people_without_place=list(made.without_place),
            people_not_here=list(made.not_here),
            emptied_contracting_centres=list(made.emptied),
            centres_not_closable=[
                {"centre_id": centre_id} | left.as_json() for centre_id, left in not_closable
            ],
            entries=list(on_negative_list),
        )


def heads(placed: Iterable[Placed], centre_id: str | None) -> HeadCount:
    """Count people by engagement, in a centre or, for None, in all."""
    counted = Counter(
        one.engagement for one in placed if centre_id is None or one.centre_id == centre_id
    )
    return HeadCount(
        own=counted[Engagement.OWN],
        centre_hired=counted[Engagement.CENTRE_HIRED],
        outsourced=counted[Engagement.OUTSOURCED],
    )


def _move(before: Placed | None, after: Placed | None) -> Move:
    person = before or after
    assert person is not None  # noqa: S101 - one of both is there
    return Move(
        person_id=person.person_id,
        from_centre_id=before and before.centre_id,
        from_position=before and before.position,
        to_centre_id=after and after.centre_id,
        to_position=after and after.position,
    )


def _vacancies(after: Mapping[str, Placed], plan: ReorganisationIn) -> Iterator[Vacancy]:
    held: Counter[tuple[str, str]] = Counter()
    for one in after.values():
        held[one.centre_id, one.position] += 1
        held.update(one.concurrent)
    for wanted in plan.positions:
        free = wanted.places - held[wanted.centre_id, wanted.position]
        if free:
            yield Vacancy(centre_id=wanted.centre_id, position=wanted.position, open=free)
