"""Rulings: two people move one subscription, from an open period, with a reason on record."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attribution.conftest import (
    AGREED,
    AMENDMENT,
    FIELDS,
    KEY_CONTRACT,
    Sender,
    contract_signed,
    supplement_signed,
)
from fastapi import FastAPI
from sqlalchemy import delete, insert, select

from huaxiao.attribution.county.store import follow_agreements_again
from huaxiao.attribution.tables import (
    agreement_positions,
    contract_fields,
    ruled_subscriptions,
    rulings,
    supplements,
)
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import EVERYTHING, Scope
from huaxiao.shared.ticking import catch_up
from huaxiao.shared.wire.attribution import RulingIn
from huaxiao.shared.wire.feed import FeedEntry

Follow = Callable[[Sequence[FeedEntry]], Awaitable[None]]


def ruling(**changed: Any) -> RulingIn:
    facts = {
        "subscription_ids": ["S-1"],
        "centre_id": "C2",
        "field_id": "F-RURAL",
        "from_period": 201711,
        "to_period": 201810,
        "reason": "The compound was handed over.",
    }
    return RulingIn.model_validate(facts | changed)


@pytest.fixture
async def booked(manager: AttributionClient, county: int, sender: Sender) -> int:
    """Return a branch with a town line billed in two months, a card on it, and a listed line."""
    card = sender.opened("S-2", product="mobile", main_subscription_id="S-1")
    listed = sender.opened("S-3", customer_id="ENT-1")
    await manager.post_events(
        [
            sender.opened(),
            card,
            listed,
            sender.bill("BI-1"),
            sender.bill("BI-2", period=201712),
            sender.bill("BI-3", "S-2", amount_fen=300),
        ]
    )
    return county


async def revenue(client: AttributionClient, branch_id: int, period: int) -> dict[str, int]:
    books = await client.reconciliation(branch_id, period)
    assert (books.difference_fen, books.ledger_sum_fen) == (0, 0)
    return {one.centre_id: one.amount_fen for one in books.revenue_by_centre if one.amount_fen}


async def test_a_ruling_moves_what_is_booked_once_somebody_else_approves_it(
    manager: AttributionClient, finance: AttributionClient, booked: int
) -> None:
    given = ruling(to_period=201711)
    drafted = await manager.put_ruling(booked, "R-1", given)
    assert drafted.approved_at is None
    assert await manager.put_ruling(booked, "R-1", given) == drafted
    assert await revenue(manager, booked, 201711) == {"C1": 10_300}
    with pytest.raises(PeerProblem) as refused:
        await manager.approve_ruling(booked, "R-1")
    assert refused.value.code == "two-people"
    approved = await finance.approve_ruling(booked, "R-1")
    assert approved.approved_by == "test:county_finance"
    assert await finance.approve_ruling(booked, "R-1") == approved
    # The secondary card follows its main card; the next month is beyond the ruling's term.
    assert await revenue(manager, booked, 201711) == {"C2": 10_300}
    assert await revenue(manager, booked, 201712) == {"C1": 10_000}
    found = await manager.explanation(booked, "S-1", period=201711)
    assert (found.owner.unit_rule, found.owner.field_id, found.reproduced) == (
        "010",
        "F-RURAL",
        True,
    )
    assert found.evidence["ruling"]["ruling_id"] == "R-1"


async def test_the_ruling_that_was_approved_last_stands(
    manager: AttributionClient, finance: AttributionClient, booked: int
) -> None:
    await manager.put_ruling(booked, "R-1", ruling())
    await manager.put_ruling(booked, "R-2", ruling(centre_id="G1", field_id=None))
    for one in ("R-2", "R-1"):
        await finance.approve_ruling(booked, one)
    assert await revenue(manager, booked, 201712) == {"C2": 10_000}


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(seconds=10)])
async def test_the_ruling_approved_last_stands_whatever_the_clock_says(
    manager: AttributionClient,
    finance: AttributionClient,
    booked: int,
    set_clock: Callable[[datetime], None],
    behind: timedelta,
) -> None:
    now = datetime.now(UTC)
    await manager.put_ruling(booked, "R-1", ruling())
    await manager.put_ruling(booked, "R-2", ruling(centre_id="G1", field_id=None))
    set_clock(now)
    before = await finance.approve_ruling(booked, "R-2")
    set_clock(now - behind)
    after = await finance.approve_ruling(booked, "R-1")
    assert before.approved_at is not None
    assert after.approved_at is not None
    assert after.approved_at > before.approved_at
    assert await revenue(manager, booked, 201712) == {"C2": 10_000}


async def test_a_locked_list_is_changed_with_its_amendment_only(
    manager: AttributionClient,
    finance: AttributionClient,
    booked: int,
    sender: Sender,
    follow: Follow,
) -> None:
    sender.count = 100
    await manager.post_events([sender.bill("BI-9", "S-3")])
    with pytest.raises(PeerProblem) as refused:
        await manager.put_ruling(booked, "R-1", ruling(subscription_ids=["S-3"]))
    assert refused.value.code == "amendment-needed"
    await follow(AGREED)
    amended = ruling(subscription_ids=["S-3"], amendment_id=AMENDMENT)
    assert (await manager.put_ruling(booked, "R-1", amended)).amendment_id == AMENDMENT
    await finance.approve_ruling(booked, "R-1")
    assert (await revenue(manager, booked, 201711))["C2"] == 10_000


@pytest.mark.parametrize("subscription_ids", [["S-3"], ["S-1"]])
async def test_an_amendment_is_a_supplement_that_is_known_to_be_signed(
    manager: AttributionClient, booked: int, follow: Follow, subscription_ids: list[str]
) -> None:
    named = [AMENDMENT, f"{KEY_CONTRACT}/2", "CT-2017-11-G1-A1", "CT-OTHER/1"]
    await follow([contract_signed(KEY_CONTRACT, "F-KEY")])
    for one in named:
        given = ruling(subscription_ids=subscription_ids, amendment_id=one)
        with pytest.raises(PeerProblem) as refused:
            await manager.put_ruling(booked, "R-1", given)
        assert (refused.value.status, refused.value.code) == (409, "amendment-unknown")
        standing = await manager.standing(booked)
        assert refused.value.body["contracts_position"] == standing.contracts_position
        assert refused.value.body["amendment_id"] == one
    # Once the feed brings it, the same proposal stands.
    await follow([supplement_signed()])
    given = ruling(subscription_ids=subscription_ids, amendment_id=AMENDMENT)
    assert (await manager.put_ruling(booked, "R-1", given)).amendment_id == AMENDMENT


async def test_an_amendment_is_of_the_contract_that_loses_the_line_and_in_force_by_then(
    manager: AttributionClient, booked: int, follow: Follow
) -> None:
    await follow(
        [
            contract_signed(KEY_CONTRACT, "F-KEY"),
            contract_signed("CT-2017-11-C2", "F-RURAL"),
            supplement_signed("CT-2017-11-C2"),
            supplement_signed(effective_from=201801),
        ]
    )
    found = {}
    for amendment_id, from_period in (
        ("CT-2017-11-C2/1", 201801),
        (AMENDMENT, 201712),
        (AMENDMENT, 201801),
    ):
        given = ruling(
            subscription_ids=["S-3", "S-1"], amendment_id=amendment_id, from_period=from_period
        )
        key = amendment_id, from_period
        try:
            await manager.put_ruling(booked, f"R-{len(found)}", given)
            found[key] = ["drafted"]
        except PeerProblem as problem:
            found[key] = [problem.code, *(one["code"] for one in problem.body["errors"])]
    assert found == {
        ("CT-2017-11-C2/1", 201801): ["ruling-not-possible", "another-contract"],
        (AMENDMENT, 201712): ["ruling-not-possible", "not-in-force"],
        (AMENDMENT, 201801): ["drafted"],
    }


async def test_what_was_drafted_by_another_name_is_shown_and_does_not_take_effect(
    app: FastAPI, manager: AttributionClient, finance: AttributionClient, booked: int
) -> None:
    """So a ruling was kept before supplements were followed."""
    await manager.put_ruling(booked, "R-1", ruling())
    async with app.state.database.write(EVERYTHING) as connection:
        rows = await connection.execute(select(rulings).where(rulings.c.branch_id == booked))
        old = dict(rows.mappings().one()) | {"ruling_id": "R-OLD", "amendment_id": "A-1"}
        await connection.execute(insert(rulings).values(old))
        named = {"branch_id": booked, "ruling_id": "R-OLD", "subscription_id": "S-3", "position": 0}
        await connection.execute(insert(ruled_subscriptions).values(named))
    assert (await manager.ruling(booked, "R-OLD")).amendment_id == "A-1"
    with pytest.raises(PeerProblem) as refused:
        await finance.approve_ruling(booked, "R-OLD")
    assert refused.value.code == "amendment-unknown"


async def test_supplements_that_were_passed_by_come_with_following_again(
    app: FastAPI, manager: AttributionClient, booked: int, follow: Follow
) -> None:
    """The release before follows the feed and keeps none; whoever rebuilds has lost them."""
    await follow(AGREED)
    scope = Scope.of_branch(booked)
    async with app.state.database.write(scope) as connection:
        for table in (supplements, contract_fields, agreement_positions):
            await connection.execute(delete(table))
    before = (await manager.standing(booked)).contracts_position
    given = ruling(subscription_ids=["S-3"], amendment_id=AMENDMENT)
    # What comes now does not hide that something before it is missing.
    await follow([supplement_signed(number=2)])
    with pytest.raises(PeerProblem) as refused:
        await manager.put_ruling(booked, "R-1", given)
    assert refused.value.code == "amendment-unknown"

    job = {"agreements": follow_agreements_again}
    await catch_up(app.state.database, job, booked, clock=app.state.clock)
    assert (await manager.standing(booked)).contracts_position == 0
    await follow([])
    assert (await manager.standing(booked)).contracts_position == before + 1
    assert (await manager.put_ruling(booked, "R-1", given)).amendment_id == AMENDMENT
    # Then nothing is missing, and nothing is followed again.
    await catch_up(app.state.database, job, booked, clock=app.state.clock)
    assert (await manager.standing(booked)).contracts_position == before + 1


async def test_no_month_of_a_rulings_term_takes_a_line_off_a_list_unseen(
    manager: AttributionClient, finance: AttributionClient, booked: int, sender: Sender
) -> None:
    # The list's term begins in November: a ruling from October on reaches into it.
    before = ruling(subscription_ids=["S-1", "S-3"], field_id=None, from_period=201710)
    with pytest.raises(PeerProblem) as refused:
        await manager.put_ruling(booked, "R-1", before)
    assert refused.value.code == "amendment-needed"
    assert refused.value.body["subscription_ids"] == ["S-3"]
    october = before.model_copy(update={"to_period": 201710})
    assert (await manager.put_ruling(booked, "R-1", october)).subscription_ids == ["S-1", "S-3"]
    own = ruling(subscription_ids=["S-3"], centre_id="G1", field_id="F-KEY")
    assert (await manager.put_ruling(booked, "R-2", own)).amendment_id is None
    # By the time of the approval the line may be a listed customer's.
    await manager.put_ruling(booked, "R-3", ruling())
    sender.count = 100
    listed = sender.event(
        "subscription.changed",
        subscription_id="S-1",
        effective_on="2018-03-10",
        customer_id="ENT-1",
    )
    await manager.post_events([listed])
    with pytest.raises(PeerProblem) as refused:
        await finance.approve_ruling(booked, "R-3")
    assert refused.value.code == "amendment-needed"


@pytest.mark.parametrize("amendment_id", [None, AMENDMENT])
@pytest.mark.parametrize("list_first", [True, False])
async def test_a_list_and_a_ruling_come_to_the_same_in_either_order(
    manager: AttributionClient,
    finance: AttributionClient,
    branch: int,
    sender: Sender,
    follow: Follow,
    amendment_id: str | None,
    list_first: bool,
) -> None:
    town, rural, listed = FIELDS
    await follow([town, rural, *AGREED])
    card = sender.opened("S-4", product="mobile", main_subscription_id="S-3")
    await manager.post_events(
        [
            sender.opened("S-3", customer_id="ENT-1"),
            card,
            sender.bill("BI-1", "S-3"),
            sender.bill("BI-2", "S-4"),
            sender.bill("BI-3", "S-3", period=201710),
        ]
    )
    given = ruling(
        subscription_ids=["S-3"],
        field_id=None,
        from_period=201710,
        to_period=None,
        amendment_id=amendment_id,
    )
    if list_first:
        await follow([listed])
    if list_first and amendment_id is None:
        with pytest.raises(PeerProblem) as refused:
            await manager.put_ruling(branch, "R-1", given)
        assert refused.value.code == "amendment-needed"
        given = given.model_copy(update={"to_period": 201710})
    await manager.put_ruling(branch, "R-1", given)
    await finance.approve_ruling(branch, "R-1")
    if not list_first:
        await follow([listed])
    owner = "G1" if amendment_id is None else "C2"
    assert await revenue(manager, branch, 201711) == {owner: 20_000}
    assert await revenue(manager, branch, 201710) == {"C2": 10_000}
    found = await manager.explanation(branch, "S-3", period=201711)
    assert found.reproduced
    if amendment_id is None:
        assert (found.owner.unit_rule, found.ruling) == ("020", None)


async def test_one_ruling_moves_several_lines(
    manager: AttributionClient, finance: AttributionClient, booked: int
) -> None:
    several = ruling(subscription_ids=["S-2", "S-1"], centre_id="G1", field_id=None)
    await manager.put_ruling(booked, "R-1", several)
    assert (await finance.approve_ruling(booked, "R-1")).subscription_ids == ["S-2", "S-1"]
    assert await revenue(manager, booked, 201711) == {"G1": 10_300}


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"subscription_ids": ["S-404"]}, "/subscription_ids/0"),
        ({"subscription_ids": ["S-2", "S-1", "S-2"]}, "/subscription_ids/2"),
        ({"centre_id": "C9", "field_id": None}, "/centre_id"),
        ({"field_id": "F-TOWN"}, "/field_id"),
        ({"field_id": None, "to_period": 201710}, "/to_period"),
        ({"from_period": 201710}, "/from_period"),
        ({"to_period": 201811}, "/to_period"),
        ({"to_period": None}, "/to_period"),
    ],
)
async def test_a_ruling_names_what_is_there_and_keeps_to_the_fields_term(
    manager: AttributionClient, booked: int, changed: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(PeerProblem) as refused:
        await manager.put_ruling(booked, "R-1", ruling(**changed))
    assert refused.value.code == "ruling-not-possible"
    assert [one["pointer"] for one in refused.value.body["errors"]] == [pointer]


async def test_an_identifier_stands_for_one_ruling(manager: AttributionClient, booked: int) -> None:
    await manager.put_ruling(booked, "R-1", ruling())
    with pytest.raises(PeerProblem) as refused:
        await manager.put_ruling(booked, "R-1", ruling(reason="Another one."))
    assert refused.value.code == "conflict"


async def test_a_closed_period_is_not_ruled_on(
    manager: AttributionClient, finance: AttributionClient, booked: int
) -> None:
    await manager.put_ruling(booked, "R-1", ruling())
    await manager.begin_closing(booked, 201711)
    await finance.close_period(booked, 201711)
    with pytest.raises(PeerProblem) as refused:
        await finance.approve_ruling(booked, "R-1")
    assert refused.value.code == "period-closed"


async def test_who_is_bound_to_a_centre_neither_rules_nor_closes(
    caller: Callable[..., AttributionClient], booked: int
) -> None:
    bound = caller(Role.COUNTY_FINANCE, ["C2"])

    with pytest.raises(PeerProblem) as ruled:
        await bound.put_ruling(booked, "R-1", ruling())
    with pytest.raises(PeerProblem) as closed:
        await bound.begin_closing(booked, 201711)

    assert (ruled.value.status, closed.value.status) == (403, 403)
