"""A decision stands until the next turn of the evidence, and later decisions lie over earlier ones."""

from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

from attribution.unit.county import ORGANISATION, RURAL, TOWN, line
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.evidence import Register, fingerprint, gather, turns
from huaxiao.attribution.domain.histories import Baseline, BundleStatement, Change, Ruling
from huaxiao.attribution.domain.organisation import SealedField
from huaxiao.attribution.domain.timelines import Owner, Stretch, Timeline, joined
from huaxiao.shared.periods import FIRST_PERIOD, LAST_PERIOD, Period, periods_from, shift
from huaxiao.shared.wire.contracts import FieldKind

AT = datetime(2018, 1, 1, tzinfo=UTC)
MONTHS = list(periods_from(Period(201701), Period(201903)))
LINES = ["S-1", "S-2", "S-3", "S-4"]
NEXT_TERM = replace(
    ORGANISATION,
    fields=(
        *ORGANISATION.fields,
        SealedField("F-NEXT", FieldKind.REGIONAL, "C2", 201811, 201910, (TOWN,)),
    ),
)
days = st.dates(date(2017, 1, 1), date(2018, 12, 31))
names = st.sampled_from(LINES)


@st.composite
def registers(draw: st.DrawFn) -> Register:
    """Return four lines with moves, transfers, bundles, main cards, rulings and baselines."""
    opened = {
        one: line(
            one,
            product=draw(st.sampled_from(["broadband", "mobile"])),
            opened_on=draw(days),
            standard_address=draw(st.sampled_from([TOWN, RURAL, None])),
            main_subscription_id=draw(st.none() | names),
            customer_id=draw(st.sampled_from(["PER-1", "ENT-1"])),
        )
        for one in LINES
    }
    changes = {
        one: [
            Change(
                day,
                AT,
                f"E-{one}-{number}",
                customer_id=draw(st.sampled_from([None, "PER-2", "ENT-1"])),
                standard_address=draw(st.sampled_from([None, TOWN, RURAL])),
            )
            for number, day in enumerate(draw(st.lists(days, max_size=2)))
        ]
        for one in LINES
    }
    members = st.lists(names, unique=True, max_size=3).map(tuple)
    statements = {
        bundle: [
            BundleStatement(bundle, day, AT, f"E-{bundle}-{number}", draw(members))
            for number, day in enumerate(draw(st.lists(days, min_size=1, max_size=3)))
        ]
        for bundle in ("B-1", "B-2")
    }
    bundles_of = {
        one: {
            bundle
            for bundle, stated in statements.items()
            if any(one in statement.members for statement in stated)
        }
        for one in LINES
    }
    rulings = {
        one: [Ruling("R-1", "C3", None, begin, draw(st.none() | st.just(shift(begin, 2))), AT)]
        for one in draw(st.lists(names, max_size=2))
        if (begin := draw(st.sampled_from(MONTHS)))
    }
    baselines = {
        one: [Baseline(begin, AT, "E-1", "C2", draw(st.sampled_from([None, "F-RURAL"])))]
        for one in draw(st.lists(names, max_size=2))
        if (begin := draw(st.sampled_from(MONTHS)))
    }
    return Register(opened, changes, statements, bundles_of, rulings, baselines=baselines)


@given(registers(), names)
def test_between_one_turn_and_the_next_the_evidence_is_the_same(
    register: Register, subscription_id: str
) -> None:
    turned = turns(subscription_id, register, NEXT_TERM)
    assert turned[0] == FIRST_PERIOD
    assert turned == sorted(set(turned))
    for before, period in pairwise([FIRST_PERIOD, *MONTHS, LAST_PERIOD]):
        if any(before < turn <= period for turn in turned):
            continue
        found = [gather(subscription_id, one, register, NEXT_TERM) for one in (before, period)]
        assert found[0] == found[1]
        assert fingerprint(found[0]) == fingerprint(found[1])


def owner(centre_id: str) -> Owner:
    return Owner(centre_id, None, "090", None, (), b"")


timelines = st.builds(
    lambda first, rest: joined(
        [Stretch(FIRST_PERIOD, first), *(Stretch(one, rest[one]) for one in sorted(rest))]
    ),
    st.sampled_from("ABC").map(owner),
    st.dictionaries(st.sampled_from(MONTHS), st.sampled_from("ABC").map(owner), max_size=4),
)


@given(timelines, timelines, st.sampled_from([FIRST_PERIOD, *MONTHS]))
def test_a_new_decision_changes_what_is_free_and_nothing_before(
    standing: Timeline, decided: Timeline, since: Period
) -> None:
    change = standing.change(decided, since)
    after = standing if change is None else standing.overlaid(change)
    for period in (FIRST_PERIOD, *MONTHS, LAST_PERIOD):
        expected = standing if period < since else decided
        assert after.at(period) == expected.at(period)
    if change is not None:
        assert change.version == standing.version + 1
        begins = change.stretches[0].from_period
        assert begins >= since
        assert change.at(begins) != standing.at(begins)


def test_a_decision_that_says_the_same_is_not_recorded_again() -> None:
    standing = joined([Stretch(FIRST_PERIOD, owner("A")), Stretch(Period(201711), owner("B"))])
    assert standing.change(standing, FIRST_PERIOD) is None
    assert joined([*standing.stretches, Stretch(Period(201801), owner("B"))]) == standing
