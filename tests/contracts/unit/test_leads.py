"""Leads: parts that make a whole, who may decide, where a lead stands on a day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.contracts.domain.leads import (
    LeadNotApproved,
    Part,
    decision_faults,
    lead_id_of,
    number_of,
    owner_faults,
    part_faults,
    require_convertible,
    require_somebody_else,
    state_of,
)
from huaxiao.contracts.domain.organisation import CentreLife, State
from huaxiao.contracts.domain.references import (
    NotWorkingHere,
    repeated_faults,
    require_working_here,
)
from huaxiao.shared.leads import LEAD_HOLDS, WHOLE
from huaxiao.shared.money import split_fen
from huaxiao.shared.problems import TwoPeople
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.leads import LeadState

APPROVED_ON = date(2017, 10, 20)
NAMED = [("/people/0/person_id", "P1"), ("/people/1/person_id", "P2")]


def parts(*shares: int) -> list[Part]:
    return [Part(f"P{number}", share) for number, share in enumerate(shares, start=1)]


@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=20))
def test_shares_that_make_a_whole_are_taken_and_split_any_amount_to_the_fen(
    weights: list[int],
) -> None:
    shares = [one for one in split_fen(WHOLE, weights) if one]

    assert list(part_faults(parts(*shares))) == []
    assert sum(split_fen(-12_345, shares)) == -12_345


@given(st.lists(st.integers(1, WHOLE), min_size=1, max_size=20))
def test_shares_are_refused_exactly_when_they_make_no_whole(shares: list[int]) -> None:
    faults = [one.code for one in part_faults(parts(*shares))]

    assert faults == ([] if sum(shares) == WHOLE else ["not-a-whole"])


def test_a_person_has_one_part() -> None:
    twice = [Part("P1", 5_000), Part("P2", 2_500), Part("P1", 2_500)]

    assert [(one.pointer, one.code) for one in part_faults(twice)] == [
        ("/people/2/person_id", "repeated")
    ]


def test_only_who_works_here_on_the_day_has_a_part() -> None:
    require_working_here(NAMED, {"P1", "P2"}, APPROVED_ON)
    with pytest.raises(NotWorkingHere) as refused:
        require_working_here(NAMED, {"P1"}, APPROVED_ON)
    assert [one.pointer for one in refused.value.faults] == ["/people/1/person_id"]


@given(st.integers(1, 2**31 - 1))
def test_an_identifier_leads_back_to_the_number_it_was_made_of(number: int) -> None:
    assert number_of(lead_id_of(number)) == number


@pytest.mark.parametrize(
    "other",
    ["LD-17", "LD-0000017", "LD-000000", "LD-", "17", "XX-000017", "LD-٠٠٠٠١٧", "LD-2147483648"],
)
def test_no_other_spelling_names_a_lead(other: str) -> None:
    assert lead_id_of(17) == "LD-000017"
    assert number_of(other) is None


@pytest.mark.parametrize(
    ("subject", "person_id"), [("bringer", None), ("bringer", "P9"), ("other", "P2")]
)
def test_nobody_decides_their_own_lead(subject: str, person_id: str | None) -> None:
    with pytest.raises(TwoPeople):
        require_somebody_else(
            subject=subject, person_id=person_id, brought_by="bringer", person_ids={"P1", "P2"}
        )
    require_somebody_else(
        subject="other", person_id="P9", brought_by="bringer", person_ids={"P1", "P2"}
    )


TODAY = date(2017, 11, 20)


def centre(kind: CentreKind, *later: State) -> CentreLife:
    return CentreLife("C1", kind, (State(None, "C1", "一中心"), *later))


def test_a_centre_that_is_to_close_has_no_leads_revenue() -> None:
    closing = State(date(2018, 1, 1), "C1", "一中心", open=False)

    faults = owner_faults(centre(CentreKind.TOWN, closing), TODAY)

    assert [one.code for one in faults] == ["centre-not-open"]


@pytest.mark.parametrize("kind", CentreKind)
def test_revenue_goes_to_centres_that_sell_and_serve(kind: CentreKind) -> None:
    serves = kind in {"town", "township", "own_hall", "enterprise"}
    assert [one.code for one in owner_faults(centre(kind), TODAY)] == (
        [] if serves else ["no-service-centre"]
    )


def test_only_an_approval_has_terms_and_a_line_is_named_once() -> None:
    assert list(decision_faults(approved=True, terms={"months": 3})) == []
    assert [
        one.pointer for one in decision_faults(approved=False, terms={"months": 3, "o": None})
    ] == ["/months"]
    assert [one.pointer for one in repeated_faults("/subscription_ids", ["S-1", "S-2", "S-1"])] == [
        "/subscription_ids/2"
    ]


@given(st.integers(0, 200))
def test_an_approved_lead_holds_for_ninety_days_and_no_day_longer(days: int) -> None:
    state = state_of(
        approved=True,
        decided_on=APPROVED_ON,
        converted=False,
        today=APPROVED_ON + timedelta(days=days),
    )

    assert LEAD_HOLDS.days == 90
    assert state is (LeadState.APPROVED if days <= 90 else LeadState.VOID)


@pytest.mark.parametrize(
    ("approved", "converted", "state"),
    [
        (None, False, LeadState.BROUGHT),
        (False, False, LeadState.REJECTED),
        (True, True, LeadState.CONVERTED),
    ],
)
def test_only_an_approved_lead_becomes_lines(
    approved: bool | None, converted: bool, state: LeadState
) -> None:
    decided_on = None if approved is None else APPROVED_ON
    late = APPROVED_ON + timedelta(days=1_000)
    found = state_of(approved=approved, decided_on=decided_on, converted=converted, today=late)

    assert found is state
    with pytest.raises(LeadNotApproved):
        require_convertible(found)
    require_convertible(LeadState.APPROVED)
