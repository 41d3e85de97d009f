"""A re-organisation's difference: applied to what was before, it gives what is after (R20)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.contracts.domain.reorganisation import (
    NotApplicable,
    Placed,
    difference,
    plan_faults,
    planned,
    require_applicable,
)
from huaxiao.shared.wire.contracts import CentreKind, ConcurrentPlace, Engagement
from huaxiao.shared.wire.organisation import (
    HeadCount,
    NewCentre,
    PlannedLeave,
    PlannedPlace,
    PlannedPositions,
    ReorganisationIn,
)

DAY = date(2017, 11, 1)
OWN = Engagement.OWN


def place(person_id: str, centre_id: str, position: str = "member") -> PlannedPlace:
    return PlannedPlace(person_id=person_id, centre_id=centre_id, position=position, engagement=OWN)


def plan(*places: PlannedPlace, leaving: tuple[str, ...] = (), **more: object) -> ReorganisationIn:
    going = [PlannedLeave(person_id=one, reason="调离") for one in leaving]
    given = {"name_zh": "调整", "from_day": DAY, "places": list(places), "leaving": going}
    return ReorganisationIn.model_validate(given | more)


def before(**places: str) -> dict[str, Placed]:
    return {person: Placed(person, centre, "member", OWN) for person, centre in places.items()}


def test_who_moves_joins_leaves_stays_and_is_forgotten() -> None:
    made = difference(
        before(A="C1", B="C1", C="C2", D="C2"),
        plan(place("A", "C1"), place("B", "C2"), place("E", "C1"), leaving=("C",)),
        contracting={"C2"},
    )

    assert [(one.person_id, one.from_centre_id, one.to_centre_id) for one in made.moves] == [
        ("B", "C1", "C2")
    ]
    assert [one.person_id for one in made.joining] == ["E"]
    assert [one.person_id for one in made.leaving] == ["C"]
    assert (made.staying, made.without_place, made.emptied) == (1, ("D",), ())
    heads = {one.centre_id: (one.before.own, one.after.own) for one in made.centres}
    assert heads == {"C1": (2, 2), "C2": (2, 1)}
    with pytest.raises(NotApplicable):
        require_applicable(made)


def test_a_concurrent_position_fills_a_place_and_counts_no_head() -> None:
    both = place("A", "MG", "deputy").model_copy(
        update={"concurrent": [ConcurrentPlace(centre_id="SS", position="chief")]}
    )
    wanted = [
        PlannedPositions(centre_id="SS", position="chief", places=1),
        PlannedPositions(centre_id="SS", position="clerk", places=2),
        PlannedPositions(centre_id="MG", position="deputy", places=0),
    ]

    made = difference({}, plan(both, positions=wanted), contracting=set())

    assert [(one.position, one.open) for one in made.vacancies] == [("clerk", 2), ("deputy", -1)]
    assert [(one.centre_id, one.after) for one in made.centres] == [
        ("MG", HeadCount(own=1, centre_hired=0, outsourced=0))
    ]


def test_a_contracting_centre_is_not_emptied() -> None:
    made = difference(before(A="C1"), plan(place("A", "C2")), contracting={"C1"})

    assert made.emptied == ("C1",)
    with pytest.raises(NotApplicable):
        require_applicable(made)


def test_a_plan_names_everybody_once_and_centres_that_are_there() -> None:
    opened = NewCentre(centre_id="C1", kind=CentreKind.TOWN, name="C1", name_zh="县城")
    given = plan(place("A", "C1"), place("B", "C9"), leaving=("A",), centres=[opened])

    found = [(one.pointer, one.code) for one in plan_faults(given, {"C1"})]

    assert found == [
        ("/centres/0/centre_id", "repeated"),
        ("/places/0/person_id", "named-twice"),
        ("/leaving/0/person_id", "named-twice"),
        ("/places/1/centre_id", "unknown-reference"),
    ]


people = st.dictionaries(st.sampled_from("ABCDEF"), st.sampled_from(["C1", "C2", "C3"]))


@given(people, people)
def test_the_difference_applied_to_what_was_before_gives_what_is_after(
    old: dict[str, str], new: dict[str, str]
) -> None:
    wanted = plan(
        *(place(person, centre) for person, centre in new.items()),
        leaving=tuple(old.keys() - new.keys()),
    )

    made = difference(before(**old), wanted, contracting=set())

    after = dict(old)
    for one in (*made.moves, *made.joining, *made.leaving):
        assert after.get(one.person_id) == one.from_centre_id
        if one.to_centre_id is None:
            del after[one.person_id]
        else:
            after[one.person_id] = one.to_centre_id
    assert after == new == {one: placed.centre_id for one, placed in planned(wanted).items()}
    assert made.without_place == ()
    assert made.staying == len(new) - len(made.moves) - len(made.joining)
