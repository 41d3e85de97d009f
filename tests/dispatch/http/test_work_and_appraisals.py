import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from support.feeds import check_feed
from support.work import FIELD, HOUR, START, centre, entry, finish, person, work

from huaxiao.dispatch.tables import appraisals, positions
from huaxiao.dispatch.worker import apply_attribution, apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import FakeAttribution
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import FakeContracts
from huaxiao.shared.clients.dispatch import FakeDispatch
from huaxiao.shared.feed import Follower
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.dispatch import (
    ORDER_FINISHED,
    FinalIn,
    HorizontalIn,
    OrderState,
    OrderStepIn,
    StepName,
)


async def test_requested_work_becomes_one_order_of_the_territorys_engineer(
    county: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(county, "O1"), work(county, "O1"), work(county, "O2"))
    orders = (await caller(Role.COUNTY_MANAGER).orders(county)).items
    assert [(one.order_id, one.engineer_id) for one in orders] == [("O1", "W01"), ("O2", "W02")]
    assert (orders[0].performer_centre_id, orders[0].requester_centre_id) == ("C1", "G1")
    assert orders[0].due_at == START + 24 * HOUR


async def test_work_nobody_can_do_waits_with_a_reason(
    county: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(county, "O1", address="130123200201"))
    order = await caller(Role.COUNTY_MANAGER).order(county, "O1")
    assert (order.state, order.reason, order.performer_centre_id) == (
        OrderState.NEW,
        "no-engineer",
        "B1",
    )


async def test_an_engineer_finishes_only_their_own_order_and_the_fact_is_published(
    county: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(county, "O1"))
    other = caller(Role.ENGINEER, ["C1"], "W02")
    with pytest.raises(PeerProblem) as refused:
        await other.step(county, "O1", OrderStepIn(step=StepName.FINISH))
    assert (refused.value.status, refused.value.code) == (403, "not-your-order")
    assert (await other.orders(county)).items == []

    done = await finish(caller(Role.ENGINEER, ["C1"], "W01"), county, "O1", onu_online=False)
    assert done.flags == ["false_completion_suspected"]
    assert [step.step for step in done.steps] == ["dispatch", "accept", "start", "finish"]
    facts = await caller(Role.SERVICE).feed(county, after=0)
    assert [(one.type, one.data["on_time"]) for one in facts] == [(ORDER_FINISHED, True)]


async def test_the_last_reason_stays_when_a_later_step_gives_none(
    county: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(county, "O1"))
    manager, first = caller(Role.COUNTY_MANAGER), caller(Role.ENGINEER, ["C1"], "W01")
    refusal = OrderStepIn(step=StepName.REJECT, at=START, reason="two jobs at once")
    await first.step(county, "O1", refusal)
    moved = OrderStepIn(step=StepName.REASSIGN, at=START, reason="W02 is free", engineer_id="W02")
    await manager.step(county, "O1", moved)
    done = await finish(caller(Role.ENGINEER, ["C1"], "W02"), county, "O1")
    assert done.reason == "W02 is free"
    reasons = [one.reason for one in done.steps]
    assert reasons == [None, "two jobs at once", "W02 is free", None, None, None]


async def test_a_contractor_sees_no_other_centres_orders(
    county: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(county, "O1"))
    stranger = caller(Role.CONTRACTOR, ["C2"])
    assert (await stranger.orders(county)).items == []
    with pytest.raises(PeerProblem) as refused:
        await stranger.order(county, "O1")
    assert refused.value.status == 404


async def test_the_final_appraisal_rests_on_the_confirmed_horizontal_one(
    county: Any, request_work: Any, caller: Any
) -> None:
    await request_work(*(work(county, f"O{number}") for number in range(10)))
    manager = caller(Role.COUNTY_MANAGER)
    for order in (await manager.orders(county)).items:
        engineer = caller(Role.ENGINEER, ["C1"], order.engineer_id)
        await finish(engineer, county, order.order_id, photo=True, satisfaction=97)
    rater, ratee = caller(Role.CONTRACTOR, ["G1"]), caller(Role.CONTRACTOR, ["C1"])
    card = await rater.appraise_horizontal(
        county,
        HorizontalIn(
            period=201711, rater_centre_id="G1", ratee_centre_id="C1", cooperation_stars=4
        ),
    )
    # 20 on time, 10 quality, 10 satisfaction, all in full; 4 of 5 for cooperation: 44 of 45.
    assert str(card.score) == "97.78"

    wanted = FinalIn(period=201711, person_id="W01", own_score="90")
    with pytest.raises(PeerProblem) as refused:
        await ratee.appraise_final(county, wanted)
    assert refused.value.code == "horizontal-not-confirmed"
    with pytest.raises(PeerProblem):
        await rater.confirm_appraisal(county, card.appraisal_id)
    assert (await ratee.confirm_appraisal(county, card.appraisal_id)).confirmed
    final = await ratee.appraise_final(county, wanted)
    # H = (4400/45 + 100) / 2, the person's own five orders being faultless.
    assert (str(final.score), final.grade) == ("92.67", "B")
    assert len((await ratee.appraisals(county)).items) == 2


async def test_no_centre_rates_itself(county: Any, caller: Any) -> None:
    given = HorizontalIn(
        period=201711, rater_centre_id="G1", ratee_centre_id="G1", cooperation_stars=4
    )
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.CONTRACTOR, ["G1"]).appraise_horizontal(county, given)
    assert refused.value.code == "not-ratable"
    assert refused.value.body["ratee_centre_id"] == "G1"


@pytest.mark.parametrize("kind", ["real", "fake"])
async def test_the_real_feed_and_the_fake_one_are_read_alike(
    county: Any, request_work: Any, caller: Any, kind: Any
) -> None:
    await request_work(work(county, "O1"), work(county, "O2"))
    for order_id, person_id in (("O1", "W01"), ("O2", "W02")):
        await finish(caller(Role.ENGINEER, ["C1"], person_id), county, order_id)
    reader = caller(Role.SERVICE)
    if kind == "fake":
        fake = FakeDispatch()
        fake.publish(county, await reader.feed(county, after=0))
        reader = fake
    await check_feed(reader, county, ["O1", "O2"])


async def test_work_that_was_asked_for_before_the_county_was_known_goes_where_it_belongs(
    app: Any, branch_id: Any, caller_of: Any
) -> None:
    manager = caller_of(branch_id, Role.COUNTY_MANAGER)
    contracts, attribution = FakeContracts(), FakeAttribution()
    attribution.publish(branch_id, [work(branch_id, "O1")])
    follow = [
        Follower(source, reader, apply, app.state.database, positions)
        for source, reader, apply in (
            ("/attribution", attribution, apply_attribution),
            ("/contracts", contracts, apply_contracts),
        )
    ]

    async def catch_up() -> Any:
        for follower in follow:
            while await follower.step(branch_id):
                pass
        return await manager.order(branch_id, "O1")

    assert (await catch_up()).reason == "no-centre"
    contracts.publish(
        branch_id,
        [
            centre(branch_id, "C1", "town"),
            centre(branch_id, "G1", "enterprise"),
            centre(branch_id, "B1", "build_maintain"),
            person(branch_id, "W09", "B1"),
            person(branch_id, "W01", "C1"),
        ],
    )
    waiting = await catch_up()
    assert (waiting.performer_centre_id, waiting.engineer_id) == ("B1", "W09")
    contracts.publish(branch_id, [entry(branch_id, "contracts.field.sealed", FIELD)])
    settled = await catch_up()
    assert (settled.performer_centre_id, settled.engineer_id) == ("C1", "W01")
    assert settled.due_at == START + 24 * HOUR
    assert [one.step for one in settled.steps] == ["receive", "dispatch", "dispatch"]
    await finish(caller_of(branch_id, Role.ENGINEER, ["C1"], "W01"), branch_id, "O1")
    contracts.publish(branch_id, [person(branch_id, "W02", "C1")])
    assert (await catch_up()).engineer_id == "W01"


async def test_a_card_that_nobody_answers_counts_as_confirmed_when_its_time_is_over(
    app: Any, county: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(county, "O1"))
    rater, ratee = caller(Role.CONTRACTOR, ["G1"]), caller(Role.CONTRACTOR, ["C1"])
    card = await rater.appraise_horizontal(
        county,
        HorizontalIn(
            period=201711, rater_centre_id="G1", ratee_centre_id="C1", cooperation_stars=4
        ),
    )
    wanted = FinalIn(period=201711, person_id="W01", own_score="90")
    with pytest.raises(PeerProblem) as refused:
        await ratee.appraise_final(county, wanted)
    assert refused.value.code == "horizontal-not-confirmed"
    async with app.state.database.write(EVERYTHING) as connection:
        await connection.execute(
            update(appraisals)
            .where(appraisals.c.appraisal_id == card.appraisal_id)
            .values(made_at=datetime.now(UTC) - timedelta(days=3))
        )
    assert [one.confirmed for one in (await ratee.appraisals(county)).items] == [True]
    others = wanted.model_copy(update={"person_id": "W02"})
    await asyncio.gather(*(ratee.appraise_final(county, one) for one in (wanted, others)))
    kinds = [
        (one.data["kind"], one.subject == card.appraisal_id)
        for one in await caller(Role.SERVICE).feed(county, after=0)
    ]
    assert kinds == [("horizontal", True), ("final", False), ("final", False)]


@pytest.mark.parametrize("first_comes", ["the county", "the order"])
async def test_work_and_its_county_that_come_at_the_same_moment_find_each_other(
    app: Any, branch_id: Any, caller_of: Any, first_comes: Any
) -> None:
    county = [
        centre(branch_id, "C1", "town"),
        person(branch_id, "W01", "C1"),
        entry(branch_id, "contracts.field.sealed", FIELD),
    ]
    both = [(apply_contracts, county), (apply_attribution, [work(branch_id, "O1")])]
    (leads, its), (follows, others) = both if first_comes == "the county" else both[::-1]

    async def follow() -> None:
        async with app.state.database.write(EVERYTHING) as connection:
            await follows(connection, branch_id, others)

    async with app.state.database.write(EVERYTHING) as connection:
        await leads(connection, branch_id, its)
        beside = asyncio.create_task(follow())
        finished, _ = await asyncio.wait([beside], timeout=0.5)
        assert not finished
    await beside
    order = await caller_of(branch_id, Role.COUNTY_MANAGER).order(branch_id, "O1")
    assert (order.performer_centre_id, order.engineer_id) == ("C1", "W01")


async def test_who_leaves_gets_no_more_work_and_what_waits_goes_to_another(
    app: Any, county: Any, request_work: Any, caller: Any
) -> None:
    await request_work(work(county, "O1"))
    manager = caller(Role.COUNTY_MANAGER)
    before = await manager.order(county, "O1")
    left = {"person_id": before.engineer_id, "centre_id": "C1", "from_day": "2017-11-06"}
    async with app.state.database.write(EVERYTHING) as connection:
        await apply_contracts(connection, county, [entry(county, "contracts.person.left", left)])
    await request_work(work(county, "O2"))

    after = await manager.order(county, "O1")
    other = await manager.order(county, "O2")

    assert {before.engineer_id, after.engineer_id} == {"W01", "W02"}
    assert other.engineer_id == after.engineer_id
    assert after.steps[-1].step == "dispatch"


async def test_a_closed_centre_gets_no_more_work(
    app: Any, county: Any, request_work: Any, caller: Any
) -> None:
    """Where no field lies, the build-and-maintain centre works: the next one when one is closed."""
    closed = {"centre_id": "B1", "from_day": "2017-11-06", "name": "B", "name_zh": "建维"}
    renamed = closed | {"centre_id": "B2", "name": "Build", "open": True}
    manager = caller(Role.COUNTY_MANAGER)
    async with app.state.database.write(EVERYTHING) as connection:
        told = [centre(county, "B2", "build_maintain"), person(county, "W09", "B2")]
        await apply_contracts(connection, county, told)
    await request_work(work(county, "O1", address="130123999001"))
    before = await manager.order(county, "O1")
    async with app.state.database.write(EVERYTHING) as connection:
        facts = [
            entry(county, "contracts.centre.changed", one)
            for one in (renamed, closed | {"open": False})
        ]
        await apply_contracts(connection, county, facts)

    after = await manager.order(county, "O1")

    assert (before.performer_centre_id, before.engineer_id) == ("B1", None)
    assert (after.performer_centre_id, after.engineer_id) == ("B2", "W09")
