from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from huaxiao.kpi.domain.contributions import (
    Moves,
    Sold,
    Split,
    Staff,
    moves_of,
    of_margin,
    of_pay,
    of_sales,
    of_sum,
    of_wage,
    rounded,
)

UNITS = st.sampled_from([None, "C0", "C1", "C2", "C3"])
AMOUNTS = st.integers(-(10**15), 10**15)
KEYS = st.tuples(UNITS, st.sampled_from(["revenue", "cost.commission", "cash.in"]))
PARTS = st.dictionaries(KEYS, AMOUNTS, max_size=8)
HEADS = st.integers(-3, 400)
STAFF = st.dictionaries(UNITS, st.builds(Staff, AMOUNTS, HEADS), max_size=5)
MOVES = st.dictionaries(UNITS, st.builds(Moves, st.integers(0, 90), st.integers(0, 90)), max_size=5)
SOLD = st.dictionaries(UNITS, st.builds(Sold, st.integers(-5, 10**7), AMOUNTS), max_size=5)


def adds_up(split: Split | None) -> None:
    if split is not None:
        assert sum(one.amount for one in split.contributions) == split.change


@given(PARTS, PARTS)
def test_the_parts_of_a_sum_add_up_to_its_change(before: dict, after: dict) -> None:  # type: ignore[type-arg]
    adds_up(of_sum(before, after))


@given(st.tuples(PARTS, PARTS, PARTS, PARTS))
def test_what_moved_a_margin_adds_up_to_its_change(sides: tuple) -> None:  # type: ignore[type-arg]
    revenue = sum(sides[0].values()), sum(sides[2].values())

    split = of_margin(*sides)

    assert (split is not None) == (min(revenue) > 0)
    adds_up(split)
    if split is not None:
        assert split.after == Fraction(revenue[1] - sum(sides[3].values()), revenue[1])


@given(SOLD, SOLD)
def test_volume_mix_and_price_add_up_to_the_change_of_revenue(before: dict, after: dict) -> None:  # type: ignore[type-arg]
    split = of_sales(before, after)

    assert (split is not None) == (sum(one.quantity for one in before.values()) > 0)
    adds_up(split)


@given(STAFF, STAFF, MOVES)
def test_joiners_leavers_and_pay_add_up_to_the_change_of_pay_and_of_the_wage(
    before: dict,  # type: ignore[type-arg]
    after: dict,  # type: ignore[type-arg]
    moves: dict,  # type: ignore[type-arg]
) -> None:
    adds_up(of_pay(before, after, moves))
    adds_up(of_wage(before, after, moves))


@given(st.lists(st.fractions(-(10**6), 10**6, max_denominator=997), max_size=20))
def test_what_is_shown_adds_up_and_is_within_one_of_what_it_is(parts: list[Fraction]) -> None:
    shown = rounded(parts)

    assert abs(sum(shown) - sum(parts, Fraction(0))) <= Fraction(1, 2)
    assert all(abs(whole - part) <= 1 for whole, part in zip(shown, parts, strict=True))


def test_who_joins_a_centre_that_pays_above_the_mean_raises_the_mean() -> None:
    before = {"C1": Staff(100_000, 10), "C2": Staff(40_000, 10)}
    after = {"C1": Staff(120_000, 12), "C2": Staff(40_000, 10)}

    split = of_wage(before, after, {"C1": Moves(2, 0)})

    assert split is not None
    assert {(one.unit, one.component): one.amount for one in split.contributions if one.amount} == {
        ("C1", "joiners"): Fraction(2 * 2 * 3_000, 22)
    }
    assert split.before == 14_000


def test_a_person_who_moves_joins_one_centre_and_leaves_another() -> None:
    before = {("C1", "P1"): 2, ("C1", "P2"): 2}
    after = {("C1", "P1"): 2, ("C2", "P2"): 2, ("C2", "P3"): 1}

    assert moves_of(before, after) == {"C1": Moves(0, 2), "C2": Moves(3, 0)}


def test_more_of_the_same_is_volume_a_dearer_group_is_mix_and_the_rest_is_price() -> None:
    before = {"C1": Sold(10, 1000), "C2": Sold(10, 500)}

    def moved(after: dict[str | None, Sold]) -> dict[str, Fraction]:
        split = of_sales(dict(before), after)
        assert split is not None
        found: dict[str, Fraction] = {}
        for one in split.contributions:
            found[one.component] = found.get(one.component, Fraction(0)) + one.amount
        return {component: amount for component, amount in found.items() if amount}

    assert moved({"C1": Sold(20, 2000), "C2": Sold(20, 1000)}) == {"volume": 1500}
    assert moved({"C1": Sold(15, 1500), "C2": Sold(5, 250)}) == {"mix": 250}
    assert moved({"C1": Sold(10, 1100), "C2": Sold(10, 500)}) == {"price": 100}
