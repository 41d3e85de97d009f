"""Earnings: each order's fee reaches people to the fen, and settlements pay no other sum (R14)."""

from decimal import Decimal
from typing import Any

import httpx
import pytest
from support.register import TERMS
from support.work import HOUR, START, centre, entry, person, work

from huaxiao.contracts.domain.settlement import FinishedOrders, Month, Question, settle
from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.periods import Period
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.contracts import Engagement
from huaxiao.shared.wire.dispatch import Area, OrderKind, OrderStepIn, StepName, WorkShare
from huaxiao.shared.wire.orders import CrewIn
from huaxiao.shared.wire.terms import OrderFee

NOVEMBER = Period(201711)
FEES = [
    OrderFee(kind=OrderKind.INSTALL, area=Area.TOWN, fee_fen=7000),
    OrderFee(kind=OrderKind.INSTALL, area=Area.RURAL, fee_fen=9000),
    OrderFee(kind=OrderKind.DISMANTLE, area=Area.TOWN, fee_fen=2001),
]


def signed(branch_id: Any, contract_id: str, centre_id: Any, fees: Any, **more: Any) -> Any:
    data = {
        "contract_id": contract_id,
        "level": "centre",
        "centre_id": centre_id,
        "term_from": 201711,
        "term_to": 201810,
        "field_ids": [],
        "base": [],
        "digest": "d",
        "signed_at": START.isoformat(),
        "order_fees": [one.model_dump(mode="json") for one in fees],
    }
    return entry(branch_id, "contracts.contract.signed", data | more)


@pytest.fixture
def learn(app: Any, county: Any) -> Any:
    async def apply(*entries: Any) -> None:
        async with app.state.database.write(EVERYTHING) as connection:
            await apply_contracts(connection, county, entries)

    return apply


@pytest.fixture
async def paid(county: Any, learn: Any, request_work: Any) -> Any:
    """Return the county with contracts of C1 and of C2 in the country, and orders of both."""
    outsourced = person(county, "W03", "C1")
    outsourced.data["person"]["engagement"] = "outsourced"
    field = {
        "field_id": "F2",
        "kind": "regional",
        "centre_id": "C2",
        "name_zh": "乡镇",
        "term_from": 201711,
        "term_to": 201810,
        "scope": {"address_prefixes": ["130123200"]},
        "digest": "d",
    }
    await learn(
        signed(county, "CT-C1", "C1", FEES),
        signed(county, "CT-C2", "C2", FEES[:2]),
        signed(county, "CT-COUNTY", None, FEES, level="county"),
        outsourced,
        centre(county, "C2", "township"),
        person(county, "W04", "C2"),
        entry(county, "contracts.field.sealed", field),
    )
    await request_work(
        *(work(county, f"O{number}") for number in range(6)),
        *(work(county, f"D{number}", "dismantle") for number in range(2)),
        *(work(county, f"R{number}", address="130123200201") for number in range(2)),
        work(county, "R9", "dismantle", address="130123200201"),
    )
    return county


async def complete(
    caller: Any, branch_id: Any, order_id: str, *worked_by: WorkShare, **more: Any
) -> str:
    """Let whoever has an order finish it; return who that is."""
    order = await caller(Role.COUNTY_MANAGER).order(branch_id, order_id)
    engineer = caller(Role.ENGINEER, [order.performer_centre_id], order.engineer_id)
    for hours, name in enumerate((StepName.ACCEPT, StepName.START, StepName.FINISH)):
        given = OrderStepIn(step=name, at=START + hours * HOUR)
        if name is StepName.FINISH:
            given = given.model_copy(update={"worked_by": list(worked_by)} | more)
        await engineer.step(branch_id, order_id, given)
    return str(order.engineer_id)


async def test_the_fees_of_people_add_up_to_what_settlements_pay_to_the_fen(
    paid: Any, caller: Any
) -> None:
    crew = [WorkShare(person_id=one) for one in ("W01", "W02", "W03")]
    for order_id in ("O0", "O1", "O2", "R0", "R1", "R9"):
        await complete(caller, paid, order_id)
    for order_id in ("O3", "D0", "D1"):
        await complete(caller, paid, order_id, *crew)
    manager = caller(Role.COUNTY_MANAGER)

    earned = await manager.earnings(paid, period=NOVEMBER)

    told = await manager.work_done(paid, period_from=NOVEMBER, period_to=NOVEMBER)
    terms = {"C1": FEES, "C2": FEES[:2]}
    for centre_id, fees in terms.items():
        month = Month(
            period=NOVEMBER,
            terms=TERMS.model_copy(update={"order_fees": fees}),
            revenue_fen=0,
            market_cost_fen=0,
            base_revenue_fen=0,
            base_market_cost_fen=0,
            orders=tuple(
                FinishedOrders(one.kind, one.area, one.count)
                for one in told.orders
                if one.centre_id == centre_id
            ),
            score=Decimal(90),
        )
        (settled,) = settle(Question((month,))).months
        (total,) = [one for one in earned.centres if one.centre_id == centre_id]
        people = [one for one in earned.people if one.centre_id == centre_id]
        assert total.amount_fen == settled.order_fees_fen > 0
        assert sum(one.amount_fen for one in people) == settled.order_fees_fen
        assert total.orders == sum(one.count for one in month.orders)
    for one in earned.people:
        assert one.amount_fen == sum(figure.amount_fen for figure in one.figures)
        for figure in one.figures:
            assert figure.count == len(figure.orders)
            assert figure.amount_fen == sum(order.amount_fen for order in figure.orders)


async def test_a_crew_shares_the_fee_by_its_parts_and_each_is_shown_as_engaged(
    paid: Any, caller: Any
) -> None:
    await complete(
        caller,
        paid,
        "D0",
        WorkShare(person_id="W01", parts=2),
        WorkShare(person_id="W03"),
    )
    earned = await caller(Role.COUNTY_MANAGER).earnings(paid, period=NOVEMBER)
    shown = [
        (one.person_id, figure.engagement, figure.fee_fen, figure.amount_fen, order.shared_by)
        for one in earned.people
        for figure in one.figures
        for order in figure.orders
    ]
    assert shown == [
        ("W01", Engagement.OWN, 2001, 1334, 2),
        ("W03", Engagement.OUTSOURCED, 2001, 667, 2),
    ]


async def test_an_engineer_sees_their_own_and_a_contractor_its_centres(
    paid: Any, caller: Any
) -> None:
    crew = [WorkShare(person_id=one) for one in ("W01", "W02")]
    await complete(caller, paid, "O0", *crew)
    await complete(caller, paid, "R0")
    own = await caller(Role.ENGINEER, ["C1"], "W02").earnings(paid, period=NOVEMBER)
    assert [(one.person_id, one.amount_fen) for one in own.people] == [("W02", 3500)]
    assert [(one.centre_id, one.amount_fen) for one in own.centres] == [("C1", 3500)]
    theirs = await caller(Role.CONTRACTOR, ["C2"]).earnings(paid, period=NOVEMBER)
    assert [(one.person_id, one.amount_fen) for one in theirs.people] == [("W04", 9000)]
    nobody = await caller(Role.ENGINEER, ["C1"], "W09").earnings(paid, period=NOVEMBER)
    assert (nobody.people, nobody.centres) == ([], [])


async def test_a_supplement_and_an_exit_change_what_is_paid(
    paid: Any, caller: Any, learn: Any
) -> None:
    await complete(caller, paid, "O0")
    manager = caller(Role.COUNTY_MANAGER)

    async def amount() -> Any:
        (one,) = (await manager.earnings(paid, period=NOVEMBER)).people
        return one.figures[0].fee_fen, one.amount_fen

    assert await amount() == (7000, 7000)
    supplement = {
        "contract_id": "CT-C1",
        "number": 1,
        "effective_from": 201711,
        "digest": "d",
        "order_fees": [FEES[0].model_copy(update={"fee_fen": 7500}).model_dump(mode="json")],
    }
    only_parties = supplement | {"number": 2, "order_fees": None}
    for data in (supplement, only_parties):
        await learn(entry(paid, "contracts.supplement.signed", data))
    assert await amount() == (7500, 7500)
    ended = {"contract_id": "CT-C1", "centre_id": "C1", "ground": "notice", "last_period": 201710}
    await learn(entry(paid, "contracts.contract.exited", ended))
    assert await amount() == (None, 0)


@pytest.mark.parametrize("named", [["W01", "W01"], ["W01", "W04"], ["W77"]])
async def test_only_the_centres_own_people_share_each_once(
    paid: Any, caller: Any, named: Any
) -> None:
    with pytest.raises(PeerProblem) as refused:
        await complete(caller, paid, "O0", *(WorkShare(person_id=one) for one in named))
    assert refused.value.code == "malformed"
    assert (await caller(Role.COUNTY_MANAGER).order(paid, "O0")).state == "in_progress"


async def test_a_crew_that_nobody_singles_out_shares_in_equal_parts_to_the_fen(
    paid: Any, caller: Any
) -> None:
    manager, one_of_it = caller(Role.COUNTY_MANAGER), caller(Role.ENGINEER, ["C1"], "W02")
    members = ["W01", "W02", "W03"]
    await manager.put_crew(paid, "K1", CrewIn(centre_id="C1", members=members))
    to = OrderStepIn(step=StepName.REASSIGN, at=START, crew_id="K1", reason="heavy")
    await manager.step(paid, "O0", to)
    for name in (StepName.ACCEPT, StepName.START, StepName.FINISH):
        await one_of_it.step(paid, "O0", OrderStepIn(step=name, at=START))
    earned = await manager.earnings(paid, period=NOVEMBER)
    assert {one.person_id: one.amount_fen for one in earned.people} == {
        "W01": 2334,
        "W02": 2333,
        "W03": 2333,
    }


async def test_work_that_is_done_again_is_paid_once_and_as_it_was_done_last(
    paid: Any, caller: Any
) -> None:
    manager, span = caller(Role.COUNTY_MANAGER), {"period_from": NOVEMBER, "period_to": NOVEMBER}
    await complete(caller, paid, "O0", WorkShare(person_id="W01"), WorkShare(person_id="W02"))
    refuse = OrderStepIn(step=StepName.REWORK, at=START + 5 * HOUR, reason="no light")
    reopened = await manager.step(paid, "O0", refuse)
    between = await manager.earnings(paid, period=NOVEMBER)
    assert (between.people, (await manager.work_done(paid, **span)).orders) == ([], [])
    engineer = caller(Role.ENGINEER, ["C1"], reopened.engineer_id)
    for name in (StepName.ACCEPT, StepName.START, StepName.FINISH):
        await engineer.step(paid, "O0", OrderStepIn(step=name, at=START + 6 * HOUR))
    after = await manager.earnings(paid, period=NOVEMBER)
    assert [(one.person_id, one.amount_fen) for one in after.people] == [
        (reopened.engineer_id, 7000)
    ]


async def test_an_engineer_who_moves_sees_what_they_earned_before(
    paid: Any, learn: Any, caller: Any
) -> None:
    who = await complete(caller, paid, "O0")
    await learn(person(paid, who, "C2"))
    seen = await caller(Role.ENGINEER, ["C2"], who).earnings(paid, period=NOVEMBER)
    assert [(one.person_id, one.centre_id, one.amount_fen) for one in seen.people] == [
        (who, "C1", 7000)
    ]


async def test_an_engineer_reads_no_others_earnings_by_what_else_they_are(
    app: Any, paid: Any, caller: Any, issuer: Any
) -> None:
    who = await complete(caller, paid, "O0")
    roles = [Role.ENGINEER, Role.SUPPORT_CENTRE]
    made = issuer.token("both", roles=roles, branch_ids=[paid], person_id="W03")
    both = DispatchClient("http://dispatch", lambda: made, transport=httpx.ASGITransport(app=app))
    assert who != "W03"
    assert (await both.earnings(paid, period=NOVEMBER)).people == []


async def test_people_of_an_outside_crew_are_named_and_nobody_who_has_left(
    paid: Any, learn: Any, caller: Any
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    crew = CrewIn(centre_id="C1", members=["X1", "X2"], company="通建", skills=["install"])
    await manager.put_crew(paid, "K1", crew)
    given = OrderStepIn(step=StepName.REASSIGN, crew_id="K1", reason="two", at=START)
    await manager.step(paid, "O0", given)
    left = {"person_id": "W03", "centre_id": "C1", "from_day": "2017-11-06"}
    await learn(entry(paid, "contracts.person.left", left))
    for name in (StepName.ACCEPT, StepName.START):
        await manager.step(paid, "O0", OrderStepIn(step=name, at=START, engineer_id="X1"))
    for named, code in (("W03", "not-of-centre"), ("X9", "not-of-centre"), ("X1", None)):
        shares = [WorkShare(person_id=named, parts=3), WorkShare(person_id="X2")]
        done = OrderStepIn(step=StepName.FINISH, at=START, engineer_id="X1", worked_by=shares)
        if code is None:
            await manager.step(paid, "O0", done)
        else:
            with pytest.raises(PeerProblem) as refused:
                await manager.step(paid, "O0", done)
            assert [one["code"] for one in refused.value.body["errors"]] == [code]
    earned = await manager.earnings(paid, period=NOVEMBER)
    assert {one.person_id: one.amount_fen for one in earned.people} == {"X1": 5250, "X2": 1750}


async def test_who_has_left_a_crew_shares_no_fee_of_it(paid: Any, learn: Any, caller: Any) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await manager.put_crew(paid, "K1", CrewIn(centre_id="C1", members=["W01", "W03"]))
    given = OrderStepIn(step=StepName.REASSIGN, crew_id="K1", reason="two", at=START)
    await manager.step(paid, "O0", given)
    left = {"person_id": "W03", "centre_id": "C1", "from_day": "2017-11-06"}
    await learn(entry(paid, "contracts.person.left", left))
    for name in (StepName.ACCEPT, StepName.START, StepName.FINISH):
        await manager.step(paid, "O0", OrderStepIn(step=name, at=START, engineer_id="W01"))
    earned = await manager.earnings(paid, period=NOVEMBER)
    assert {one.person_id: one.amount_fen for one in earned.people} == {"W01": 7000}
