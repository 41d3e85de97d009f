"""The negative list: what is not on it is allowed, and what is repeated counts for more (R5)."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.contracts.domain.negative_list import (
    Action,
    OnNegativeList,
    attribute_faults,
    judge,
    list_faults,
    require_allowed,
)
from huaxiao.contracts.domain.violations import (
    PointsOutOfRange,
    Upheld,
    counted_severities,
    require_points,
)
from huaxiao.contracts.negative_list.handlers import default_list
from huaxiao.shared.wire.negative_list import (
    ATTRIBUTES,
    ActionKind,
    NegativeEntry,
    NegativeListIn,
    Severity,
)

LIST = default_list()
DAY = date(2017, 11, 15)


def codes(kind: ActionKind, **attributes: Any) -> tuple[list[str], list[str]]:
    verdict = judge(Action(kind, attributes), LIST.entries)
    return (
        [entry.code for entry, _ in verdict.hits],
        [entry.code for entry, _ in verdict.open_questions],
    )


def test_the_suites_own_list_is_sound_and_has_every_entry() -> None:
    assert list(list_faults(LIST)) == []
    assert [entry.code for entry in LIST.entries] == [f"NL-{number:02d}" for number in range(1, 26)]


@pytest.mark.parametrize(
    ("kind", "attributes", "hits", "questions"),
    [
        (ActionKind.GIVE_REFUND, {"approved": True}, [], []),
        (ActionKind.GIVE_REFUND, {"approved": False}, ["NL-11"], []),
        (ActionKind.GIVE_REFUND, {"amount_fen": 100}, [], ["NL-11"]),
        (ActionKind.TRANSFER_CONTRACT, {}, ["NL-07"], []),
        (
            ActionKind.SET_PRICE,
            {"price_fen": 4_900, "floor_fen": 5_000, "approved": False},
            ["NL-09"],
            [],
        ),
        (ActionKind.SET_PRICE, {"price_fen": 5_000, "floor_fen": 5_000}, [], []),
        (ActionKind.SET_PRICE, {"price_fen": 4_900, "approved": True}, [], []),
        (ActionKind.SET_PRICE, {"price_fen": 4_900, "approved": False}, [], ["NL-09"]),
        (
            ActionKind.PAY_OUT,
            {"to_contractor": False, "due_fen": 2, "paid_fen": 1},
            ["NL-07", "NL-13"],
            [],
        ),
        (ActionKind.AGREE_TERMS, {"free_scope": "可以转包、对外担保"}, ["NL-07", "NL-22"], []),
        (ActionKind.AGREE_TERMS, {"free_scope": "负面责任清单以外自主经营"}, [], []),
    ],
)
def test_an_action_is_held_against_the_list(
    kind: ActionKind, attributes: dict[str, Any], hits: list[str], questions: list[str]
) -> None:
    assert codes(kind, **attributes) == (hits, questions)


def test_a_refusal_names_the_entry_and_the_place() -> None:
    action = Action(ActionKind.AGREE_TERMS, {"free_scope": "可以转包"})

    with pytest.raises(OnNegativeList) as refused:
        require_allowed([("/terms/free_scope_zh", action)], LIST.entries)

    assert [(one.pointer, one.code) for one in refused.value.faults] == [
        ("/terms/free_scope_zh", "NL-07")
    ]
    assert refused.value.extensions == {"entries": ["NL-07"]}


values = {"boolean": st.booleans(), "number": st.integers(0, 200), "text": st.text(max_size=10)}


@st.composite
def said(draw: st.DrawFn) -> tuple[ActionKind, dict[str, Any]]:
    kind = draw(st.sampled_from(ActionKind))
    attributes = {name: draw(values[of_kind]) for name, of_kind in ATTRIBUTES[kind].items()}
    return kind, attributes


@given(said(), st.data())
def test_to_say_less_never_turns_a_no_into_a_yes(
    action: tuple[ActionKind, dict[str, Any]], data: st.DataObject
) -> None:
    kind, attributes = action
    left = data.draw(st.sets(st.sampled_from(sorted(attributes)))) if attributes else set()

    whole = judge(Action(kind, attributes), LIST.entries)
    part = judge(Action(kind, {name: attributes[name] for name in left}), LIST.entries)

    assert whole.open_questions == ()
    assert {entry.code for entry, _ in part.hits} <= {entry.code for entry, _ in whole.hits}
    assert whole.is_allowed or not part.is_allowed


@pytest.mark.parametrize(
    ("bans", "code"),
    [
        ([{"action": "pay_out", "conditions": [{"attribute": "x", "operator": "is", "value": 1}]}],
         "unknown-attribute"),
        ([{"action": "pay_out",
           "conditions": [{"attribute": "due_fen", "operator": "mentions", "words": ["a"]}]}],
         "operator-does-not-fit"),
        ([{"action": "pay_out", "conditions": [{"attribute": "due_fen", "operator": "below"}]}],
         "one-operand"),
        ([{"action": "pay_out",
           "conditions": [{"attribute": "due_fen", "operator": "below", "value": True}]}],
         "wrong-kind"),
        ([{"action": "pay_out",
           "conditions": [{"attribute": "due_fen", "operator": "below", "other": "to_contractor"}]}],
         "unknown-attribute"),
    ],
)  # fmt: skip
def test_a_list_that_no_machine_could_check_is_refused(bans: list[Any], code: str) -> None:
    entry = NegativeEntry.model_validate(
        LIST.entries[0].model_dump() | {"bans": bans},
    )
    given = NegativeListIn(name_zh="自拟", entries=[entry], points=LIST.points)

    assert [fault.code for fault in list_faults(given)] == [code]


def test_what_is_said_of_an_action_is_of_its_kind() -> None:
    faults = attribute_faults(Action(ActionKind.GIVE_REFUND, {"approved": 1, "colour": "red"}))

    assert [(one.pointer, one.code) for one in faults] == [
        ("/attributes/approved", "wrong-kind"),
        ("/attributes/colour", "unknown-attribute"),
    ]


@pytest.mark.parametrize(
    ("severity", "earlier", "counted"),
    [
        (Severity.C, [], Severity.C),
        (Severity.C, [("NL-25", Severity.C, 183)], Severity.B),
        (Severity.C, [("NL-25", Severity.C, 184)], Severity.C),
        (Severity.C, [("NL-17", Severity.C, 10)], Severity.C),
        (Severity.B, [("NL-15", Severity.B, 365)], Severity.A),
        (Severity.B, [("NL-15", Severity.B, 366)], Severity.B),
        (Severity.C, [("NL-25", Severity.C, 9), ("NL-15", Severity.B, 20)], Severity.A),
        (Severity.A, [], Severity.A),
        (Severity.B, [("NL-15", Severity.B, -1)], Severity.B),
    ],
)
def test_a_repeated_violation_counts_as_a_graver_one(
    severity: Severity, earlier: list[tuple[str, Severity, int]], counted: Severity
) -> None:
    upheld = [
        Upheld(number, code, own, DAY - timedelta(days=ago))
        for number, (code, own, ago) in enumerate(earlier, start=1)
    ]

    assert counted_severities([*upheld, Upheld(99, "NL-25", severity, DAY)])[99] is counted


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["NL-25", "NL-17"]), st.sampled_from(Severity), st.integers(0, 500)
        ),
        max_size=8,
    ),
    st.randoms(),
)
def test_what_violations_count_as_does_not_depend_on_the_order_they_are_decided_in(
    happened: list[tuple[str, Severity, int]], random: Any
) -> None:
    upheld = [
        Upheld(number, entry, severity, DAY + timedelta(days=after))
        for number, (entry, severity, after) in enumerate(happened, start=1)
    ]
    shuffled = random.sample(upheld, len(upheld))

    counted = counted_severities(upheld)

    assert counted_severities(shuffled) == counted
    assert all(counted[one.number] <= one.severity for one in upheld)  # A is the gravest.


@pytest.mark.parametrize(("points", "fits"), [(4, False), (5, True), (10, True), (11, False)])
def test_points_fit_the_severity(points: int, fits: bool) -> None:
    if fits:
        require_points(points, Severity.B, LIST.points)
        return
    with pytest.raises(PointsOutOfRange):
        require_points(points, Severity.B, LIST.points)
