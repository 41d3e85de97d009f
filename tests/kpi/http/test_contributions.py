from collections.abc import Callable
from fractions import Fraction

import pytest
from support.kpi_feeds import NOVEMBER, Peers, booked, paid, person

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.wire.contributions import ExplainedFigure, Explanation, ShownIn
from huaxiao.shared.wire.kpi import Quotient, ReasonCode, Span

Caller = Callable[..., KpiClient]
DECEMBER = (
    booked(201712, "C1", revenue=-330_000, cost__commission=50_000, cash__in=220_000),
    booked(201712, "C1", cash__out__commission=-30_000, cash__out__own_staff_pay=-77_001),
    booked(201712, "C2", revenue=-90_000, refunds=5_000, cost__hall_rent=21_000, cash__in=60_000),
    paid("C1", 201712, 77_001, 2, 3),
    paid("C2", 201712, 20_000, 1, 1),
)


def exact(value: Quotient | None) -> Fraction:
    assert value is not None
    return Fraction(value.numerator, value.denominator)


def parts(of: Explanation) -> dict[tuple[str | None, str], Fraction]:
    return {(one.centre_id, one.component): exact(one.exact) for one in of.contributions}


def adds_up(of: Explanation) -> None:
    change = exact(of.after) - exact(of.before)
    assert exact(of.change) == change
    for sums in (of.contributions, of.by_centre, of.by_component):
        assert sum(exact(one.exact) for one in sums) == change
        assert sum(one.shown for one in sums) == of.change_shown


@pytest.mark.parametrize("figure", ExplainedFigure)
@pytest.mark.parametrize("centre_id", [None, "C1"])
@pytest.mark.parametrize("against", [None, 201711])
async def test_every_figures_change_is_split_into_parts_that_add_up_to_it(
    figure: ExplainedFigure,
    centre_id: str | None,
    against: int | None,
    peers: Peers,
    caller: Caller,
) -> None:
    await peers.told(*NOVEMBER, *DECEMBER)

    found = await caller(Role.COUNTY_MANAGER).explanation(
        peers.branch_id, figure, period=201712, centre_id=centre_id, against_period=against
    )

    assert found.reasons == []
    assert found.against_base == (against is None)
    assert found.contributions
    adds_up(found)


async def test_against_booked_months_parts_are_ledger_accounts_by_centre(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(*NOVEMBER, *DECEMBER)
    manager = caller(Role.COUNTY_MANAGER)

    async def moved(figure: ExplainedFigure) -> dict[tuple[str | None, str], Fraction]:
        return parts(
            await manager.explanation(peers.branch_id, figure, period=201712, against_period=201711)
        )

    assert await moved(ExplainedFigure.GROSS_MARGIN) == {
        ("C0", "revenue"): -10_000,
        ("C1", "revenue"): 30_000,
        ("C1", "cost.commission"): 4_000,
        ("C2", "revenue"): -10_000,
        ("C2", "refunds"): -3_000,
        ("C2", "adjustments"): -1_000,
        ("C2", "cost.hall_rent"): -1_000,
    }
    # Pay that the ledger pays out is payroll's to tell.
    assert await moved(ExplainedFigure.NET_CASH) == {
        ("C0", "cash.in"): -9_000,
        ("C0", "cash.out.refund"): 500,
        ("C1", "cash.in"): 10_000,
        ("C1", "cash.out.commission"): 3_400,
        ("C1", "pay"): -11_000,
        ("C2", "cash.in"): -10_000,
    }


async def test_against_the_base_what_no_centres_base_holds_stands_under_no_centre(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(*NOVEMBER)

    found = await caller(Role.COUNTY_MANAGER).explanation(
        peers.branch_id, ExplainedFigure.GROSS_MARGIN, period=201711
    )

    # The county's base is 400,000 and 70,000, of which C1's are 280,000 and 50,000.
    assert parts(found) == {
        (None, "revenue"): 109_000 - 120_000,
        ("C1", "revenue"): 20_000,
        ("C1", "market_cost"): -4_000,
    }
    assert (found.against_from, found.against_to) == (201611, 201611)


async def test_joiners_are_those_whom_the_county_was_told_of(peers: Peers, caller: Caller) -> None:
    joined = person("P04", "C1")
    joined.data["assignment"]["from_day"] = "2017-12-15"
    await peers.told(*NOVEMBER, *DECEMBER, joined)

    found = await caller(Role.AUDITOR).explanation(
        peers.branch_id, ExplainedFigure.PAY, period=201712, against_period=201711
    )

    # A head at the month's end, at 66,001 for four of November.
    assert parts(found) == {
        ("C1", "joiners"): Fraction(66_001, 4),
        ("C1", "pay"): 11_000 - Fraction(66_001, 4),
    }
    assert {one.component: one.shown for one in found.by_component} == {
        "joiners": 16_500,
        "pay": -5_500,
    }


async def test_revenue_is_volume_mix_and_price_of_what_a_measure_counts(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(*NOVEMBER, *DECEMBER)
    manager = caller(Role.COUNTY_MANAGER)

    found = await manager.explanation(
        peers.branch_id,
        ExplainedFigure.REVENUE,
        period=201712,
        against_period=201711,
        volume="headcount",
    )

    adds_up(found)
    assert {one.component for one in found.by_component} == {"volume", "mix", "price"}
    for wrong in (
        {"figure": ExplainedFigure.PAY, "against_period": 201711},
        {"figure": ExplainedFigure.REVENUE, "against_period": None},
        {"figure": ExplainedFigure.REVENUE, "against_period": 201710},
    ):
        figure = wrong.pop("figure")
        if wrong["against_period"] == 201710:
            await peers.told(booked(201710, "C1", revenue=-1))
        with pytest.raises(PeerProblem) as refused:
            await manager.explanation(
                peers.branch_id, figure, period=201712, volume="headcount", **wrong
            )
        assert refused.value.code == "no-volume"


async def test_what_is_not_known_is_not_split(peers: Peers, caller: Caller) -> None:
    await peers.told(*NOVEMBER)
    manager = caller(Role.COUNTY_MANAGER)

    later = await manager.explanation(
        peers.branch_id, ExplainedFigure.NET_CASH, period=201712, span=Span.YEAR_TO_DATE
    )
    unbased = await manager.explanation(
        peers.branch_id, ExplainedFigure.MARKET_GROSS_MARGIN, period=201711, centre_id="C2"
    )

    assert (later.change, later.contributions) == (None, [])
    assert [one.code for one in later.reasons] == [
        ReasonCode.NO_BOOKS,
        ReasonCode.PAYROLL_MISSING,
    ]
    assert [one.code for one in unbased.reasons] == [ReasonCode.NO_BASE]
    assert unbased.shown_in is ShownIn.BASIS_POINTS


async def test_a_contractor_asks_of_its_own_centres_only(peers: Peers, caller: Caller) -> None:
    await peers.told(*NOVEMBER)
    contractor = caller(Role.CONTRACTOR, ["C1"])

    async def ask(centre_id: str | None) -> Explanation:
        return await contractor.explanation(
            peers.branch_id, ExplainedFigure.REVENUE, period=201711, centre_id=centre_id
        )

    assert (await ask("C1")).change is not None
    for centre_id, code in ((None, "forbidden"), ("C2", "not-found")):
        with pytest.raises(PeerProblem) as refused:
            await ask(centre_id)
        assert refused.value.code == code
    with pytest.raises(PeerProblem) as unknown:
        await caller(Role.COUNTY_MANAGER).explanation(
            peers.branch_id, ExplainedFigure.REVENUE, period=201711, centre_id="C9"
        )
    assert unknown.value.code == "not-found"


@pytest.mark.parametrize(
    "volume", ["cash.in", "receivable", "pay", "appraisal.final.score", "luck"]
)
async def test_money_and_points_are_no_volume(peers: Peers, caller: Caller, volume: str) -> None:
    held = {"cash__in": 50, "receivable": 50}
    await peers.told(
        booked(201710, "C1", revenue=-10, **held), booked(201711, "C1", revenue=-20, **held)
    )
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.COUNTY_MANAGER).explanation(
            peers.branch_id,
            ExplainedFigure.REVENUE,
            period=201711,
            against_period=201710,
            volume=volume,
        )
    assert refused.value.code == "no-volume"
