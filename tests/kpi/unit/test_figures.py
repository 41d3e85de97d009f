from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.cli.sample.county import sample_county
from huaxiao.cli.sample.generator import MARKET_COST_PER_MILLE, generate
from huaxiao.kpi.definitions.rendering import definitions
from huaxiao.kpi.domain.definitions import unit_of
from huaxiao.kpi.domain.figures import (
    Payroll,
    Place,
    Term,
    contract_of,
    months_of,
    payroll,
    staffed,
)
from huaxiao.shared.books import Books, books
from huaxiao.shared.cost_kinds import COST_KINDS, CostClass, cost_class
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.kpi import Absence, Span, Unit

NOVEMBER, DECEMBER = Period(201711), Period(201712)
KINDS = [one.kind for one in COST_KINDS]
ACCOUNTS = [
    "revenue", "refunds", "adjustments", "bad_debt", "tax", "receivable", "payable", "cash.in",
    "cash.out.refund", *(f"cost.{kind}" for kind in [*KINDS, "lottery"]),
    *(f"cash.out.{kind}" for kind in [*KINDS, "lottery"]),
]  # fmt: skip


def test_accounts_come_to_the_figures_people_speak_of() -> None:
    held = books(
        [
            ("revenue", -1000), ("refunds", 30), ("adjustments", -20), ("bad_debt", 7),
            ("tax", -60), ("receivable", 99), ("payable", -5),
            ("cost.commission", 100), ("cost.hall_rent", 11), ("cost.tower_rent", 50),
            ("cost.depreciation", 40), ("cost.lottery", 3),
            ("cash.in", 900), ("cash.out.refund", -30), ("cash.out.commission", -80),
            ("cash.out.tower_rent", -50), ("cash.out.lottery", -3), ("cash.out.own_staff_pay", -9),
        ]
    )  # fmt: skip

    assert held == Books(
        revenue_fen=990,
        market_cost_fen=111,
        network_line_cost_fen=50,
        other_cost_fen=40,
        unclassified_cost_fen=3,
        cash_in_fen=900,
        cash_out_fen=163,
    )
    assert held.centre_margin_fen == 829


entries = st.lists(st.tuples(st.sampled_from(ACCOUNTS), st.integers(-(10**12), 10**12)))


@given(st.lists(entries, max_size=6))
def test_the_countys_sums_are_the_sums_of_its_centres(centres: list[list[tuple[str, int]]]) -> None:
    whole = books(account for centre in centres for account in centre)
    parts = [books(centre) for centre in centres]

    for name in Books.__dataclass_fields__:
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts)


def test_each_cost_is_in_one_class_and_none_vanishes() -> None:
    assert len(KINDS) == len(set(KINDS))
    assert cost_class("lottery") is CostClass.UNCLASSIFIED
    for kind in [*KINDS, "lottery"]:
        held = books([(f"cost.{kind}", 5)])
        assert (
            held.market_cost_fen
            + held.network_line_cost_fen
            + held.other_cost_fen
            + held.unclassified_cost_fen
        ) == 5


def test_the_sample_county_spends_on_the_same_lists() -> None:
    sample = generate(sample_county(), 7, 300)
    spent = Counter[CostClass]()
    for event in sample.events:
        if event["type"] == "cost.incurred":
            spent[cost_class(event["data"]["kind"])] += event["data"]["amount_fen"]
    planned = sum(
        net * MARKET_COST_PER_MILLE[centre_id] // 1000
        for centre_id, net in sample.expected.revenue_fen.items()
    )

    assert set(spent) == {CostClass.MARKET, CostClass.NETWORK_LINE}
    assert spent[CostClass.MARKET] >= planned


def row(pay: int, start: int, end: int) -> dict[str, int]:
    return {"pay": pay, "headcount.start": start, "headcount.end": end}


STAFFED = {NOVEMBER: frozenset({"C1", "C2"}), DECEMBER: frozenset({"C1", "C2"})}


def test_pay_is_summed_over_centres_and_months_with_heads_kept_whole() -> None:
    recorded = {
        ("C1", NOVEMBER): row(100, 3, 4),
        ("C1", DECEMBER): row(110, 4, 4),
        ("C2", NOVEMBER): row(50, 2, 2),
        ("C2", DECEMBER): row(50, 2, 1),
    }

    found, missing = payroll(
        recorded,
        centres=["C1", "C2", "C0"],
        months=[NOVEMBER, DECEMBER],
        paid_months=frozenset({NOVEMBER, DECEMBER}),
        staffed_in=STAFFED,
    )

    assert (found, missing) == (Payroll(310, 22), ())


def test_pay_is_not_known_while_a_centre_with_staff_has_none_recorded() -> None:
    recorded = {
        ("C1", NOVEMBER): row(100, 3, 4),
        ("C1", DECEMBER): row(110, 4, 4),
        ("C2", NOVEMBER): row(50, 2, 2),
    }
    given = {
        "months": [NOVEMBER, DECEMBER],
        "paid_months": frozenset({NOVEMBER, DECEMBER}),
        "staffed_in": STAFFED,
    }

    assert payroll(recorded, centres=["C1", "C2"], **given) == (None, (DECEMBER,))  # type: ignore[arg-type]
    assert payroll(recorded, centres=["C1"], **given) == (Payroll(210, 15), ())  # type: ignore[arg-type]


def test_nobodys_pay_is_known_of_a_month_without_any_and_a_centre_without_staff_has_none() -> None:
    def of(paid_months: frozenset[int]) -> object:
        return payroll(
            {}, centres=["C0"], months=[NOVEMBER], paid_months=paid_months, staffed_in=STAFFED
        )

    assert of(frozenset()) == (None, (NOVEMBER,))
    assert of(frozenset({201711})) == (Payroll(0, 0), ())


def test_own_staff_is_counted_where_it_is_at_either_end_of_the_month() -> None:
    places = [
        Place("P1", date(2017, 11, 1), "C1", own_staff=True),
        Place("P1", date(2017, 11, 30), "C2", own_staff=True),
        Place("P2", date(2017, 12, 1), "C3", own_staff=True),
        Place("W1", date(2017, 1, 1), "C4", own_staff=False),
    ]
    assert staffed(places, NOVEMBER) == {"C1", "C2"}
    assert staffed(places, DECEMBER) == {"C2", "C3"}
    assert staffed(places, Period(201710)) == frozenset()


COUNTY = Term("CT", None, NOVEMBER, Period(201810))
OWN = Term("CT-C1", "C1", DECEMBER, Period(201810))


@pytest.mark.parametrize(
    ("span", "own", "county", "first"),
    [
        (Span.MONTH, OWN, COUNTY, 201802),
        (Span.YEAR_TO_DATE, OWN, COUNTY, 201712),
        (Span.YEAR_TO_DATE, None, COUNTY, 201711),
        (Span.YEAR_TO_DATE, None, None, 201801),
    ],
)
def test_the_year_runs_from_the_contract_or_else_from_january(
    span: Span, own: Term | None, county: Term | None, first: int
) -> None:
    months = months_of(span, Period(201802), own, county)
    assert (months[0], months[-1]) == (first, 201802)


def test_the_contract_in_force_is_the_one_whose_term_covers_the_period() -> None:
    terms = [COUNTY, OWN, Term("CT-OLD", "C1", Period(201611), Period(201710))]
    assert contract_of(terms, "C1", Period(201710)) == terms[2]
    assert contract_of(terms, "C1", NOVEMBER) is None
    assert contract_of(terms, "C1", DECEMBER) == OWN
    assert contract_of(terms, None, NOVEMBER) == COUNTY


def test_the_definitions_say_everything_in_both_languages() -> None:
    said = definitions()
    for one in said.targets:
        assert one.formula
        assert one.formula_zh
    for told in (*said.rules, *said.reasons):
        assert all(value for value in told.model_dump().values())
    assert {one.kind for one in said.cost_kinds} == set(KINDS)
    unknown = {one.measure for one in said.measures if one.absent is Absence.UNKNOWN}
    assert unknown == {"pay", "headcount.start", "headcount.end"}


@pytest.mark.parametrize(
    ("measure", "unit"),
    [
        ("cost.commission", Unit.FEN),
        ("pay", Unit.FEN),
        ("headcount.end", Unit.PEOPLE),
        ("orders.late", Unit.ORDERS),
        ("appraisal.horizontal.count", Unit.APPRAISALS),
        ("appraisal.final.score", Unit.HUNDREDTHS),
    ],
)
def test_every_measure_has_its_unit(measure: str, unit: Unit) -> None:
    assert unit_of(measure) is unit
