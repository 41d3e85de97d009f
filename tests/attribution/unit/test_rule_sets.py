"""A rule set is complete and reachable before it decides anything."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.domain.rule_sets import Rule, RuleBook, RuleSet, When, faults
from huaxiao.attribution.rule_sets.reading import default_given, default_rule_set, digest
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.attribution import ListedLine, OwnerSource

DEFAULT = default_rule_set()
LAST = DEFAULT.rules[-1]


def of(*rules: Rule) -> list[tuple[str, str]]:
    return [(one.pointer, one.code) for one in faults(RuleSet("draft", rules))]


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


def test_two_rules_of_one_code_are_a_tie_and_named() -> None:
    assert of(LAST, LAST) == [("/rules/0", "unreachable-after"), ("/rules/1/code", "code-twice")]


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
