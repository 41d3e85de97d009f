import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.shared.money import split_fen, yuan

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
