"""What billing systems do that a first reading of their manuals does not tell."""

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from attribution.conftest import Sender

from huaxiao.attribution.domain.messages import Refusal
from huaxiao.attribution.intake.reading import read
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.wire.attribution import HeldState


def _story(sender: Sender) -> list[dict[str, Any]]:
    adjusted = sender.event(
        "adjustment.made", adjustment_id="A-1", bill_item_id="BI-1", amount_fen=500
    )
    refunded = sender.event(
        "refund.issued", refund_id="R-1", bill_item_id="BI-1", amount_fen=10_400
    )
    return [sender.opened(), sender.bill(), adjusted, refunded]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_a_refund_of_what_is_charged_later_ends_in_the_same_books(
    manager: AttributionClient, county: int, sender: Sender, order: tuple[int, ...]
) -> None:
    story = _story(sender)
    for index in order:
        await manager.post_events([story[index]])
    books = await manager.reconciliation(county, 201711)
    assert sum(one.amount_fen for one in books.revenue_by_centre) == 10_000 + 500 - 10_400
    assert (await manager.quarantine(county, state=HeldState.HELD)).items == []


@pytest.mark.parametrize("kind", ["refund.issued", "write_off.made", "adjustment.made"])
async def test_what_took_back_all_of_a_charge_is_a_duplicate_when_it_comes_again(
    manager: AttributionClient, county: int, sender: Sender, kind: str
) -> None:
    number = {f"{kind.partition('.')[0]}_id": "X-1"}
    amount = -10_000 if kind == "adjustment.made" else 10_000
    whole = sender.event(kind, bill_item_id="BI-1", amount_fen=amount, **number)
    await manager.post_events([sender.opened(), sender.bill(), whole])
    assert (await manager.post_events([whole])).duplicates == 1
    again = await manager.post_events([whole, sender.bill("BI-2")])
    assert (again.duplicates, again.booked) == (1, 1)
    # The same document under another name is no second one that waits.
    other = await manager.post_events([whole | {"id": "E-other"}])
    assert [one.code for one in other.outcomes] == ["already-known"]
    assert [one.code for one in (await manager.quarantine(county)).items] == ["already-known"]


async def test_the_number_of_an_event_that_cannot_be_read_whole_has_come(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    events = [sender.bill(f"BI-{one}", "S-404") | {"sequence": f"{one}"} for one in (1, 2, 3)]
    await manager.post_events([events[0], events[1] | {"time": "yesterday"}, events[2]])
    (found,) = await manager.sequences(county)
    assert found.missing_count == 0


async def test_the_refused_form_of_what_was_mended_comes_again(
    manager: AttributionClient, county: int, sender: Sender
) -> None:
    # As a sender does that posts a whole file again after somebody has mended a part of it.
    right = sender.bill()
    wrong = right | {"type": "x"}
    await manager.post_events([sender.opened(), wrong])
    (held,) = (await manager.quarantine(county)).items
    assert (await manager.replay(county, held.held_id, right)).booked == 1
    again = await manager.post_events([wrong])
    assert (again.duplicates, again.conflicts, again.refused) == (1, 0, 0)
    other = await manager.post_events([wrong | {"type": "y"}])
    assert (other.duplicates, other.conflicts) == (0, 1)


@pytest.mark.parametrize("amount_fen", [0, -1])
def test_an_amount_that_is_whole_fen_is_not_told_that_it_must_be(
    sender: Sender, amount_fen: int
) -> None:
    says = read(json.dumps(sender.bill(amount_fen=amount_fen)).encode(), now=datetime.now(UTC)).says
    assert isinstance(says, Refusal)
    assert says.code == "bad-amount"
    assert "whole fen" not in says.message


def test_another_currency_has_a_code_of_its_own(sender: Sender) -> None:
    says = read(
        json.dumps(sender.bill() | {"currency": "USD"}).encode(), now=datetime.now(UTC)
    ).says
    assert isinstance(says, Refusal)
    assert says.code == "unknown-currency"


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
async def test_arrears_of_a_line_that_is_gone_stay_with_whoever_had_it_last(
    manager: AttributionClient, county: int, sender: Sender, order: tuple[int, ...]
) -> None:
    closed = {"subscription_id": "S-1", "effective_on": "2018-06-10"}
    story = [
        sender.opened(),
        sender.event("subscription.closed", **closed),
        # Past the term of every field there is.
        sender.bill("BI-9", period=201811),
    ]
    for index in order:
        await manager.post_events([story[index]])
    books = await manager.reconciliation(county, 201811)
    assert {one.centre_id: one.amount_fen for one in books.revenue_by_centre} == {"C1": 10_000}
    told = await manager.explanation(county, "S-1", period=201811)
    sentences = told.story
    assert any("closed on 2018-06-10" in one or "10 June 2018" in one for one in sentences), (
        sentences
    )
    assert not any("term of" in one for one in sentences)
