from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from huaxiao.kpi.county.loading import County, Shown
from huaxiao.kpi.domain.built_in import BUILT_IN
from huaxiao.kpi.domain.definitions import BALANCES
from huaxiao.kpi.domain.evaluating import Evaluation, grows, measures_in
from huaxiao.kpi.domain.figures import Base, Payroll
from huaxiao.kpi.domain.formulas import faults_of, formulas_of
from huaxiao.kpi.domain.goals import Goal, shown
from huaxiao.kpi.domain.known import Cause, Known, YearBefore
from huaxiao.kpi.domain.months import BranchMonths
from huaxiao.kpi.domain.named import all_named, unit_named
from huaxiao.kpi.domain.units import Dimension
from huaxiao.shared.books import Books, books
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.figures import Expression, FigureIn, FigureSetIn, ShownAs
from huaxiao.shared.wire.kpi import ReasonCode

Json = dict[str, Any]
NOVEMBER = Period(201711)
_expressions: TypeAdapter[Expression] = TypeAdapter(Expression)


def measure(name: str) -> Json:
    return {"op": "measure", "measure": name}


def constant(value: str, unit: str = "ratio") -> Json:
    return {"op": "constant", "value": value, "unit": unit}


def ratio(numerator: Json, denominator: Json) -> Json:
    return {"op": "ratio", "numerator": numerator, "denominator": denominator}


def total(*terms: Json) -> Json:
    return {"op": "sum", "terms": list(terms)}


def difference(minuend: Json, subtrahend: Json) -> Json:
    return {"op": "difference", "minuend": minuend, "subtrahend": subtrahend}


def growth(of: Json) -> Json:
    return {"op": "growth", "of": of}


def another(figure: str) -> Json:
    return {"op": "figure", "figure": figure}


def figure(name: str, formula: Json, **given: Any) -> FigureIn:
    usual = {
        "figure": name,
        "title": name,
        "title_zh": "指标",
        "text": "",
        "text_zh": "",
        "source": "county rule 7",
        "unit": "ratio",
        "direction": "higher",
        "shown_as": "percent",
        "formula": formula,
    }
    return FigureIn.model_validate(usual | given)


ON_TIME = figure(
    "on_time_rate",
    ratio(measure("orders.on_time"), total(measure("orders.on_time"), measure("orders.late"))),
    goal={"boundary": "0.9", "comparison": "at_least", "at_risk_within": "0.02"},
)
PER_HEAD = figure(
    "revenue_per_head",
    ratio(measure("net_revenue"), measure("average_headcount")),
    unit="fen/people",
    shown_as="yuan",
)
COMPLAINTS = figure(
    "complaint_rate",
    ratio(measure("tickets.complaint"), measure("orders.done")),
    unit="tickets/orders",
    direction="lower",
    goal={"boundary": "0.05", "comparison": "at_most"},
)


@pytest.mark.parametrize(
    "one", [*BUILT_IN, ON_TIME, PER_HEAD, COMPLAINTS], ids=lambda one: one.figure
)
def test_what_ships_and_what_counties_add_pass_the_same_checks(one: FigureIn) -> None:
    renamed = one.model_copy(update={"figure": "some_figure"})
    assert list(faults_of([renamed])) == []


FAULTS: Mapping[str, tuple[Json, str, str]] = {
    "an unknown measure": (measure("net_revenues"), "unknown-measure", "/measure"),
    "pay as its feed names it, of which some may be missing": (
        measure("headcount.start"), "unknown-measure", "/measure",
    ),
    "a name that only begins like a measure": (measure("cost."), "unknown-measure", "/measure"),
    "an unknown figure": (another("nowhere"), "unknown-figure", "/figure"),
    "fen and people added": (
        total(measure("pay"), measure("average_headcount")), "unit-mismatch", "/terms/1",
    ),
    "fen less a plain number": (
        difference(measure("pay"), constant("1")), "unit-mismatch", "/subtrahend",
    ),
    "division by zero": (
        ratio(measure("pay"), constant("0", "fen")), "division-by-zero", "/denominator",
    ),
    "division by what comes to zero": (
        ratio(measure("pay"), difference(constant("2", "fen"), constant("2.0", "fen"))),
        "division-by-zero",
        "/denominator",
    ),
    "growth of what grows": (growth(growth(measure("pay"))), "nested-growth", "/of"),
    "growth of a figure that grows": (
        growth(another("cash_flow_growth")), "nested-growth", "/of",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_formula_that_cannot_be_computed_is_refused_with_the_place(name: str) -> None:
    formula, code, place = FAULTS[name]
    found = list(faults_of([figure("own", formula)]))
    assert [(one.code, one.pointer) for one in found][:1] == [(code, f"/figures/0/formula{place}")]
    assert all(one.message and one.message_zh for one in found)


def test_figures_that_come_back_to_themselves_are_refused() -> None:
    first = figure("first", total(another("second"), constant("1")))
    second = figure("second", another("third"))
    third = figure("third", ratio(another("first"), constant("2")))
    aside = figure("aside", another("first"))

    found = [(one.code, one.pointer) for one in faults_of([first, second, third, aside])]

    assert found == [("cycle", f"/figures/{index}/formula") for index in range(3)]
    own = figure("own", another("own"))
    assert [one.code for one in faults_of([own])] == ["cycle"]


def test_a_figure_says_its_unit_and_the_way_that_is_better() -> None:
    in_fen = figure("own", ratio(measure("net_revenue"), measure("average_headcount")), unit="fen")
    backwards = COMPLAINTS.model_copy(update={"direction": ON_TIME.direction})
    taken = figure("cash_flow_growth", measure("pay"), unit="fen")

    found = [(one.code, one.pointer) for one in faults_of([in_fen, backwards, taken, backwards])]

    assert found == [
        ("built-in-figure", "/figures/2/figure"),
        ("duplicate-figure", "/figures/3/figure"),
        ("unit-mismatch", "/figures/0/unit"),
        ("direction-mismatch", "/figures/1/direction"),
        ("direction-mismatch", "/figures/3/direction"),
    ]


@pytest.mark.parametrize(
    "given",
    [
        {"op": "power", "of": measure("pay")},
        {"op": "constant", "value": "NaN"},
        {"op": "constant", "value": "Infinity"},
        {"op": "constant", "value": "1e400"},
        {"op": "constant", "value": "0.0000000000001"},
        {"op": "measure", "measure": "__import__('os')"},
        {"op": "sum", "terms": []},
        {"op": "sum", "terms": [measure("pay")] * 51},
        {"op": "ratio", "numerator": measure("pay")},
        {"op": "measure", "measure": "pay", "times": 2},
    ],
)
def test_a_formula_is_data_of_seven_kinds_and_nothing_else(given: Json) -> None:
    with pytest.raises(ValidationError):
        _expressions.validate_python(given)


def test_a_formula_too_deep_is_refused_and_does_not_fall_over() -> None:
    deep = measure("pay")
    for _ in range(3_000):
        deep = growth(deep)
    with pytest.raises(ValidationError):
        _expressions.validate_python(deep)


def test_figures_that_grow_by_powers_are_refused_before_anything_is_computed() -> None:
    doubling = [figure("f0", measure("pay"), unit="fen")]
    doubling += [
        figure(f"f{one}", total(another(f"f{one - 1}"), another(f"f{one - 1}")), unit="fen")
        for one in range(1, 60)
    ]
    found = list(faults_of(doubling))
    assert {one.code for one in found} == {"too-complex"}
    assert found[0].pointer == "/figures/10/formula"


def test_figures_that_lie_too_deep_are_refused_and_do_not_fall_over() -> None:
    def deep(formula: Json, levels: int) -> Json:
        for _ in range(levels):
            formula = total(formula)
        return formula

    chain = [figure("f0", measure("pay"), unit="fen")]
    chain += [
        figure(f"f{one}", deep(another(f"f{one - 1}"), 80), unit="fen") for one in range(1, 100)
    ]
    assert {one.code for one in faults_of(chain)} == {"too-complex"}
    assert len(list(faults_of(chain))) == 99
    assert list(faults_of([figure("f0", deep(measure("pay"), 50), unit="fen")])) == []


@pytest.mark.parametrize(
    ("text", "over", "comes_to"),
    [
        ("fen", "people", "fen/people"),
        ("fen", "fen", "ratio"),
        ("fen/people", "people", "fen/people/people"),
        ("ratio", "fen", "ratio/fen"),
        ("fen", "fen/people", "people"),
        ("fen*orders", "orders", "fen"),
    ],
)
def test_units_divide(text: str, over: str, comes_to: str) -> None:
    found = Dimension.of(text).over(Dimension.of(over))
    assert str(found) == comes_to
    assert Dimension.of(str(found)) == found


def base(**given: int) -> Base:
    return Base(**(dict.fromkeys(Base.__dataclass_fields__, 0) | given))


KNOWN = Known(
    books=Books(revenue_fen=1_200_00, market_cost_fen=100),
    payroll=Payroll(600, 12),
    base=base(revenue_fen=1_000_00, pay_fen=500, half_person_months=12),
    accounts={"orders.on_time": 91, "orders.late": 9, "tickets.complaint": 4, "orders.done": 100},
    months=2,
    year_before=YearBefore({"dispatch.order.finished": {"orders.done": 80}}),
)


def evaluated(formula: Json, known: Known = KNOWN, *others: FigureIn) -> Fraction | list[str]:
    expression = _expressions.validate_python(formula)
    found = Evaluation(known, formulas_of(others)).value(expression)
    if found.amount is None:
        return [one.code.value for one in found.causes]
    return Fraction(found.amount.numerator, found.amount.denominator)


def test_formulas_come_to_exact_values() -> None:
    heads = measure("average_headcount")
    assert evaluated(heads) == 3
    assert evaluated(ratio(measure("net_revenue"), heads)) == 40_000
    assert evaluated(growth(ratio(measure("net_revenue"), heads))) == Fraction(1, 5)
    assert evaluated(growth(measure("orders.done"))) == Fraction(1, 4)
    assert evaluated(difference(constant("0.1"), constant("0.3"))) == Fraction(-1, 5)
    assert evaluated(total(ratio(constant("1"), constant("3")), constant("0.5"))) == Fraction(5, 6)
    assert evaluated(another("on_time_rate"), KNOWN, ON_TIME) == Fraction(91, 100)
    assert evaluated(another("market_gross_margin")) == Fraction(1199, 1200)


def test_what_is_not_known_names_every_cause_once() -> None:
    nothing = Known(
        None,
        None,
        None,
        tuple(
            Cause(code)
            for code in (ReasonCode.NO_BOOKS, ReasonCode.PAYROLL_MISSING, ReasonCode.NO_BASE)
        ),
    )
    assert evaluated(total(measure("net_revenue"), measure("cash_in")), nothing) == ["no_books"]
    assert evaluated(measure("receivable"), nothing) == ["no_books"]
    assert evaluated(measure("orders.done"), nothing) == 0
    both = growth(difference(measure("cash_in"), measure("pay")))
    assert evaluated(both, nothing) == ["no_books", "payroll_missing", "no_base"]


def test_what_cannot_be_divided_by_is_named() -> None:
    empty = Known(Books(), Payroll(0, 0), base())
    assert evaluated(ratio(measure("pay"), measure("headcount")), empty) == ["no_staff"]
    assert evaluated(ratio(measure("pay"), measure("net_revenue")), empty) == ["no_revenue"]
    assert evaluated(ratio(measure("pay"), measure("orders.done")), empty) == ["not_positive"]
    assert evaluated(growth(measure("pay")), empty) == ["base_not_positive"]
    assert evaluated(growth(measure("orders.done")), empty) == ["no_base"]
    of_nothing = growth(ratio(measure("pay"), measure("headcount")))
    assert evaluated(of_nothing, empty) == ["no_staff", "base_not_positive"]


def test_a_formula_tells_its_measures_and_whether_it_looks_back() -> None:
    formulas = formulas_of([ON_TIME])
    expression = _expressions.validate_python(
        total(another("on_time_rate"), growth(measure("pay")))
    )
    assert list(measures_in(expression, formulas)) == [
        "orders.on_time", "orders.on_time", "orders.late", "pay",
    ]  # fmt: skip
    assert grows(expression, formulas)
    assert not grows(ON_TIME.formula, formulas)
    assert all(unit_named(name.replace("*", "x")) is not None for name, *_ in all_named())


@pytest.mark.parametrize(
    ("figure_of", "value", "standing"),
    [
        (ON_TIME, (90, 100), "at_risk"),
        (ON_TIME, (9199, 10_000), "at_risk"),
        (ON_TIME, (92, 100), "met"),
        (ON_TIME, (8999, 10_000), "not_met"),
        (COMPLAINTS, (5, 100), "met"),
        (COMPLAINTS, (501, 10_000), "not_met"),
    ],
)
def test_what_is_met_by_little_is_at_risk(
    figure_of: FigureIn, value: tuple[int, int], standing: str
) -> None:
    assert figure_of.goal is not None
    goal = Goal(figure_of.goal.boundary, figure_of.goal.comparison, figure_of.goal.at_risk_within)
    assert goal.standing(*value) == standing


def test_values_are_written_as_their_figure_says() -> None:
    assert shown(4_000_050, 100, None, shown_as=ShownAs.YUAN, decimals=2) == "400.01"
    assert shown(-123_456_789, 1, None, shown_as=ShownAs.YUAN, decimals=0) == "-1,234,568"
    assert shown(5, 2, None, shown_as=ShownAs.NUMBER, decimals=0) == "3"
    assert COMPLAINTS.goal is not None
    goal = Goal(COMPLAINTS.goal.boundary, COMPLAINTS.goal.comparison)
    shown_rate = shown(50_001, 10**6, goal, shown_as=ShownAs.PERCENT, decimals=1)
    assert shown_rate == "5.0001 %"


FEN = st.integers(-(10**12), 10**12)
centres = st.dictionaries(
    st.sampled_from(["C0", "C1", "C2", "C3", "G1"]),
    st.fixed_dictionaries(
        {
            "revenue": FEN,
            "cost.commission": FEN,
            "cash.in": FEN,
            "cash.out.commission": FEN,
            "orders.on_time": st.integers(0, 500),
            "orders.late": st.integers(0, 500),
        }
    ),
    min_size=1,
)


def county_of(sums: Mapping[str, Mapping[str, int]]) -> tuple[County, Shown]:
    whole = Shown(None, "County", "县", (NOVEMBER,), None)
    measures = {(one, NOVEMBER): held for one, held in sums.items()}
    county = County(county=whole, centres=(), branch=BranchMonths(measures, names={}))
    return county, whole


@given(centres)
def test_the_branch_is_judged_by_the_sums_of_its_units_and_never_by_their_ratios(
    sums: Mapping[str, Mapping[str, int]],
) -> None:
    county, whole = county_of(sums)
    known = county.known(whole)

    def of_all(name: str) -> int:
        return sum(one[name] for one in sums.values())

    revenue, cost = -of_all("revenue"), of_all("cost.commission")
    on_time, late = of_all("orders.on_time"), of_all("orders.late")
    margin = evaluated(another("market_gross_margin"), known)
    kept = evaluated(another("on_time_rate"), known, ON_TIME)
    assert margin == (Fraction(revenue - cost, revenue) if revenue > 0 else ["no_revenue"])
    assert kept == (Fraction(on_time, on_time + late) if on_time + late else ["not_positive"])
    assert known.books == books(
        (name, amount) for one in sums.values() for name, amount in one.items()
    )


def test_growth_on_what_was_booked_is_of_the_ledger_or_of_the_work() -> None:
    before = YearBefore({BALANCES: {"receivable": 50, "cost.tower_rent": 8}})
    known = Known(
        books(accounts := [("receivable", 60), ("cost.tower_rent", 10)]),
        None,
        None,
        accounts=dict(accounts),
        year_before=before,
    )
    assert evaluated(growth(measure("receivable")), known) == Fraction(1, 5)
    assert evaluated(growth(measure("network_line_cost")), known) == Fraction(1, 4)
    assert evaluated(growth(measure("orders.done")), known) == ["no_base"]


def test_a_set_of_figures_takes_no_unknown_member() -> None:
    with pytest.raises(ValidationError):
        FigureSetIn.model_validate({"figures": [], "code": "print(1)"})


def test_figures_that_come_to_numbers_too_long_to_be_told_are_refused() -> None:
    small = {"op": "constant", "value": "0.000000000001"}
    sums = [
        figure(f"sum{one}", total(*[ratio(measure("orders.done"), total(small, small))] * 50))
        for one in range(10)
    ]
    all_of_them = figure("all", total(*(another(f"sum{one}") for one in range(10))))
    found = list(faults_of([*sums, all_of_them]))
    assert [(one.pointer, one.code) for one in found] == [("/figures/10/formula", "too-complex")]


def test_long_sums_of_plain_measures_are_no_long_numbers() -> None:
    sums = [figure(f"sum{one}", total(*[measure("pay")] * 50), unit="fen") for one in range(20)]
    assert list(faults_of(sums)) == []
