"""Every rule of the rule set takes what it should, and says why it passed on the rest."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from attribution.unit.county import DECEMBER, NOVEMBER, ORGANISATION, RURAL, TOWN, line
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.evidence import MAIN_CARDS_FOLLOWED, Evidence, Register, gather
from huaxiao.attribution.domain.histories import (
    Baseline,
    BundleStatement,
    Change,
    Lead,
    Line,
    Ruling,
)
from huaxiao.attribution.domain.organisation import Channel, ChannelMove, Organisation
from huaxiao.attribution.domain.rule_sets import Rule
from huaxiao.attribution.domain.rules import Decision, decide
from huaxiao.attribution.rule_sets.reading import default_rule_set
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.contracts import ChannelKind

RULES = default_rule_set()
MOMENT = datetime(2017, 11, 1, tzinfo=UTC)


def decision(
    subject: Line,
    *others: Line,
    period: Period = NOVEMBER,
    organisation: Organisation = ORGANISATION,
    **register: Any,
) -> Decision:
    lines = {one.subscription_id: one for one in (subject, *others)}
    evidence = gather(subject.subscription_id, period, Register(lines, **register), organisation)
    return decide(evidence, RULES)


def bundled(*statements: BundleStatement) -> dict[str, Any]:
    members = {member for one in statements for member in one.members}
    return {
        "statements": {"B-1": statements},
        "bundles_of": {member: {"B-1"} for member in members},
    }


def statement(day: date, *members: str) -> BundleStatement:
    return BundleStatement("B-1", day, MOMENT, f"/bss#{day}", members)


@pytest.mark.parametrize(
    ("given", "rule", "owner"),
    [
        ({"customer_id": "ENT-1", "product": "broadband"}, "020", ("G1", "F-KEY")),
        (
            {
                "customer_id": "ENT-1",
                "customer_kind": "enterprise",
                "opened_on": date(2017, 11, 3),
            },
            "025",
            ("G1", "F-KEY"),
        ),
        ({"product": "leased_line", "account_manager_id": "P13"}, "040", ("G1", None)),
        ({"product": "leased_line", "standard_address": TOWN}, "040", ("C1", "F-TOWN")),
        ({"product": "leased_line"}, "040", ("C0", None)),
        ({"product": "iot", "developer_id": "P13"}, "050", ("G1", None)),
        ({"product": "iot", "developer_id": "P1", "channel_id": "HALL"}, "050", ("C0", None)),
        ({"campus_id": "CAMPUS-1", "channel_id": "AGENT"}, "060", ("G1", "F-KEY")),
        ({"campus_id": "CAMPUS-9", "channel_id": "AGENT"}, "130", ("C2", None)),
        ({"product": "broadband", "standard_address": TOWN}, "090", ("C1", "F-TOWN")),
        ({"product": "tv", "standard_address": f"{TOWN}009901"}, "090", ("C2", "F-TOWER")),
        ({"product": "voice", "resource_address": "OLT-2-7"}, "100", ("C2", "F-RURAL")),
        ({"channel_id": "HALL"}, "110", ("C3", "F-HALL")),
        ({"channel_id": "HALL-2"}, "120", ("C3", None)),
        ({"channel_id": "AGENT"}, "130", ("C2", None)),
        ({"channel_id": "PUSHED"}, "130", ("C1", None)),
        ({"developer_id": "P1"}, "140", ("C1", None)),
        ({"channel_id": "ONLINE"}, "150", ("C0", None)),
        ({}, "900", ("C0", None)),
        ({"product": "broadband", "channel_id": "HALL"}, "900", ("C0", None)),
    ],
)
def test_a_line_goes_to_the_owner_its_evidence_says(
    given: dict[str, Any], rule: str, owner: tuple[str, str | None]
) -> None:
    decided = decision(line(**given))
    assert (decided.unit_rule, (decided.centre_id, decided.field_id)) == (rule, owner)


def test_a_new_personal_line_does_not_follow_a_listed_customer() -> None:
    decided = decision(line(customer_id="ENT-1", opened_on=date(2017, 11, 3), channel_id="AGENT"))
    assert decided.unit_rule == "130"


def test_a_developer_who_moved_keeps_what_was_developed_before() -> None:
    before = decision(line(developer_id="P1", opened_on=date(2017, 11, 19)))
    after = decision(line(developer_id="P1", opened_on=date(2017, 11, 20)))
    assert (before.centre_id, after.centre_id) == ("C1", "C2")


def test_a_channel_that_moved_keeps_what_it_sold_before_and_a_closed_one_sells_nothing() -> None:
    moves = (
        ChannelMove(date(2017, 11, 20), "C1"),
        ChannelMove(date(2017, 12, 1), "C3"),
        ChannelMove(date(2017, 12, 20), "C3", open=False),
    )
    county = replace(ORGANISATION, channels={"AGENT": Channel(ChannelKind.AGENT, "C2", moves)})

    sold = [
        decision(line(channel_id="AGENT", opened_on=day), organisation=county)
        for day in (
            *(date(2016, 1, 1), date(2017, 11, 19), date(2017, 11, 20)),
            *(date(2017, 12, 1), date(2017, 12, 19), date(2017, 12, 20)),
        )
    ]

    assert [one.centre_id for one in sold] == ["C2", "C2", "C1", "C3", "C3", "C0"]


def test_the_standard_address_wins_over_the_resource_and_says_that_they_differ() -> None:
    decided = decision(line(product="broadband", standard_address=TOWN, resource_address="OLT-2-1"))
    assert (decided.centre_id, decided.flags) == ("C1", ("ADDR_CONFLICT",))


def test_a_fixed_line_without_an_address_waits_in_the_pool_for_somebody_to_mend_it() -> None:
    assert decision(line(product="broadband")).flags == ("NO_ADDRESS",)


def test_a_circuit_that_nobody_sold_is_flagged() -> None:
    assert decision(line(product="leased_line")).flags == ("CIRCUIT_NO_DEVELOPER",)
    assert decision(line(product="leased_line", account_manager_id="P13")).flags == ()


def test_a_new_line_that_passes_to_a_listed_customer_is_the_lists_from_the_next_month() -> None:
    home = line(product="broadband", standard_address=TOWN, opened_on=date(2017, 11, 3))
    passed = Change(date(2017, 11, 10), MOMENT, "/bss#T", "ENT-1", customer_kind="enterprise")
    back = Change(date(2017, 12, 10), MOMENT, "/bss#U", "PER-2", customer_kind="person")
    decided = [
        decision(home, period=period, changes={"S-1": [passed, back]})
        for period in (NOVEMBER, DECEMBER, Period(201801))
    ]
    assert [one.unit_rule for one in decided] == ["090", "025", "090"]
    silent = replace(passed, customer_kind=None)
    untold = decision(home, period=DECEMBER, changes={"S-1": [silent]})
    assert untold.unit_rule == "090"


def test_a_bundle_belongs_to_its_broadband_before_its_television() -> None:
    mobile = line("S-1", channel_id="HALL")
    television = line("S-2", product="tv", standard_address=TOWN)
    broadband = line("S-3", product="broadband", standard_address=RURAL)
    register = bundled(statement(date(2017, 10, 1), "S-1", "S-2", "S-3"))
    for subject in (mobile, television, broadband):
        decided = decision(subject, mobile, television, broadband, **register)
        assert (decided.unit_rule, decided.centre_id) == ("070", "C2")


def test_a_bundle_formed_within_a_month_counts_from_the_next() -> None:
    mobile = line("S-1", channel_id="AGENT")
    broadband = line("S-2", product="broadband", standard_address=TOWN)
    register = bundled(statement(date(2017, 11, 2), "S-1", "S-2"))
    assert decision(mobile, broadband, **register).unit_rule == "130"
    assert decision(mobile, broadband, period=DECEMBER, **register).unit_rule == "070"


def test_a_mobile_that_left_its_bundle_stays_where_it_was() -> None:
    mobile = line("S-1", channel_id="HALL")
    broadband = line("S-2", product="broadband", standard_address=TOWN)
    register = bundled(
        statement(date(2017, 10, 1), "S-1", "S-2"), statement(date(2017, 11, 10), "S-2")
    )
    november = decision(mobile, broadband, **register)
    december = decision(mobile, broadband, period=DECEMBER, **register)
    assert (november.unit_rule, december.unit_rule) == ("070", "080")
    assert november.centre_id == december.centre_id == "C1"


def test_a_mobile_that_left_its_bundle_does_not_move_with_it_afterwards() -> None:
    mobile = line("S-1", channel_id="AGENT")
    broadband = line("S-2", product="broadband", standard_address=TOWN)
    register = bundled(
        statement(date(2017, 10, 1), "S-1", "S-2"), statement(date(2017, 11, 10), "S-2")
    )
    for moved_on in (date(2017, 11, 5), date(2017, 11, 20), date(2018, 2, 1)):
        moved = {"S-2": [Change(moved_on, MOMENT, "/bss#M", standard_address=RURAL)]}
        decided = [
            decision(one, mobile, broadband, period=Period(201803), changes=moved, **register)
            for one in (mobile, broadband)
        ]
        assert [one.centre_id for one in decided] == ["C1", "C2"]
    before = {"S-2": [Change(date(2017, 10, 5), MOMENT, "/bss#M", standard_address=RURAL)]}
    decided = [
        decision(mobile, broadband, period=one, changes=before, **register)
        for one in (NOVEMBER, DECEMBER)
    ]
    assert [one.centre_id for one in decided] == ["C2", "C2"]


def test_a_mobile_that_was_in_a_bundle_at_no_beginning_of_a_month_never_followed_it() -> None:
    mobile = line("S-1", channel_id="AGENT")
    broadband = line("S-2", product="broadband", standard_address=TOWN)
    register = bundled(
        statement(date(2017, 11, 5), "S-1", "S-2"), statement(date(2017, 11, 10), "S-2")
    )
    assert decision(mobile, broadband, period=DECEMBER, **register).unit_rule == "130"
    opened = line("S-1", channel_id="AGENT", opened_on=date(2017, 11, 5))
    decided = decision(opened, broadband, period=DECEMBER, **register)
    assert (decided.unit_rule, decided.centre_id) == ("080", "C1")
    joined_again = bundled(
        statement(date(2017, 9, 5), "S-1", "S-2"),
        statement(date(2017, 10, 5), "S-2"),
        statement(date(2017, 11, 5), "S-1", "S-2"),
        statement(date(2017, 11, 10), "S-2"),
    )
    evidence = gather(
        "S-1",
        DECEMBER,
        Register({"S-1": mobile, "S-2": broadband}, **joined_again),
        ORGANISATION,
    )
    assert evidence.left_bundle is not None
    assert evidence.left_bundle.left_on == date(2017, 10, 5)


def test_of_several_bundles_the_one_with_the_better_anchor_counts_then_the_newer() -> None:
    mobile = line("S-1", channel_id="AGENT")
    others = (
        line("S-2", product="broadband", standard_address=TOWN),
        line("S-3", product="voice", standard_address=RURAL),
        line("S-4", product="broadband", standard_address=RURAL),
        line("S-5"),
    )

    def owner(*bundles: tuple[str, ...]) -> tuple[str, str]:
        statements = {
            f"B-{number}": [
                BundleStatement(
                    f"B-{number}",
                    date(2017, number, 1),
                    MOMENT,
                    f"/bss#{number}",
                    ("S-1", *members),
                )
            ]
            for number, members in enumerate(bundles, start=1)
        }
        decided = decision(
            mobile,
            *others,
            statements=statements,
            bundles_of={"S-1": set(statements)},
        )
        return decided.unit_rule, decided.centre_id

    assert owner(("S-2",), ("S-5",)) == ("070", "C1")
    assert owner(("S-2",), ("S-3",)) == ("070", "C1")
    assert owner(("S-2",), ("S-4",)) == ("070", "C2")
    assert owner(("S-4",), ("S-2",)) == ("070", "C1")
    assert owner(("S-5",), ("S-5",)) == ("130", "C2")


def test_main_cards_that_lead_on_without_an_end_go_to_the_pool() -> None:
    cards = [line("S-0", channel_id="AGENT")]
    cards += [line(f"S-{one}", main_subscription_id=f"S-{one - 1}") for one in range(1, 3000)]
    opened = {one.subscription_id: one for one in cards}
    decided = [
        decide(gather(f"S-{one}", NOVEMBER, Register(opened), ORGANISATION), RULES)
        for one in (1, MAIN_CARDS_FOLLOWED, MAIN_CARDS_FOLLOWED + 1, 2999)
    ]
    assert [one.centre_id for one in decided] == ["C2", "C2", "C0", "C0"]
    assert decided[-1].flags == ("MAIN_IN_CIRCLE",)


def test_a_bundle_of_mobiles_alone_owns_nothing() -> None:
    register = bundled(statement(date(2017, 10, 1), "S-1", "S-2"))
    decided = decision(line("S-1", channel_id="AGENT"), line("S-2"), **register)
    assert decided.unit_rule == "130"


def test_a_secondary_card_follows_its_main_card_whatever_sold_it() -> None:
    main = line("S-2", channel_id="AGENT")
    card = line("S-1", main_subscription_id="S-2", channel_id="HALL")
    decided = decision(card, main)
    assert (decided.unit_rule, decided.centre_id) == ("075", "C2")


def test_a_secondary_card_of_an_unknown_main_goes_on_down_the_list() -> None:
    decided = decision(line(main_subscription_id="S-9", channel_id="AGENT"))
    assert (decided.unit_rule, decided.flags) == ("130", ("MAIN_MISSING",))


def test_cards_that_name_each_other_as_main_end_in_the_pool() -> None:
    first = line("S-1", main_subscription_id="S-2", channel_id="AGENT")
    second = line("S-2", main_subscription_id="S-1", channel_id="AGENT")
    decided = decision(first, second)
    assert (decided.centre_id, decided.flags) == ("C0", ("MAIN_IN_CIRCLE",))


def test_a_move_within_a_month_changes_the_owner_from_the_next() -> None:
    moving = line(product="broadband", standard_address=TOWN)
    register = {
        "changes": {"S-1": (Change(date(2017, 11, 15), MOMENT, "/bss#1", standard_address=RURAL),)}
    }
    assert decision(moving, **register).centre_id == "C1"
    assert decision(moving, period=DECEMBER, **register).centre_id == "C2"


def test_before_and_after_the_term_no_field_owns_anything() -> None:
    subject = line(product="broadband", standard_address=TOWN)
    for period in (Period(201710), Period(201811)):
        assert decision(subject, period=period).unit_rule == "900"


def test_broadband_sold_in_a_hall_credits_the_hall_beside_the_sum() -> None:
    decided = decision(line(product="broadband", standard_address=TOWN, channel_id="HALL"))
    assert decided.centre_id == "C1"
    assert decided.landing_centre_id == "C1"
    assert decided.development_centre_id == "C3"
    assert [one.centre_id for one in decided.shadows] == ["C3"]


def test_a_shadow_credit_ends_with_the_twelfth_month_and_with_the_calendar() -> None:
    sold = line(product="broadband", channel_id="HALL", opened_on=date(2017, 11, 30))
    decided = decision(replace(sold, standard_address=TOWN))
    assert [one.through for one in decided.shadows_in(201810)] == [201810]
    assert decided.shadows_in(201811) == []
    late = replace(sold, standard_address=TOWN, opened_on=date(2099, 11, 30))
    assert [one.through for one in decision(late).shadows] == [209912]


@pytest.mark.parametrize(("months", "last"), [(1, [201603]), (24, [201802]), (0, [])])
def test_a_rule_set_says_how_long_shadow_credit_lasts(months: int, last: list[int]) -> None:
    sold = line(product="broadband", channel_id="HALL", standard_address=TOWN)
    evidence = gather("S-1", NOVEMBER, Register({"S-1": sold}), ORGANISATION)
    decided = decide(evidence, replace(RULES, shadow_months=months))
    assert [one.through for one in decided.shadows] == last


def test_every_rule_before_the_one_that_decided_says_why_it_passed() -> None:
    decided = decision(line(channel_id="AGENT"))
    codes = [rule.code for rule in RULES.rules]
    asked = [one.rule.code for one in decided.rejected]
    assert asked == codes[: codes.index("130")]
    assert all(one.why.text and one.why.text_zh for one in decided.rejected)


def test_rules_are_asked_in_the_order_of_their_codes() -> None:
    codes = [rule.code for rule in RULES.rules]
    assert codes == sorted(set(codes))


_optional = {
    "standard_address": st.sampled_from([None, TOWN, RURAL, f"{TOWN}0099", "440101001001"]),
    "resource_address": st.sampled_from([None, "OLT-1-1", "OLT-2-1", "OLT-9"]),
    "channel_id": st.sampled_from([None, "HALL", "AGENT", "ONLINE", "PUSHED", "X"]),
    "developer_id": st.sampled_from([None, "P1", "P13", "X"]),
    "account_manager_id": st.sampled_from([None, "P13", "P1"]),
    "customer_id": st.sampled_from(["PER-1", "ENT-1"]),
    "campus_id": st.sampled_from([None, "CAMPUS-1", "CAMPUS-2"]),
    "main_subscription_id": st.sampled_from([None, "S-2", "S-9"]),
    "product": st.sampled_from(
        ["broadband", "tv", "voice", "mobile", "leased_line", "iot", "other"]
    ),
    "customer_kind": st.sampled_from(["person", "enterprise"]),
    "opened_on": st.dates(date(2015, 1, 1), date(2017, 11, 30)),
}
lines = st.fixed_dictionaries(_optional).map(lambda given: line(**given))


@given(lines, lines, st.sampled_from([NOVEMBER, DECEMBER, Period(201811)]))
def test_every_line_has_exactly_one_owner_and_the_kept_evidence_finds_it_again(
    subject: Line, other: Line, period: Period
) -> None:
    register = Register(
        {"S-1": subject, "S-2": line("S-2", **_facts(other))},
        **bundled(statement(date(2017, 10, 1), "S-1", "S-2")),
    )
    evidence = gather("S-1", period, register, ORGANISATION)
    decided = decide(evidence, RULES)
    assert decided.centre_id in ORGANISATION.centres
    kept = msgspec.json.decode(msgspec.json.encode(evidence), type=Evidence)
    assert _without_rules(decide(kept, RULES)) == _without_rules(decided)


def _facts(one: Line) -> dict[str, Any]:
    return {
        name: getattr(one, name) for name in Line.__dataclass_fields__ if name != "subscription_id"
    }


def _without_rules(decided: Decision) -> list[Any]:
    values = [getattr(decided, name) for name in Decision.__dataclass_fields__]
    return [value.code if isinstance(value, Rule) else value for value in values]


@pytest.mark.parametrize(
    ("approved_on", "rule"),
    [
        (date(2017, 11, 2), "030"),
        (date(2017, 8, 5), "030"),
        (date(2017, 8, 4), "130"),
        (date(2017, 11, 3), "130"),
        (date(2017, 11, 4), "130"),
    ],
)
def test_a_lead_is_approved_before_the_line_is_opened_and_holds_for_ninety_days(
    approved_on: date, rule: str
) -> None:
    lead = Lead("L-1", approved_on, "G1", "P1")
    subject = line(opened_on=date(2017, 11, 3), channel_id="AGENT")
    decided = decision(subject, leads={"S-1": [lead]})
    assert decided.unit_rule == rule


def test_a_lead_belongs_to_its_centre_and_credits_who_brought_it() -> None:
    lead = Lead("L-1", date(2017, 11, 1), "G1", "P1")
    decided = decision(line(opened_on=date(2017, 11, 3)), leads={"S-1": [lead]})
    assert (decided.centre_id, [one.centre_id for one in decided.shadows]) == ("G1", ["C1"])
    unknown = Lead("L-1", date(2017, 11, 1), "G9", None)
    assert decision(line(opened_on=date(2017, 11, 3)), leads={"S-1": [unknown]}).unit_rule == "900"


@pytest.mark.parametrize(
    ("opened_on", "period", "centre_id", "owner"),
    [
        (date(2017, 10, 31), NOVEMBER, "C2", ("160", "C2", "F-RURAL")),
        (date(2017, 11, 1), NOVEMBER, "C2", ("900", "C0", None)),
        (date(2017, 10, 31), Period(201710), "C2", ("900", "C0", None)),
        (date(2017, 10, 31), Period(201811), "C2", ("160", "C2", None)),
        (date(2017, 10, 31), NOVEMBER, "C1", ("160", "C1", None)),
        (date(2017, 10, 31), NOVEMBER, "C9", ("900", "C0", None)),
    ],
    ids=["before", "new", "too early", "the term is over", "another's field", "no such centre"],
)
def test_a_baseline_places_what_was_there_before_it_and_nothing_else_places(
    opened_on: date, period: Period, centre_id: str, owner: tuple[str, str, str | None]
) -> None:
    stated = Baseline(201711, MOMENT, "/bss#1", centre_id, "F-RURAL")
    decided = decision(line(opened_on=opened_on), period=period, baselines={"S-1": [stated]})
    assert (decided.unit_rule, decided.centre_id, decided.field_id) == owner
    known = line(opened_on=opened_on, channel_id="AGENT")
    assert decision(known, period=period, baselines={"S-1": [stated]}).unit_rule == "130"


def test_of_two_baselines_the_later_counts_and_a_missing_address_is_still_flagged() -> None:
    stated = [
        Baseline(201711, MOMENT, "/bss#2", "C1", None),
        Baseline(201712, MOMENT, "/bss#1", "C2", None),
    ]
    subject = line(product="broadband")
    november = decision(subject, baselines={"S-1": stated})
    december = decision(subject, period=DECEMBER, baselines={"S-1": stated[::-1]})
    assert (november.centre_id, december.centre_id) == ("C1", "C2")
    assert november.flags == december.flags == ("NO_ADDRESS",)


def test_a_ruling_comes_before_every_rule() -> None:
    ruling = Ruling("R-1", "C2", None, 201711, None, MOMENT, "A-1")
    subject = line(product="broadband", standard_address=TOWN, customer_id="ENT-1")
    decided = decision(subject, rulings={"S-1": [ruling]})
    assert (decided.unit_rule, decided.centre_id) == ("010", "C2")


def test_a_locked_list_passes_by_what_names_no_amendment_and_nothing_else() -> None:
    without = Ruling("R-2", "C2", None, 201710, None, MOMENT + timedelta(days=1))
    amended = Ruling("R-1", "C1", None, 201711, None, MOMENT, "A-1")
    own = replace(without, centre_id="G1", field_id="F-KEY")
    listed = line(customer_id="ENT-1")

    def ruled(*rulings: Ruling, period: Period = NOVEMBER) -> tuple[str, str]:
        found = decision(listed, period=period, rulings={"S-1": rulings})
        return found.unit_rule, found.centre_id

    assert ruled(without) == ("020", "G1")
    assert ruled(without, amended) == ("010", "C1")
    assert ruled(own) == ("010", "G1")
    assert ruled(without, period=Period(201710)) == ("010", "C2")
    (first, *_) = decision(listed, rulings={"S-1": [without]}).rejected
    assert first.why.text == (
        "ruling R-2 names no amendment of the contract whose list the customer is on"
    )
