from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.contracts.domain.agreements import (
    Agreement,
    CountyContractFirst,
    FieldToSeal,
    NotSignable,
    contract_document,
    require_signable,
)
from huaxiao.contracts.domain.divisions import DivisionCodes, division_faults
from huaxiao.contracts.domain.fields import Drawing, drawing_faults, field_document
from huaxiao.contracts.domain.headcount import Pay, Placement, headcount, pay_faults
from huaxiao.shared.documents import digest
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.contracts import DivisionLevel, Engagement, FieldKind

BRANCH = 130123
BASE = tuple(201611 + n if n < 2 else 201701 + n - 2 for n in range(12))
COUNTY = Agreement("CT-COUNTY", "county", None, 201711, 201810, base_periods=BASE)
CENTRE = Agreement("CT-C1", "centre", "C1", 201711, 201810, ("F1",), BASE, "P1")
FIELD = FieldToSeal("F1", "C1", 201711, 201810, None)


def codes_of(faults: Any) -> list[str]:
    return [fault.code for fault in faults]


def test_the_county_contract_comes_first() -> None:
    with pytest.raises(CountyContractFirst):
        require_signable(CENTRE, {"F1": FIELD}, [])

    require_signable(CENTRE, {"F1": FIELD}, [COUNTY])


def test_a_county_contract_of_a_shorter_term_does_not_hold_a_centres() -> None:
    shorter = Agreement("CT-COUNTY", "county", None, 201711, 201809)

    with pytest.raises(CountyContractFirst):
        require_signable(CENTRE, {"F1": FIELD}, [shorter])


@pytest.mark.parametrize(
    ("field", "code"),
    [
        (None, "unknown-reference"),
        (FieldToSeal("F1", "C2", 201711, 201810, None), "other-centre"),
        (FieldToSeal("F1", "C1", 201711, 201809, None), "other-term"),
        (FieldToSeal("F1", "C1", 201711, 201810, "CT-X"), "field-sealed"),
    ],
)
def test_a_contract_binds_only_free_fields_of_its_centre_and_term(field: Any, code: str) -> None:
    with pytest.raises(NotSignable) as refused:
        require_signable(CENTRE, {"F1": field} if field else {}, [COUNTY])

    assert codes_of(refused.value.faults) == [code]


def test_a_centre_may_contract_for_what_the_county_contract_has_sealed() -> None:
    sealed = FieldToSeal("F1", "C1", 201711, 201810, COUNTY.contract_id)

    require_signable(CENTRE, {"F1": sealed}, [COUNTY])


def test_a_second_contract_of_a_centre_in_one_term_is_not_signable() -> None:
    again = Agreement("CT-C1-B", "centre", "C1", 201711, 201810, ("F1",), BASE, "P1")

    with pytest.raises(NotSignable) as refused:
        require_signable(again, {"F1": FIELD}, [COUNTY, CENTRE])

    assert "contract-overlap" in codes_of(refused.value.faults)


def test_the_base_is_each_month_of_the_year_before_once() -> None:
    short = Agreement("CT-COUNTY", "county", None, 201711, 201810, base_periods=BASE[:-1])

    with pytest.raises(NotSignable) as refused:
        require_signable(short, {}, [])

    assert codes_of(refused.value.faults) == ["bad-base"]


@pytest.mark.parametrize(
    ("drawing", "codes"),
    [
        (Drawing(FieldKind.REGIONAL, 201711, 201810, ("130123100",)), []),
        (Drawing(FieldKind.REGIONAL, 201711, 201710, ("130123100",)), ["bad-term"]),
        (Drawing(FieldKind.REGIONAL, 201711, 201810, ("130124100",)), ["outside-branch"]),
        (
            Drawing(FieldKind.REGIONAL, 201711, 201810, ("130123100", "130123100201")),
            ["overlapping-prefixes"],
        ),
        (
            Drawing(FieldKind.REGIONAL, 201711, 201810, ("130123100",), ("OLT-1", "OLT-12")),
            ["overlapping-prefixes"],
        ),
        (Drawing(FieldKind.CUSTOMER, 201711, 201810, ("130123100",)), ["not-of-this-kind"] * 1),
        (Drawing(FieldKind.CHANNEL, 201711, 201810, channel_ids=("H1",)), ["missing"]),
        (Drawing(FieldKind.CUSTOMER, 201711, 201810, customer_ids=("A", "A")), ["repeated"]),
    ],
)
def test_a_field_covers_what_its_kind_covers(drawing: Drawing, codes: list[str]) -> None:
    found = codes_of(drawing_faults(BRANCH, drawing))

    assert set(codes) <= set(found)
    assert bool(codes) == bool(found)


@given(st.permutations(["130123100", "130123101", "130123102"]))
def test_a_fields_digest_does_not_depend_on_the_order_of_its_lists(prefixes: list[str]) -> None:
    def document(ordered: list[str]) -> dict[str, Any]:
        scope = {"address_prefixes": ordered, "resource_prefixes": [], "customers": []}
        return {
            "kind": "regional",
            "centre_id": "C1",
            "name_zh": "片区",
            "term_from": 201711,
            "term_to": 201810,
            "scope": scope | {"channel_ids": [], "channel_mode": None},
        }

    first = field_document(BRANCH, "F1", document(sorted(prefixes)))
    assert digest(field_document(BRANCH, "F1", document(prefixes))) == digest(first)


def test_a_contracts_digest_changes_with_its_fields() -> None:
    text = {"level": "centre", "centre_id": "C1", "term_from": 1, "term_to": 2}
    text |= {"parties": {}, "terms": {}, "base": []}

    one, other = (digest(contract_document(BRANCH, "CT", text, {"F1": d})) for d in ("a", "b"))
    assert one != other


@pytest.mark.parametrize(
    ("given_division", "codes"),
    [
        (DivisionCodes("13", DivisionLevel.PROVINCE, None), []),
        (DivisionCodes("1301", DivisionLevel.CITY, "13"), []),
        (DivisionCodes("130123100201", DivisionLevel.VILLAGE, "130123100"), []),
        (DivisionCodes("130123100", DivisionLevel.VILLAGE, "130123"), ["bad-code-length"]),
        (DivisionCodes("130123100", DivisionLevel.TOWNSHIP, "130124"), ["bad-parent"]),
        (DivisionCodes("130124100", DivisionLevel.TOWNSHIP, "130124"), ["outside-branch"]),
    ],
)
def test_a_divisions_code_says_its_level_and_parent(
    given_division: DivisionCodes, codes: list[str]
) -> None:
    assert codes_of(division_faults(BRANCH, given_division, "/0")) == codes


PLACES = [
    Placement("P1", date(2017, 1, 1), Engagement.OWN, "C1"),
    Placement("P1", date(2017, 11, 15), Engagement.OWN, "C2"),
    Placement("W1", date(2017, 1, 1), Engagement.OUTSOURCED, "C1"),
]


def test_heads_are_counted_where_people_are_on_the_day() -> None:
    days = (date(2017, 11, 1), date(2017, 11, 14), date(2017, 11, 15), date(2017, 11, 30))

    assert [headcount(PLACES, "C1", day) for day in days] == [1, 1, 0, 0]
    assert [headcount(PLACES, "C2", day) for day in days] == [0, 0, 1, 1]
    assert headcount(PLACES, "C1", date(2016, 12, 31)) == 0


@pytest.mark.parametrize(
    ("person_id", "centre_id", "period", "codes"),
    [
        ("P1", "C1", 201711, []),
        ("P1", "C2", 201711, []),
        ("P1", "C2", 201710, ["other-centre"]),
        ("P1", "C1", 201712, ["other-centre"]),
        ("W1", "C1", 201711, ["not-own-staff"]),
        ("P1", "C1", 201612, ["unknown-reference"]),
        ("P9", "C1", 201711, ["unknown-reference"]),
    ],
)
def test_pay_is_recorded_where_own_staff_worked_in_the_period(
    person_id: str, centre_id: str, period: int, codes: list[str]
) -> None:
    pay = Pay(person_id, centre_id, Period(period), 100)

    assert codes_of(pay_faults([pay], PLACES)) == codes
