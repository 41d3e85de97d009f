"""A rule set is complete and reachable before it decides anything."""

from dataclasses import replace
from itertools import pairwise

import pytest
from attribution.unit.test_timelines import MONTHS, NEXT_TERM, names, registers
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain import words
from huaxiao.attribution.domain.evidence import Register, gather
from huaxiao.attribution.domain.rule_sets import Rule, RuleBook, RuleSet, When, faults
from huaxiao.attribution.domain.rules import decide
from huaxiao.attribution.rule_sets.reading import default_given, default_rule_set, digest
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.attribution import ListedLine, OwnerSource
from huaxiao.shared.wire.contracts import ChannelKind

DEFAULT = default_rule_set()
LAST = DEFAULT.rules[-1]
UNHEARD = ("/rules", "rulings-unheard")


def of(*rules: Rule) -> list[tuple[str, str]]:
    """Return what is wrong with rules, but for rulings, which most of these do not ask for."""
    found = [(one.pointer, one.code) for one in faults(RuleSet("draft", rules))]
    return [one for one in found if one != UNHEARD]


def rule(code: str, *owner: OwnerSource, when: When | None = None) -> Rule:
    return Rule(code, "title", "标题", when or When(), owner)


def test_the_default_rule_set_is_valid_and_ends_in_the_pool() -> None:
    assert list(faults(DEFAULT)) == []
    assert (LAST.when.always, LAST.owner) == (True, (OwnerSource.DEFAULT_CENTRE,))


def test_the_default_rules_are_asked_in_the_order_of_their_codes() -> None:
    codes = [one.code for one in DEFAULT.rules]
    assert all(one < other for one, other in pairwise(codes))


def test_a_set_without_a_rule_for_the_rest_is_incomplete() -> None:
    listed = rule("1", OwnerSource.LIST_FIELD, when=When(listed=ListedLine.ANY))
    assert of(listed) == [("/rules/0", "incomplete")]
    assert of() == [("/rules", "no-rules")]
    assert of(listed, rule("2", OwnerSource.STANDARD_ADDRESS)) == [("/rules/1", "incomplete")]
    conditional = rule("2", OwnerSource.DEFAULT_CENTRE, when=When(in_bundle=True))
    assert of(listed, conditional) == [("/rules/1", "incomplete")]


def test_a_rule_behind_one_that_takes_everything_is_never_asked() -> None:
    assert of(rule("1", OwnerSource.DEFAULT_CENTRE), LAST) == [("/rules/0", "unreachable-after")]


def test_a_source_behind_the_default_centre_is_never_asked() -> None:
    unreachable = rule(
        "1", OwnerSource.DEFAULT_CENTRE, OwnerSource.LIST_FIELD, when=When(in_campus=True)
    )
    assert of(unreachable, LAST) == [("/rules/0/owner", "unreachable-after")]


@pytest.mark.parametrize(
    ("asked", "heard"),
    [
        (rule("1", OwnerSource.RULING, when=When(ruled=True)), True),
        (rule("1", OwnerSource.RULING), True),
        (rule("1", OwnerSource.RULING, OwnerSource.LIST_FIELD, when=When(ruled=True)), True),
        (rule("1", OwnerSource.LIST_FIELD, OwnerSource.RULING, when=When(ruled=True)), False),
        (rule("1", OwnerSource.RULING, when=When(ruled=True, in_bundle=True)), False),
        (rule("1", OwnerSource.LIST_FIELD, when=When(listed=ListedLine.ANY)), False),
    ],
)
def test_rules_by_which_rulings_would_have_no_effect_are_named(asked: Rule, heard: bool) -> None:
    found = [(one.pointer, one.code) for one in faults(RuleSet("draft", (asked, LAST)))]
    assert found == ([] if heard else [UNHEARD])


def test_two_rules_of_one_code_are_a_tie_and_named() -> None:
    assert of(LAST, LAST) == [("/rules/0", "unreachable-after"), ("/rules/1/code", "code-twice")]


_MOBILES = When(products=frozenset({"mobile"}))
_OF_AGENTS = replace(_MOBILES, channel_kinds=frozenset({ChannelKind.AGENT}))
_NOT_FIXED = When(products_except=frozenset({"broadband", "tv", "voice"}))
_ANY, _STOCK = When(listed=ListedLine.ANY), When(listed=ListedLine.STOCK)


@pytest.mark.parametrize(
    ("first", "second", "reached"),
    [
        (_MOBILES, _OF_AGENTS, False),
        (_OF_AGENTS, _MOBILES, True),
        (_NOT_FIXED, _MOBILES, False),
        (_MOBILES, _NOT_FIXED, True),
        (_ANY, _STOCK, False),
        (_STOCK, _ANY, True),
        (_ANY, replace(_ANY, customer_kinds_except=frozenset({"person"})), False),
        (replace(_ANY, customer_kinds_except=frozenset({"person"})), _ANY, True),
        (When(in_campus=True), When(in_campus=True, lead=True), False),
        (When(in_campus=True, lead=True), When(in_campus=True), True),
        (When(in_campus=True), When(lead=True), True),
    ],
)
def test_a_rule_whose_lines_are_all_taken_before_is_named(
    first: When, second: When, reached: bool
) -> None:
    found = of(
        rule("1", OwnerSource.DEFAULT_CENTRE, when=first),
        rule("2", OwnerSource.CHANNEL_CENTRE, when=second),
        LAST,
    )
    assert found == ([] if reached else [("/rules/1", "unreachable")])


def test_a_rule_that_asks_again_what_yielded_nothing_is_named() -> None:
    both = rule("1", OwnerSource.CHANNEL_FIELD, OwnerSource.CHANNEL_CENTRE, when=_NOT_FIXED)
    again = rule("2", OwnerSource.CHANNEL_CENTRE, when=_MOBILES)
    more = rule("3", OwnerSource.CHANNEL_CENTRE, OwnerSource.DEVELOPER_CENTRE, when=_MOBILES)
    assert of(both, again, more, LAST) == [("/rules/1", "unreachable")]


@pytest.mark.parametrize(
    ("when", "code"),
    [
        (When(products=frozenset({"mobil"})), "unknown-product"),
        (When(products_except=frozenset({"Mobile"})), "unknown-product"),
        (replace(_NOT_FIXED, products=frozenset({"tv"})), "contradiction"),
        (When(products_except=frozenset(words.PRODUCTS)), "contradiction"),
        (When(in_bundle=True, left_bundle=True), "contradiction"),
    ],
)
def test_a_rule_that_no_line_can_meet_is_named(when: When, code: str) -> None:
    unmeetable = rule("1", OwnerSource.LEAD_CENTRE, when=when)
    assert of(unmeetable, LAST) == [("/rules/0/when", code)]


_some = st.none() | st.frozensets(st.sampled_from(["broadband", "mobile", "tv"]), min_size=1)
_conditions = st.builds(
    When,
    listed=st.sampled_from([None, None, *ListedLine]),
    products=_some,
    products_except=_some,
    channel_kinds=st.none() | st.frozensets(st.sampled_from(list(ChannelKind)), min_size=1),
    in_bundle=st.booleans(),
    left_bundle=st.booleans(),
    secondary=st.booleans(),
)
_sources = st.lists(st.sampled_from(OwnerSource), min_size=1, max_size=3, unique=True)


@given(
    st.lists(st.tuples(_conditions, _sources), min_size=1, max_size=5),
    registers(),
    names,
    st.sampled_from(MONTHS),
)
def test_no_rule_that_is_named_as_never_asked_decides_anything(
    drawn: list[tuple[When, list[OwnerSource]]],
    register: Register,
    subscription_id: str,
    period: Period,
) -> None:
    rules = [rule(str(number), *owner, when=when) for number, (when, owner) in enumerate(drawn)]
    draft = RuleSet("draft", (*rules, LAST))
    named = {one.pointer.split("/")[2] for one in faults(draft) if one.code in _NEVER}
    decided = decide(gather(subscription_id, period, register, NEXT_TERM), draft)
    assert decided.rule.code not in named


_NEVER = {"unreachable", "contradiction"}


@pytest.mark.parametrize(
    ("period", "name"), [(201710, "default"), (201711, "a"), (201801, "c"), (201812, "c")]
)
def test_each_period_has_the_rule_set_that_was_active_last(period: int, name: str) -> None:
    sets = {one: replace(DEFAULT, name=one) for one in ("default", "a", "b", "c")}
    book = RuleBook(
        sets["default"], ((201711, sets["a"]), (201801, sets["b"]), (201801, sets["c"]))
    )
    assert book.at(Period(period)).name == name


@given(st.permutations(range(len(DEFAULT.rules))))
def test_a_digest_says_which_rules_in_which_order(order: list[int]) -> None:
    whole = default_given()
    shuffled = whole.model_copy(update={"rules": [whole.rules[place] for place in order]})
    assert (digest(shuffled) == digest(whole)) == (order == sorted(order))
