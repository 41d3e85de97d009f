"""A contractor's pay against the team's: compared exactly, and only where both are known."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.contracts.domain.headcount import Pay
from huaxiao.contracts.domain.pay_limits import PaidSoFar, paid_so_far
from huaxiao.shared.periods import Period, shift

FIRST = Period(201711)


def test_who_joined_late_counts_from_then_and_the_contractor_of_each_month_is_its_own() -> None:
    second = shift(FIRST, 1)
    pays = [
        Pay("A", "C1", FIRST, 900),
        Pay("B", "C1", FIRST, 300),
        Pay("A", "C1", second, 300),
        Pay("B", "C1", second, 800),
        Pay("C", "C1", second, 200),
        Pay("B", "C1", shift(FIRST, 2), 10_000),
    ]

    paid = paid_so_far(pays, {FIRST: "A", second: "B"})

    assert paid == PaidSoFar(1_700, 2, 800, 3)


@pytest.mark.parametrize(
    ("paid", "within"),
    [
        (PaidSoFar(900, 1, 600, 2), True),
        (PaidSoFar(901, 1, 600, 2), False),
        (PaidSoFar(0, 0, 600, 2), None),
        (PaidSoFar(900, 1, 0, 0), None),
    ],
)
def test_three_times_the_mean_is_kept_and_a_fen_more_is_not(
    paid: PaidSoFar, *, within: bool | None
) -> None:
    assert paid.within(Decimal(3)) is within


@given(
    st.integers(1, 400), st.integers(0, 10**9), st.integers(1, 400),
    st.decimals(1, 100, places=2),
)  # fmt: skip
def test_the_most_that_is_told_keeps_the_limit_and_one_fen_more_breaks_it(
    months: int, members_fen: int, member_months: int, times: Decimal
) -> None:
    most = PaidSoFar(0, months, members_fen, member_months).most_fen(times)

    assert most is not None
    assert PaidSoFar(most, months, members_fen, member_months).within(times)
    assert not PaidSoFar(most + 1, months, members_fen, member_months).within(times)
    assert most <= Fraction(times) * members_fen * months / member_months < most + 1
