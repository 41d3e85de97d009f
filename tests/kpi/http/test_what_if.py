from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from support.kpi_feeds import NOVEMBER, Peers, booked

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.wire.kpi import Span, TargetName, TargetsOf, Verdict
from huaxiao.shared.wire.what_if import (
    SupposedGoal,
    SupposedMeasure,
    WhatIf,
    WhatIfIn,
    WhatIfUnit,
)

Caller = Callable[..., KpiClient]


def supposed(centre_id: str, measure: str, **given: int) -> SupposedMeasure:
    return SupposedMeasure(centre_id=centre_id, period=201711, measure=measure, **given)


def verdicts(unit: WhatIfUnit | None) -> list[tuple[Verdict, Verdict]]:
    assert unit is not None
    return [(one.now.verdict, one.then.verdict) for one in unit.targets]


def centre_of(found: WhatIf, centre_id: str) -> WhatIfUnit:
    (one,) = (one for one in found.centres if one.centre_id == centre_id)
    return one


@pytest.mark.parametrize("span", [Span.MONTH, Span.YEAR_TO_DATE])
@pytest.mark.parametrize("period", [201711, 201712, 201811, 201907])
async def test_when_nothing_is_supposed_all_is_as_the_report_has_it(
    span: Span, period: int, peers: Peers, caller: Caller
) -> None:
    # 2019 has no contract, and a centre that only the ledger knows.
    await peers.told(
        *NOVEMBER,
        *(booked(201900 + one, f"C{one}", revenue=-100, cost__office=one) for one in range(1, 8)),
    )
    manager = caller(Role.COUNTY_MANAGER)

    report = await manager.targets(peers.branch_id, period=period, span=span)
    found = await manager.what_if(peers.branch_id, WhatIfIn(period=period, span=span))

    def told(unit: TargetsOf | None) -> list[Any]:
        assert unit is not None
        return [(one.verdict, one.value, one.display, one.reasons) for one in unit.targets]

    for one, unit in zip(
        [report.county, *report.centres], [found.county, *found.centres], strict=True
    ):
        assert unit is not None
        assert [
            (of.now.verdict, of.now.value, of.now.display, of.now.reasons) for of in unit.targets
        ] == told(one)
        assert all(of.now == of.then for of in unit.targets)


async def test_other_measures_turn_verdicts_and_are_not_kept(peers: Peers, caller: Caller) -> None:
    await peers.told(*NOVEMBER)
    manager = caller(Role.COUNTY_MANAGER)
    before = await manager.measures(peers.branch_id)

    found = await manager.what_if(
        peers.branch_id,
        WhatIfIn(
            period=201711,
            measures=[
                supposed("C2", "cost.hall_rent", amount=17_820),
                supposed("C1", "cost.commission", change=1),
                supposed("C1", "pay", amount=66_000),
            ],
        ),
    )

    assert verdicts(centre_of(found, "C1")) == [
        (Verdict.PASS, Verdict.FAIL),
        (Verdict.PASS, Verdict.PASS),
        # Exactly ten per cent is not more than ten.
        (Verdict.PASS, Verdict.FAIL),
    ]
    assert centre_of(found, "C1").targets[0].then.display == "81.9997 %"
    assert verdicts(centre_of(found, "C2"))[0] == (Verdict.FAIL, Verdict.PASS)
    assert verdicts(found.county)[0] == (Verdict.FAIL, Verdict.PASS)
    assert await manager.measures(peers.branch_id) == before


async def test_other_goals_turn_verdicts(peers: Peers, caller: Caller) -> None:
    await peers.told(*NOVEMBER)

    found = await caller(Role.COUNTY_MANAGER).what_if(
        peers.branch_id,
        WhatIfIn(
            period=201711,
            goals=[SupposedGoal(target=TargetName.MARKET_GROSS_MARGIN, goal=Decimal("0.80"))],
        ),
    )

    assert verdicts(found.county)[0] == (Verdict.FAIL, Verdict.PASS)
    assert verdicts(centre_of(found, "C2"))[0] == (Verdict.FAIL, Verdict.FAIL)
    margin = centre_of(found, "C2").targets[0]
    assert (margin.now.goal, margin.then.goal) == (Decimal("0.82"), Decimal("0.80"))


async def test_a_month_that_is_not_there_yet_can_be_supposed(peers: Peers, caller: Caller) -> None:
    found = await caller(Role.CONTRACTOR, ["C1"]).what_if(
        peers.branch_id,
        WhatIfIn(
            period=201711,
            measures=[
                supposed("C1", "revenue", amount=-100),
                supposed("C1", "cost.commission", amount=18),
                supposed("C1", "pay", amount=66_001),
                supposed("C1", "headcount.start", amount=2),
                supposed("C1", "headcount.end", amount=2),
            ],
        ),
    )

    assert found.county is None
    assert [one.centre_id for one in found.centres] == ["C1"]
    assert verdicts(found.centres[0]) == [
        (Verdict.NOT_COMPUTABLE, Verdict.PASS),
        (Verdict.NOT_COMPUTABLE, Verdict.FAIL),
        (Verdict.NOT_COMPUTABLE, Verdict.PASS),
    ]


@pytest.mark.parametrize(
    ("measures", "code"),
    [
        ([supposed("C1", "revenue")], "one-of-both"),
        ([supposed("C1", "revenue", amount=1, change=1)], "one-of-both"),
        ([supposed("C9", "revenue", amount=1)], "unknown-reference"),
        ([supposed("C2", "revenue", amount=1)], "unknown-reference"),
        ([supposed("C1", "revenue", amount=1)] * 2, "repeated"),
        ([supposed("C1", "pay", amount=-1)], "negative"),
        (
            [SupposedMeasure(centre_id="C1", period=201712, measure="pay", amount=1)],
            "half-a-payroll",
        ),
    ],
)
async def test_what_cannot_be_supposed_is_named(
    measures: list[SupposedMeasure], code: str, peers: Peers, caller: Caller
) -> None:
    await peers.told(*NOVEMBER)

    with pytest.raises(PeerProblem) as refused:
        await caller(Role.CONTRACTOR, ["C1"]).what_if(
            peers.branch_id, WhatIfIn(period=201711, measures=measures)
        )

    assert code in [one["code"] for one in refused.value.body["errors"]]


async def test_a_goal_is_given_once(peers: Peers, caller: Caller) -> None:
    goal = SupposedGoal(target=TargetName.CASH_FLOW_GROWTH, goal=Decimal("0.2"))

    with pytest.raises(PeerProblem) as refused:
        await caller(Role.AUDITOR).what_if(
            peers.branch_id, WhatIfIn(period=201711, goals=[goal, goal])
        )

    assert refused.value.body["errors"][0]["pointer"] == "/goals/1/target"
