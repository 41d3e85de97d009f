"""Fees as a contract agrees them, and shares that add up to them."""

from hypothesis import given
from hypothesis import strategies as st

from huaxiao.dispatch.domain.earnings import Fee, FeeContract, FeesFrom, fee_of, shares_of
from huaxiao.shared.wire.dispatch import Area, OrderKind

INSTALL_IN_TOWN = (OrderKind.INSTALL, Area.TOWN)
CONTRACT = FeeContract(
    "CT-C1",
    "C1",
    201711,
    201810,
    (
        FeesFrom(2, 201803, {}),
        FeesFrom(0, 201711, {INSTALL_IN_TOWN: 7000}),
        FeesFrom(1, 201801, {INSTALL_IN_TOWN: 8000}),
    ),
)


def fee(period: int, centre_id: str = "C1") -> Fee | None:
    return fee_of([CONTRACT], centre_id, period, *INSTALL_IN_TOWN)


def test_the_terms_of_the_latest_beginning_bind_within_the_contracts_months() -> None:
    assert [fee(one) for one in (201710, 201711, 201712, 201801, 201803, 201811)] == [
        None,
        Fee("CT-C1", 7000),
        Fee("CT-C1", 7000),
        Fee("CT-C1", 8000),
        None,
        None,
    ]
    assert fee(201711, "C2") is None


@given(
    st.integers(0, 100_000),
    st.dictionaries(st.sampled_from("ABCDEFG"), st.integers(1, 100), min_size=1),
)
def test_shares_add_up_to_the_fee_and_lie_within_a_fen_of_their_part(
    fee_fen: int, parts: dict[str, int]
) -> None:
    shares = shares_of(fee_fen, list(parts.items()))
    assert sum(shares.values()) == fee_fen
    assert shares.keys() == parts.keys()
    for person_id, share in shares.items():
        assert abs(share - fee_fen * parts[person_id] / sum(parts.values())) < 1


def test_what_is_left_over_goes_to_the_first_by_id() -> None:
    assert shares_of(100, [("W3", 1), ("W1", 1), ("W2", 1)]) == {"W1": 34, "W2": 33, "W3": 33}
