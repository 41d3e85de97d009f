"""What the page of other rules and fields makes of drafts, of rules, and of what somebody writes."""

from typing import Any

import pytest

from huaxiao.console.language import CHINESE, ENGLISH, Words
from huaxiao.console.what_if import views
from huaxiao.console.what_if.views import RuleChange
from huaxiao.shared.problems import Malformed, NotFound
from huaxiao.shared.wire.attribution import (
    CentreChange,
    ListedLine,
    Period,
    RuleIn,
    RuleSet,
    WhatIf,
    WhenIn,
)
from huaxiao.shared.wire.contracts import ChannelKind, ResponsibilityField
from huaxiao.shared.wire.events import PRODUCTS


def field(field_id: str, *prefixes: str, **given: Any) -> ResponsibilityField:
    facts = {
        "field_id": field_id,
        "kind": "regional",
        "centre_id": "C1",
        "name_zh": "田",
        "term_from": 201711,
        "term_to": 201810,
        "state": "draft",
        "digest": None,
        "contract_id": None,
        "scope": {"address_prefixes": prefixes},
    }
    return ResponsibilityField.model_validate(facts | given)


def rule(code: str, **given: Any) -> RuleIn:
    facts = {"code": code, "title": code, "title_zh": code, "when": {}, "owner": ["main_card"]}
    return RuleIn.model_validate(facts | given)


def rule_set(name: str, *rules: RuleIn, active_from: int | None = None) -> RuleSet:
    return RuleSet(
        name=name,
        title=name,
        title_zh=name,
        rules=list(rules),
        shadow_months=12,
        state="active" if active_from else "validated",
        active_from=active_from,
        digest="0" * 64,
        faults=[],
        drafted_by="somebody",
        activated_by=None,
    )


def test_a_draft_stands_for_the_sealed_field_with_which_it_has_most_in_common() -> None:
    sealed = [field("OLD-1", "130123001", "130123002"), field("OLD-2", "130123003")]
    drafts = [
        field("NEW-1", "130123001", "130123003"),
        field("NEW-2", "130123002"),
        field("NEW-3", "130123009"),
    ]

    found = views.drawn(drafts, sealed)

    # Each sealed field is stood for once: what else was taken from it is beside it.
    assert [(one.field.field_id, one.instead_of) for one in found] == [
        ("NEW-1", "OLD-1"),
        ("NEW-2", None),
        ("NEW-3", None),
    ]
    assert [one.choice for one in found] == ["NEW-1|OLD-1", "NEW-2", "NEW-3"]


def test_what_stands_for_a_sealed_field_is_tried_under_its_code() -> None:
    known = views.drawn([field("NEW", "130123001", centre_id="C2")], [field("OLD", "130123001")])

    (in_place,) = views.tried(["NEW|OLD"], known)
    (beside,) = views.tried(["NEW"], known)

    assert (in_place.field_id, in_place.centre_id) == ("OLD", "C2")
    assert in_place.scope.address_prefixes == ["130123001"]
    assert beside.field_id == "NEW"


@pytest.mark.parametrize("choice", ["OTHER", "NEW|OTHER", "|OLD"])
def test_what_is_no_draft_or_stands_for_none_is_not_found(choice: str) -> None:
    known = views.drawn([field("NEW", "130123001")], [field("OLD", "130123001")])

    with pytest.raises(NotFound):
        views.tried([choice], known)


def test_rules_in_force_are_the_last_that_began_or_the_default_ones() -> None:
    default = rule_set(views.DEFAULT_RULES)
    known = [default, rule_set("later", active_from=201803), rule_set("own", active_from=201712)]

    found = [views.in_force(known, period).name for period in (201711, 201712, 201802, 201803)]

    assert found == [views.DEFAULT_RULES, "own", "own", "later"]


def test_rules_are_held_against_those_in_force() -> None:
    before = rule_set("before", rule("1"), rule("2"), rule("3"), rule("4"))
    after = rule_set("after", rule("2"), rule("1"), rule("9"), rule("3", flag="MARKED"))

    compared = {one.code: change for one, change in views.compared(after, before)}

    assert compared["9"] is RuleChange.NEW
    assert compared["3"] is RuleChange.CHANGED
    assert {compared["1"], compared["2"]} == {RuleChange.SAME, RuleChange.MOVED}
    assert [one.code for one in views.dropped(after, before)] == ["4"]


@pytest.mark.parametrize("language", [CHINESE, ENGLISH])
def test_every_condition_is_put_in_words(language: str) -> None:
    asked = {
        "products": ["mobile"],
        "products_except": sorted(PRODUCTS),
        "customer_kinds_except": ["person", "enterprise"],
        "channel_kinds": list(ChannelKind),
    }
    flags = {name: True for name, one in WhenIn.model_fields.items() if one.annotation is bool}
    when = WhenIn.model_validate({"listed": ListedLine.STOCK} | asked | flags)

    told = views.conditions(Words(language), when)

    assert len(told) == len(WhenIn.model_fields)
    for one in told:
        assert any("一" <= letter <= "鿿" for letter in one) == (language == CHINESE), one
        assert "_" not in one
    assert views.conditions(Words(language), WhenIn()) == []


def test_a_rule_set_that_is_none_is_told_where_it_is_wrong() -> None:
    with pytest.raises(Malformed) as refused:
        views.written('{"title": "t", "title_zh": "t", "rules": [{"code": "1", "owner": []}]}')

    pointers = {one.pointer for one in refused.value.faults}
    assert {"/rules/0/title", "/rules/0/when", "/rules/0/owner"} <= pointers
    with pytest.raises(Malformed):
        views.written("{")


def test_what_a_rule_set_says_can_be_written_again() -> None:
    shown = rule_set("one", rule("1", when={"products": ["tv"]}))

    again = views.written(views.stated(shown).model_dump_json(indent=2, exclude_defaults=True))

    assert again == views.stated(shown)


def test_revenue_that_changes_centres_is_counted_once() -> None:
    centres = [
        CentreChange(
            centre_id=name,
            before_fen=before,
            after_fen=after,
            subscriptions_in=0,
            subscriptions_out=0,
        )
        for name, before, after in (("C1", 900, 400), ("C2", 100, 450), ("C3", 0, 150))
    ]
    found = WhatIf(
        period=201711,
        to_period=201711,
        subscriptions=3,
        moved=2,
        centres=centres,
        moves=[],
        moves_omitted=0,
    )

    assert views.moved_fen(found) == 500


def test_other_rules_may_decide_from_the_first_open_month() -> None:
    closed, is_open = (
        Period.model_validate(
            {
                "period": period,
                "state": state,
                "begun_by": None,
                "begun_at": None,
                "closed_by": None,
                "closed_at": None,
                "seal": None,
                "entries": None,
                "unresolved": None,
            }
        )
        for period, state in ((201711, "closed"), (201712, "open"))
    )

    assert views.first_open([closed, is_open], 201711) == 201712
    assert views.first_open([closed], 201801) == 201801
