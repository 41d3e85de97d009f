"""What the pages of quarantine make of a held event, and of what somebody writes to mend it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from huaxiao.console.quarantine import views
from huaxiao.shared.problems import Malformed
from huaxiao.shared.wire.attribution import (
    Dismissal,
    EventOutcome,
    HeldEvent,
    HeldState,
    IntakeReport,
    Outcome,
)

CAME = datetime(2017, 12, 1, tzinfo=UTC)


def held(**given: Any) -> HeldEvent:
    facts = {
        "held_id": "H-1",
        "number": 1,
        "source": "/bss",
        "event_id": "E-1",
        "type": "bill_item.issued",
        "outcome": Outcome.PARKED,
        "code": "unknown-subscription",
        "message": "Waits.",
        "message_zh": "等待。",
        "waiting_for": "subscription:S:1",
        "posted_by": "bss",
        "state": HeldState.HELD,
        "received_at": CAME,
        "resolved_at": None,
        "dismissal": None,
        "body": "{}",
    }
    return HeldEvent.model_validate(facts | given)


@pytest.mark.parametrize(
    ("given", "turn"),
    [
        ({}, views.Turn.OTHER_EVENT),
        ({"outcome": "refused", "code": "bad-amount"}, views.Turn.SENDER),
        ({"outcome": "conflict", "code": "conflict"}, views.Turn.SENDER),
        ({"outcome": "refused", "code": "unknown-reference"}, views.Turn.COUNTY),
        ({"outcome": "refused", "code": "unknown-branch"}, views.Turn.COUNTY),
        ({"state": HeldState.RESOLVED}, views.Turn.NOBODY),
        ({"state": HeldState.DISMISSED}, views.Turn.NOBODY),
    ],
)
def test_it_is_somebodys_turn_while_an_event_is_held(
    given: dict[str, Any], turn: views.Turn
) -> None:
    assert views.turn(held(**given)) is turn


def test_what_is_waited_for_is_of_a_kind_and_has_a_name() -> None:
    assert views.waits_for(held()) == ("subscription", "S:1")
    assert views.waits_for(held(waiting_for=None)) is None
    assert views.waits_for(held(outcome=Outcome.REFUSED)) is None


def test_an_event_grows_older_until_it_is_booked_or_dismissed() -> None:
    now = CAME + timedelta(days=3)
    then = CAME + timedelta(days=1)
    dismissal = Dismissal(reason="x", dismissed_by="y", dismissed_at=then)
    assert views.age_seconds(held(), now) == 3 * 86_400
    assert views.age_seconds(held(resolved_at=then, state="resolved"), now) == 86_400
    assert views.age_seconds(held(dismissal=dismissal, state="dismissed"), now) == 86_400
    assert views.age_seconds(held(dismissal=dismissal), now) == 3 * 86_400


@pytest.mark.parametrize(
    "masked",
    [
        {"standard_address": "130123001001000001"},
        {"mobile": "13812345678"},
        {"customer_name": "张三"},
        {"longitude": 116.38721},
        {"note": "call 13812345678"},
    ],
)
def test_nothing_that_is_masked_is_offered_to_be_sent_again(masked: dict[str, Any]) -> None:
    shown = held(body=json.dumps({"data": masked})).body
    assert views.to_mend(shown) is None
    with pytest.raises(Malformed) as refused:
        views.mended(shown)
    assert [one.code for one in refused.value.faults] == ["masked"]


def test_what_bears_no_personal_data_is_mended_as_it_came() -> None:
    body = '{"id":"E-1","data":{"amount_fen":1.5,"big":123456789012345678901}}'
    begun = views.to_mend(held(body=body).body)
    assert begun is not None
    assert begun.count("\n") > 3
    assert views.mended(begun) == json.loads(body)
    assert views.to_mend("no json {") == "no json {"


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"a": NaN}', "[" * 100_000])
def test_what_is_no_event_is_sent_nowhere(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        views.mended(text)
    assert [one.code for one in refused.value.faults] == ["no-json"]


def report(*outcomes: EventOutcome) -> IntakeReport:
    counts = dict.fromkeys(("booked", "duplicates", "parked", "refused", "conflicts"), 0)
    return IntakeReport(received=1, outcomes=list(outcomes), **counts)


def test_what_became_of_it_is_told_and_a_refusal_says_why() -> None:
    def became(outcome: Outcome) -> EventOutcome:
        return EventOutcome(
            index=0, event_id="E-1", outcome=outcome, code="c", message="m", message_zh="m"
        )

    assert views.outcome_of(report()) is Outcome.BOOKED
    assert views.outcome_of(report(became(Outcome.PARKED))) is Outcome.PARKED
    assert views.outcome_of(report(became(Outcome.DUPLICATE))) is Outcome.DUPLICATE
    for refused in (Outcome.REFUSED, Outcome.CONFLICT):
        with pytest.raises(views.StillHeld) as still:
            views.outcome_of(report(became(refused)))
        assert [one.code for one in still.value.faults] == ["c"]
    assert views.placed_as(report()) is Outcome.BOOKED
    for gone in (Outcome.BOOKED, Outcome.DUPLICATE, Outcome.PARKED, Outcome.CONFLICT):
        assert views.placed_as(report(became(gone))) is gone
    with pytest.raises(views.StillUnplaced) as unplaced:
        views.placed_as(report(became(Outcome.REFUSED)))
    assert [one.code for one in unplaced.value.faults] == ["c"]
