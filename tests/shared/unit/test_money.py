from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.shared.money import fen_of_yuan, split_fen, yuan

weights = st.lists(st.integers(0, 10**6), min_size=1, max_size=20).filter(any)


@given(st.integers(-(10**12), 10**12), weights)
def test_the_parts_of_a_split_add_up_to_the_whole(total: int, given_weights: list[int]) -> None:
    assert sum(split_fen(total, given_weights)) == total


@given(st.integers(-(10**12), 10**12), weights)
def test_each_part_is_within_a_fen_of_its_exact_share(total: int, given_weights: list[int]) -> None:
    parts = split_fen(total, given_weights)

    for part, weight in zip(parts, given_weights, strict=True):
        assert abs(part * sum(given_weights) - total * weight) < sum(given_weights)


def test_a_tie_goes_to_the_earlier_weight() -> None:
    assert split_fen(1, [1, 1]) == [1, 0]


@pytest.mark.parametrize("bad", [[], [0, 0], [1, -1]])
def test_weights_that_divide_nothing_are_refused(bad: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        split_fen(100, bad)


@pytest.mark.parametrize(
    ("amount_fen", "shown"), [(0, "0.00"), (5, "0.05"), (-1234567, "-12,345.67"), (100, "1.00")]
)
def test_yuan_shows_two_decimals_and_a_sign(amount_fen: int, shown: str) -> None:
    assert yuan(amount_fen) == shown


@given(st.integers(-(10**16), 10**16))
def test_an_amount_for_people_reads_back_exactly(amount_fen: int) -> None:
    assert fen_of_yuan(yuan(amount_fen)) == amount_fen
    assert fen_of_yuan(yuan(amount_fen).replace(",", "")) == amount_fen
    assert fen_of_yuan(f"{amount_fen}") == amount_fen * 100


@pytest.mark.parametrize(
    ("text", "amount_fen"), [(".5", 50), ("-.35", -35), (".050", 5), ("59.500", 5_950)]
)
def test_what_database_tools_write_is_read(text: str, amount_fen: int) -> None:
    assert fen_of_yuan(text) == amount_fen


@given(st.text("0123456789.,-+_eE ￥１０", max_size=9) | st.text(max_size=6))
def test_a_text_is_the_amount_that_it_says_or_none(text: str) -> None:
    try:
        found = fen_of_yuan(text)
    except ValueError:
        return
    assert Decimal(text.replace(",", "")) * 100 == found
    assert text.isascii()
    assert all(len(group) == 3 for group in text.partition(".")[0].split(",")[1:])


@pytest.mark.parametrize(
    "text", ["", "1,00", "59,00", "1_0", "1e3", "0.001", ".", "-.", ".001", "1.", "１", " 1", "--1"]
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="yuan"):
        fen_of_yuan(text)
