"""A ruling takes nothing off a locked list in any month of its term without being noticed (R21)."""

from typing import Any

import pytest
from attribution.unit.county import ORGANISATION
from attribution.unit.test_timelines import LINES, MONTHS, NEXT_TERM, names, registers
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.evidence import Register, gather
from huaxiao.attribution.domain.rulings import (
    Supplement,
    TakenOff,
    amendment_faults,
    faults,
    taken_off_lists,
)
from huaxiao.shared.periods import Period, periods_from
from huaxiao.shared.wire.attribution import RulingIn


def ruling(**given: Any) -> RulingIn:
    facts = {"subscription_ids": ["S-1"], "centre_id": "C2", "from_period": 201711, "reason": "why"}
    return RulingIn.model_validate(facts | given)


@given(
    registers(),
    names,
    st.sampled_from([("C2", None), ("G1", None), ("G1", "F-KEY")]),
    st.lists(st.sampled_from(MONTHS), min_size=2, max_size=2).map(sorted),
    st.booleans(),
)
def test_every_month_of_the_term_is_asked(
    register: Register,
    subscription_id: str,
    place: tuple[str, str | None],
    term: list[Period],
    ends: bool,
) -> None:
    first, last = term[0], term[1] if ends else None
    asked = ruling(
        subscription_ids=[subscription_id],
        centre_id=place[0],
        field_id=place[1],
        from_period=first,
        to_period=last,
    )
    left: dict[str | None, Period] = {}
    for period in periods_from(first, last or Period(202001)):
        listed = gather(subscription_id, period, register, NEXT_TERM).subject.listed
        if listed and (listed.placement.centre_id, listed.placement.field_id) != place:
            left.setdefault(listed.placement.field_id, period)
    found = taken_off_lists(asked, register, NEXT_TERM)
    assert found == [TakenOff(subscription_id, since, one) for one, since in left.items()]


@pytest.mark.parametrize(
    ("taken", "codes"),
    [
        ([], []),
        ([TakenOff("S-1", Period(201712), "F-KEY")], []),
        ([TakenOff("S-1", Period(201711), "F-KEY")], ["not-in-force"]),
        ([TakenOff("S-1", Period(201712), "F-OTHER")], ["another-contract"]),
        (
            [TakenOff("S-1", Period(201712), "F-KEY"), TakenOff("S-1", Period(201811), "F-NEXT")],
            ["another-contract"],
        ),
    ],
    ids=["nothing", "in force", "too early", "another's", "the next term's list as well"],
)
def test_an_amendment_is_of_the_lists_contract_and_in_force(
    taken: list[TakenOff], codes: list[str]
) -> None:
    amendment = Supplement("CT-1", 1, 201712, frozenset({"F-KEY"}))
    found = list(amendment_faults(amendment, taken))
    assert [(one.pointer, one.code) for one in found] == [("/amendment_id", one) for one in codes]


@given(
    registers(),
    st.sampled_from(["F-RURAL", "F-TOWN", "F-NONE", None]),
    st.sampled_from(MONTHS),
    st.none() | st.sampled_from(MONTHS),
)
def test_a_ruling_keeps_to_its_fields_term(
    register: Register, field_id: str | None, first: Period, last: Period | None
) -> None:
    asked = ruling(field_id=field_id, from_period=first, to_period=last)
    found = {one.code for one in faults(asked, register, ORGANISATION)}
    in_order = last is None or last >= first
    if field_id == "F-RURAL":
        fits = first >= 201711 and last is not None and last <= 201810
        assert fits == found.isdisjoint({"before-term", "beyond-term"})
    elif field_id is not None:
        assert "unknown" in found
    assert ("order" in found) == (not in_order)


def test_each_line_is_named_once_and_there() -> None:
    asked = ruling(subscription_ids=["S-1", "S-9", "S-1"], centre_id="C9")
    register = Register(dict.fromkeys(LINES))  # type: ignore[arg-type]
    found = [(one.pointer, one.code) for one in faults(asked, register, ORGANISATION)]
    assert found == [
        ("/subscription_ids/1", "unknown"),
        ("/subscription_ids/2", "twice"),
        ("/centre_id", "unknown"),
    ]
