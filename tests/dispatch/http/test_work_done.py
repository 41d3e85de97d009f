from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.work import finish, work

from huaxiao.dispatch.tables import orders
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.dispatch import FinishedWork, HorizontalIn, OrderKind

INSTALLED = {"period": 201711, "centre_id": "C1", "kind": OrderKind.INSTALL}


@pytest.fixture
async def served(county: Any, request_work: Any, caller: Any) -> Any:
    """Let C1 finish three orders of G1's customers, and G1 rate it."""
    await request_work(*(work(county, f"O{number}") for number in range(6)))
    manager = caller(Role.COUNTY_MANAGER)
    for order in (await manager.orders(county)).items[:5]:
        engineer = caller(Role.ENGINEER, ["C1"], order.engineer_id)
        await finish(engineer, county, order.order_id, photo=True, satisfaction=97)
    given = HorizontalIn(
        period=201711, rater_centre_id="G1", ratee_centre_id="C1", cooperation_stars=4
    )
    return await caller(Role.CONTRACTOR, ["G1"]).appraise_horizontal(county, given)


async def test_work_is_counted_by_month_centre_kind_and_area(
    county: Any, served: Any, caller: Any
) -> None:
    found = await caller(Role.COUNTY_MANAGER).work_done(
        county, period_from=201711, period_to=201712
    )

    town_or_country = {order.area for order in found.orders}
    assert len(town_or_country) == 1
    assert found.orders == [FinishedWork(**INSTALLED, area=town_or_country.pop(), count=5)]


async def test_what_was_not_known_at_a_moment_is_not_told_of_it(
    app: Any, county: Any, served: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    before = datetime.now(UTC)
    async with app.state.database.read(EVERYTHING) as connection:
        kept = (await connection.execute(orders.select().where(orders.c.branch_id == county))).all()
    confirmed = await caller(Role.CONTRACTOR, ["C1"]).confirm_appraisal(county, served.appraisal_id)
    span = {"period_from": 201711, "period_to": 201711}

    then = await manager.work_done(county, **span, known_at=before)
    now = await manager.work_done(county, **span)
    long_ago = await manager.work_done(county, **span, known_at=before - timedelta(hours=1))

    assert sum(order.count for order in then.orders) == 5 < len(kept)
    assert [str(one.score) for one in now.scores] == [str(confirmed.score)]
    assert then.scores == []
    assert (long_ago.orders, long_ago.scores) == ([], [])
    assert await manager.work_done(county, **span, known_at=then.known_at) == then


async def test_a_contractor_is_told_of_its_own_centres_work_only(
    county: Any, served: Any, caller: Any
) -> None:
    own = await caller(Role.CONTRACTOR, ["C1"]).work_done(
        county, period_from=201711, period_to=201711
    )
    others = await caller(Role.CONTRACTOR, ["G1"]).work_done(
        county, period_from=201711, period_to=201711
    )

    assert sum(order.count for order in own.orders) == 5
    assert (others.orders, others.scores) == ([], [])


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"period_from": 201712, "period_to": 201711}, "bad-span"),
        ({"period_from": 200001, "period_to": 201712}, "bad-span"),
        (
            {
                "period_from": 201711,
                "period_to": 201711,
                "known_at": datetime(2099, 1, 1, tzinfo=UTC),
            },
            "moment-to-come",
        ),
    ],
)
async def test_a_bad_question_is_named(county: Any, caller: Any, asked: Any, code: str) -> None:
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.COUNTY_MANAGER).work_done(county, **asked)

    assert refused.value.code == code
