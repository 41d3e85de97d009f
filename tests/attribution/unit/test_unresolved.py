"""What a month's unresolved share is, and what it means for the closing."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.unresolved import (
    Decided,
    Share,
    age_days,
    standing,
    unresolved_since,
)
from huaxiao.shared.wire.attribution import UnresolvedStanding

amounts = st.integers(-(10**15), 10**15)
shares = st.builds(Share, amounts, amounts) | st.builds(
    Share, st.integers(-3, 3), st.integers(-3, 3)
)
limits = st.integers(0, 10_000)


def exact(share: Share) -> Fraction | float:
    if share.unresolved_fen == 0:
        return Fraction(0)
    if share.net_revenue_fen == 0:
        return float("inf")
    return abs(Fraction(share.unresolved_fen, share.net_revenue_fen))


@given(shares, shares, limits)
def test_shares_compare_as_exact_fractions(one: Share, other: Share, limit: int) -> None:
    assert one.exceeds(limit) == (exact(one) > Fraction(limit, 10_000))
    assert one.is_more_than(other) == (exact(one) > exact(other))


@given(shares, limits, limits, st.none() | shares)
def test_nothing_is_closed_above_the_limit_that_was_not_approved_for_as_much(
    share: Share, one: int, other: int, approved: Share | None
) -> None:
    warn, block = sorted((one, other))
    found = standing(share, warn_above=warn, block_above=block, approved=approved)
    if exact(share) <= Fraction(block, 10_000):
        within = exact(share) <= Fraction(warn, 10_000)
        assert found is (UnresolvedStanding.WITHIN if within else UnresolvedStanding.WARNING)
    elif approved is not None and exact(approved) >= exact(share):
        assert found is UnresolvedStanding.APPROVED
    else:
        assert found is UnresolvedStanding.BLOCKED


@pytest.mark.parametrize(
    ("unresolved_fen", "net_revenue_fen", "ratio"),
    [
        (0, 0, Decimal(0)),
        (0, 500, Decimal(0)),
        (1, 0, None),
        (300, 10_000, Decimal("0.03")),
        (-300, 10_000, Decimal("0.03")),
        (300, -10_000, Decimal("0.03")),
        (2, 3, Decimal("0.666667")),
        (300, 100, Decimal(3)),
    ],
)
def test_a_share_is_shown_without_a_sign_and_never_divides_by_nothing(
    unresolved_fen: int, net_revenue_fen: int, ratio: Decimal | None
) -> None:
    assert Share(unresolved_fen, net_revenue_fen).ratio == ratio


def test_a_line_ages_by_the_days_of_the_county() -> None:
    late_in_the_evening = datetime(2017, 11, 30, 15, 59, tzinfo=UTC)
    assert age_days(late_in_the_evening, datetime(2017, 11, 30, 16, tzinfo=UTC)) == 1
    assert age_days(late_in_the_evening, late_in_the_evening) == 0
    assert age_days(datetime(2017, 12, 3, tzinfo=UTC), late_in_the_evening) == 0


@given(st.lists(st.booleans(), max_size=8))
def test_a_line_is_as_old_as_its_last_unbroken_time_without_an_owner(before: list[bool]) -> None:
    start = datetime(2017, 11, 30, tzinfo=UTC)
    decided = [
        Decided(unresolved, start + timedelta(days=number))
        for number, unresolved in enumerate([*before, True])
    ]
    since = unresolved_since(decided)
    assert all(one.unresolved for one in decided if one.at >= since)
    assert not any(one.unresolved for one in decided if one.at == since - timedelta(days=1))
