"""Centres and channels through time, and what a plan changes of them (R10, R11, R20, R21)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.contracts.domain.organisation import (
    Belongings,
    Bound,
    CentreLife,
    CentreNotClosable,
    CentreNotOpen,
    ChannelLife,
    ChannelSeal,
    Home,
    Register,
    State,
    held_on,
    lasting_faults,
    require_after,
    require_closable,
    require_taking,
    seals_broken,
)
from huaxiao.contracts.domain.reorganisation import (
    NotApplicable,
    difference,
    plan_faults,
    require_applicable,
)
from huaxiao.contracts.domain.restructuring import restructuring, restructuring_faults
from huaxiao.shared.problems import Conflict
from huaxiao.shared.wire.contracts import CentreKind, ChannelKind, Engagement
from huaxiao.shared.wire.organisation import ReorganisationIn

BEFORE, DAY, LATER = date(2017, 12, 31), date(2018, 1, 1), date(2018, 6, 1)


def centre(centre_id: str, *states: State) -> CentreLife:
    begun = states or (State(None, centre_id, centre_id),)
    return CentreLife(centre_id, CentreKind.TOWN, begun)


def channel(channel_id: str, *homes: Home) -> ChannelLife:
    return ChannelLife(channel_id, ChannelKind.AGENT, channel_id, homes)


def closed(day: date) -> State:
    return State(day, "C", "C", open=False, reason="并入")


SEAL = ChannelSeal("A1", "H1", "C1", "CT-C1", "0" * 64)
REGISTER = Register(
    default_centre_id="C0",
    centres={
        one.centre_id: one
        for one in (
            centre("C0"),
            centre("C1"),
            centre("C2"),
            centre("C9", State(None, "C9", "C9"), closed(DAY)),
        )
    },
    channels={
        "A1": channel("A1", Home(None, "C1")),
        "A2": channel("A2", Home(None, "C1"), Home(BEFORE, "C2")),
        "A9": channel("A9", Home(None, "C1"), Home(DAY, "C1", open=False, reason="退网")),
    },
    seals=(SEAL,),
    belongings=Belongings(
        people=frozenset({("C1", "P1"), ("C2", "P2")}),
        channels=frozenset({("C1", "A1"), ("C2", "A2")}),
        contracts=frozenset({("C1", "CT-C1")}),
        sealed_fields=frozenset({("C1", "H1")}),
    ),
)


def plan(**given: object) -> ReorganisationIn:
    return ReorganisationIn.model_validate({"name_zh": "调整", "from_day": DAY} | given)


def place(person_id: str, centre_id: str, **more: object) -> dict[str, object]:
    held = {"person_id": person_id, "centre_id": centre_id, "position": "member"}
    return held | {"engagement": Engagement.OWN} | more


def test_a_state_holds_from_its_day_until_the_next() -> None:
    opened, renamed = State(DAY, "Old", "旧"), State(LATER, "New", "新")
    states = (opened, renamed, closed(date(2018, 9, 1)))

    found = [
        held_on(states, day)
        for day in (BEFORE, DAY, LATER - timedelta(1), LATER, date(2018, 8, 31), date(2018, 9, 1))
    ]

    assert found == [None, opened, opened, renamed, renamed, None]


days = st.dates(date(2017, 1, 1), date(2019, 12, 31))


@given(st.lists(days, min_size=1, max_size=6, unique=True), days)
def test_the_history_of_a_channel_places_it_once_on_every_day(moves: list[date], day: date) -> None:
    later = [Home(one, f"C{number}") for number, one in enumerate(sorted(moves), 1)]
    homes = (Home(None, "C0"), *later)

    held = held_on(homes, day)

    assert held is not None
    assert held.centre_id == f"C{sum(one <= day for one in moves)}"
    assert [held, *later][-1] == channel("A", *homes).homes_from(day)[-1]


def test_a_history_is_continued_and_never_rewritten() -> None:
    moved = (Home(None, "C1"), Home(DAY, "C2"))

    require_after("A1", moved, DAY + timedelta(1))
    with pytest.raises(Conflict):
        require_after("A1", moved, DAY)
    with pytest.raises(Conflict):
        require_after("C9", REGISTER.centres["C9"].states, LATER)


def test_a_centre_takes_nobody_before_it_opens_nor_once_its_closing_is_known() -> None:
    lives = {"C3": centre("C3", State(DAY, "C3", "C3")), "C9": REGISTER.centres["C9"]}

    require_taking([("/centre_id", "C3")], lives, DAY)
    with pytest.raises(CentreNotOpen) as early:
        require_taking([("/centre_id", "C3")], lives, BEFORE)
    with pytest.raises(CentreNotOpen) as closing:
        require_taking([("/centre_id", "C9")], lives, BEFORE)

    assert [one.faults[0].pointer for one in (early.value, closing.value)] == ["/centre_id"] * 2


def test_a_centre_closes_with_nothing_left_and_what_is_left_is_named() -> None:
    with pytest.raises(CentreNotClosable) as refused:
        require_closable(REGISTER.remaining("C1"))
    with pytest.raises(CentreNotClosable) as pool:
        require_closable(REGISTER.remaining("C0"))
    require_closable(REGISTER.remaining("C9"))

    assert refused.value.extensions == {
        "people": ["P1"],
        "channels": ["A1"],
        "contracts": ["CT-C1"],
        "sealed_fields": ["H1"],
        "holds_the_pool": False,
    }
    assert pool.value.extensions["holds_the_pool"]


def test_a_plan_shows_what_opens_what_is_called_otherwise_what_moves_and_what_closes() -> None:
    wanted = plan(
        centres=[{"centre_id": "C3", "kind": "own_hall", "name": "Hall", "name_zh": "厅"}],
        renamed=[{"centre_id": "C1", "name": "Town", "name_zh": "县城"}],
        closed=[{"centre_id": "C2", "reason": "并入县城"}],
        channels=[
            {"channel_id": "A2", "centre_id": "C3"},
            {"channel_id": "A1", "centre_id": "C1"},
        ],
        places=[place("P1", "C1"), place("P2", "C3")],
    )

    made = restructuring(wanted, REGISTER)

    assert [one.centre_id for one in made.opened] == ["C3"]
    assert [(one.centre_id, one.from_name, one.to_name) for one in made.renamed] == [
        ("C1", "C1", "Town")
    ]
    assert [(one.channel_id, one.from_centre_id, one.to_centre_id) for one in made.channels] == [
        ("A2", "C2", "C3")
    ]
    assert [(one, left.is_empty) for one, left in made.closed] == [("C2", True)]
    assert not made.touches_sealed_field
    assert list(restructuring_faults(wanted, REGISTER)) == []


def test_a_channel_that_leaves_its_sealed_field_touches_it_and_so_does_closing_it() -> None:
    away = restructuring(plan(channels=[{"channel_id": "A1", "centre_id": "C2"}]), REGISTER)
    closing = restructuring(
        plan(closed_channels=[{"channel_id": "A1", "reason": "退网"}]), REGISTER
    )
    free = restructuring(plan(channels=[{"channel_id": "A2", "centre_id": "C1"}]), REGISTER)

    # One that lies elsewhere may come to the centre whose field names it.
    assert seals_broken([SEAL], "A1", "C1") == []
    assert [one.seals_broken for one in (away, closing, free)] == [[SEAL], [SEAL], []]
    assert [one.touches_sealed_field for one in (away, closing, free)] == [True, True, False]


def test_a_centre_that_would_close_with_something_left_is_not_applied() -> None:
    """Whoever the plan does not name stays where they are, in concurrent positions too."""
    wanted = plan(
        closed=[{"centre_id": "C1", "reason": "并入"}, {"centre_id": "C2", "reason": "并入"}],
        places=[place("P1", "C0", concurrent=[{"centre_id": "C2", "position": "chief"}])],
        closed_channels=[{"channel_id": "A2", "reason": "退网"}],
    )

    made = restructuring(wanted, REGISTER)

    assert made.touches_sealed_field
    left = dict(made.not_closable)
    assert (left["C1"].people, left["C1"].sealed_fields) == ((), ("H1",))
    assert (left["C2"].people, left["C2"].channels) == (("P1", "P2"), ())
    with pytest.raises(NotApplicable) as refused:
        require_applicable(difference({}, plan(), set()), made, ["NL-06"])
    named = refused.value.extensions["centres_not_closable"]
    assert [one["centre_id"] for one in named] == ["C1", "C2"]
    assert refused.value.extensions["entries"] == ["NL-06"]


def test_a_plan_names_centres_and_channels_once_and_only_those_that_are_there() -> None:
    wanted = plan(
        renamed=[
            {"centre_id": "C1", "name": "A", "name_zh": "A"},
            {"centre_id": "C8", "name": "B", "name_zh": "B"},
        ],
        closed=[{"centre_id": one, "reason": "x"} for one in ("C1", "C2", "C9")],
        channels=[
            {"channel_id": "A1", "centre_id": "C2"},
            {"channel_id": "A9", "centre_id": "C1"},
            {"channel_id": "A8", "centre_id": "C7"},
        ],
        closed_channels=[{"channel_id": "A1", "reason": "x"}],
        places=[place("P1", "C9")],
    )

    found = {
        (one.pointer, one.code)
        for one in (
            *plan_faults(wanted, REGISTER.centres.keys()),
            *restructuring_faults(wanted, REGISTER),
        )
    }

    assert found == {
        ("/renamed/0/centre_id", "named-twice"),
        ("/closed/0/centre_id", "named-twice"),
        ("/renamed/1/centre_id", "unknown-reference"),
        ("/closed/2/centre_id", "not-open"),
        ("/channels/0/channel_id", "named-twice"),
        ("/closed_channels/0/channel_id", "named-twice"),
        ("/channels/1/channel_id", "not-open"),
        ("/channels/2/channel_id", "unknown-reference"),
        ("/channels/0/centre_id", "not-open"),
        ("/channels/1/centre_id", "not-open"),
        ("/channels/2/centre_id", "unknown-reference"),
        ("/places/0/centre_id", "not-open"),
    }


def test_a_contract_is_not_signed_for_what_closes_or_leaves_within_its_term() -> None:
    bound = [Bound("/centre_id", "C9"), Bound("/field_ids/0", "C1", ("A1", "A2", "A9"))]

    found = lasting_faults(bound, REGISTER.centres, REGISTER.channels, (date(2017, 11, 1), LATER))
    over = lasting_faults(
        bound, REGISTER.centres, REGISTER.channels, (date(2017, 1, 1), date(2017, 12, 30))
    )

    assert [(one.pointer, one.code) for one in found] == [
        ("/centre_id", "centre-closes"),
        ("/field_ids/0", "channel-leaves"),
        ("/field_ids/0", "channel-leaves"),
    ]
    assert list(over) == []
