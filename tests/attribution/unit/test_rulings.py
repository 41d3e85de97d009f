"""A ruling takes nothing off a locked list in any month of its term without being noticed (R21)."""

from typing import Any

from attribution.unit.county import ORGANISATION
from attribution.unit.test_timelines import LINES, MONTHS, NEXT_TERM, names, registers
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.evidence import Register, gather
from huaxiao.attribution.domain.rulings import faults, taken_off_lists
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
    listed = [
        found.placement
        for period in periods_from(first, last or Period(202001))
        if (found := gather(subscription_id, period, register, NEXT_TERM).subject.listed)
    ]
    leaves = any((one.centre_id, one.field_id) != place for one in listed)
    found = list(taken_off_lists(asked, register, NEXT_TERM))
    assert found == ([subscription_id] if leaves else [])


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
