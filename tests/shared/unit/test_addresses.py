from hypothesis import given
from hypothesis import strategies as st

from huaxiao.shared.addresses import address_range, contains

codes = st.from_regex(r"\A[1-6][0-9]{5,17}\Z")


@given(codes, codes)
def test_a_code_contains_another_exactly_when_its_range_does(outer: str, inner: str) -> None:
    (outer_from, outer_to), (inner_from, inner_to) = address_range(outer), address_range(inner)

    nested = outer_from <= inner_from and inner_to <= outer_to
    assert contains(outer, inner) == (nested and len(outer) <= len(inner))


@given(codes)
def test_a_range_fits_a_bigint(code: str) -> None:
    lower, upper = address_range(code)
    assert 0 < lower < upper < 2**63
