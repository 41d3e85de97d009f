from hypothesis import given
from hypothesis import strategies as st

from huaxiao.contracts.domain.coverage import Claim, Overlap, coverage, listed_twice
from huaxiao.shared.addresses import address_range

VILLAGE = "130123100201"
codes = st.lists(st.sampled_from("0123"), min_size=6, max_size=9).map("".join)
claims = st.lists(st.builds(Claim, codes, st.sampled_from(["F1", "F2", "F3"])), max_size=12)
villages = st.lists(st.lists(st.sampled_from("0123"), min_size=7, max_size=7).map("".join))


def test_a_village_under_no_claim_is_a_gap() -> None:
    found = coverage([VILLAGE, "130123100202"], [Claim("130123100202", "F1")])

    assert found.gaps == (VILLAGE,)
    assert found.overlaps == ()


def test_a_township_claim_covers_its_villages_and_overlaps_a_claim_inside() -> None:
    found = coverage([VILLAGE], [Claim("130123100", "F1"), Claim(VILLAGE + "01", "F2")])

    assert found.gaps == ()
    assert found.overlaps == (Overlap(VILLAGE, ("F1", "F2")),)


def test_two_compounds_of_a_village_under_two_fields_cover_it_in_part_and_do_not_overlap() -> None:
    found = coverage([VILLAGE], [Claim(VILLAGE + "01", "F1"), Claim(VILLAGE + "02", "F2")])

    assert found.partial == (VILLAGE,)
    assert found.gaps == ()
    assert found.overlaps == ()


def test_one_field_that_claims_twice_overlaps_nobody() -> None:
    found = coverage([VILLAGE], [Claim("130123", "F1"), Claim(VILLAGE, "F1")])

    assert found.overlaps == ()


@given(villages, claims)
def test_coverage_says_what_the_ranges_of_addresses_say(
    all_villages: list[str], all_claims: list[Claim]
) -> None:
    found = coverage(all_villages, all_claims)

    for village in all_villages:
        lower, upper = address_range(village)
        pieces = []
        for claim in all_claims:
            start, end = address_range(claim.prefix)
            if start < upper and lower < end:
                pieces.append((max(start, lower), min(end, upper), claim.field_id))
        assert (village in found.gaps) == (not pieces)
        whole = any((start, end) == (lower, upper) for start, end, _ in pieces)
        assert (village in found.partial) == (bool(pieces) and not whole)
        twice = {
            name
            for start, end, one in pieces
            for other_start, other_end, other in pieces
            if one != other and start < other_end and other_start < end
            for name in (one, other)
        }
        named = {name for over in found.overlaps if over.code == village for name in over.field_ids}
        assert named == twice


def test_the_units_known_of_a_village_in_part_say_whether_it_is_covered() -> None:
    claim = [Claim(VILLAGE + "01", "F1")]

    unknown = coverage([VILLAGE], claim)
    covered = coverage([VILLAGE], claim, [VILLAGE + "01", VILLAGE + "0102"])
    open_unit = coverage([VILLAGE], claim, [VILLAGE + "01", VILLAGE + "02"])

    assert (unknown.open_villages, unknown.is_complete) == ((VILLAGE,), False)
    assert (covered.open_villages, covered.is_complete) == ((), True)
    assert (open_unit.gaps, open_unit.is_complete) == ((VILLAGE + "02",), False)


@given(villages, claims)
def test_prefixes_clash_where_one_begins_with_anothers(
    all_villages: list[str], all_claims: list[Claim]
) -> None:
    found = coverage(all_villages, all_claims)

    pairs = {
        frozenset((one, other))
        for one in all_claims
        for other in all_claims
        if one.field_id != other.field_id and one.prefix.startswith(other.prefix)
    }
    assert {frozenset((clash.inner, clash.outer)) for clash in found.clashes} == pairs


def test_what_stands_on_two_lists_is_named_with_both() -> None:
    assert listed_twice([("K1", "F2"), ("K2", "F1"), ("K1", "F1"), ("K2", "F1")]) == [
        Overlap("K1", ("F1", "F2"))
    ]
