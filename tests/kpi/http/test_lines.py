"""Revenue by volume, price and mix of what was billed, counted line by line."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from asyncpg import UniqueViolationError
from fastapi import FastAPI
from support.kpi_feeds import Peers, at, booked, entry

from huaxiao.kpi.worker import apply_attribution
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire import attribution
from huaxiao.shared.wire.contributions import ExplainedFigure, Explanation
from huaxiao.shared.wire.feed import FeedEntry

Caller = Callable[..., KpiClient]
FIRST = datetime(2018, 1, 5, tzinfo=UTC)


def billed(period: int, centre_id: str, revenue: int, lines: int, **others: int) -> FeedEntry:
    """Return what attribution tells of bills: the accounts, and how many charges they came from."""
    told = booked(period, centre_id, revenue=-revenue, **others)
    fact = attribution.BalancesChanged.model_validate(told.data)
    counted = attribution.LinesBilled(
        centre_id=centre_id, field_id=None, period=period, lines=lines
    )
    return entry(
        attribution.BALANCES_CHANGED,
        fact.model_copy(
            update={
                "changes": [one for one in fact.changes if one.amount_fen],
                "billed": [counted] if lines else [],
            }
        ),
    )


def parts(of: Explanation) -> dict[tuple[str | None, str], Fraction]:
    return {
        (one.centre_id, one.component): Fraction(one.exact.numerator, one.exact.denominator)
        for one in of.contributions
    }


async def explained(caller: Caller, peers: Peers, **given: object) -> Explanation:
    found = await caller(Role.COUNTY_MANAGER).explanation(
        peers.branch_id,
        ExplainedFigure.REVENUE,
        period=201712,
        against_period=201711,
        **given,  # type: ignore[arg-type]
    )
    assert found.change is not None
    change = Fraction(found.change.numerator, found.change.denominator)
    assert sum(parts(found).values()) == change
    assert sum(one.shown for one in found.contributions) == found.change_shown
    return found


async def test_revenue_is_split_by_lines_without_naming_a_measure(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(
        billed(201711, "C1", 10_000, 10),
        billed(201711, "C2", 4_000, 10, refunds=100),
        billed(201712, "C1", 14_400, 12),
        billed(201712, "C2", 3_600, 9, refunds=250),
    )

    found = await explained(caller, peers)

    assert found.volume == "lines.billed"
    # 21 lines instead of 20: all five per cent more; C1 has 12 where it would have 10.5.
    assert parts(found) == {
        ("C1", "volume"): 500,
        ("C1", "mix"): 1_500,
        ("C1", "price"): 2_400,
        ("C2", "volume"): 200,
        ("C2", "mix"): -600,
        ("C2", "refunds"): -150,
    }
    measures = await caller(Role.COUNTY_MANAGER).measures(peers.branch_id, period=201712)
    assert {(one.centre_id, one.amount) for one in measures if one.measure == "lines.billed"} == {
        ("C1", 12),
        ("C2", 9),
    }
    named = await explained(caller, peers, volume="lines.billed")
    # A measure that is named splits what is left after refunds, as before.
    assert parts(named)["C2", "price"] == -160


async def test_lines_that_change_their_centre_are_restated_though_no_amount_changes(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(
        billed(201711, "C1", 100, 1),
        billed(201712, "C1", 100, 1),
        billed(201712, "C2", 100, 2),
        # A charge of 100 for two of 50: the accounts are as they were.
        billed(201712, "C1", 0, 1),
        billed(201712, "C2", 0, -1),
    )
    measures = await caller(Role.COUNTY_MANAGER).measures(peers.branch_id, period=201712)
    held = {one.centre_id: one.amount for one in measures if one.measure == "lines.billed"}
    assert held == {"C1": 2, "C2": 1}
    assert (await explained(caller, peers)).volume == "lines.billed"


async def test_an_entry_of_before_is_readable_and_its_month_is_not_split_by_lines(
    peers: Peers, caller: Caller
) -> None:
    await peers.told(
        at(FIRST, billed(201711, "C1", 10_000, 10)), at(FIRST, billed(201712, "C1", 12_000, 10))
    )
    assert (await explained(caller, peers)).volume == "lines.billed"

    old = booked(201712, "C2", revenue=-500)
    del old.data["billed"]
    await peers.told(at(FIRST + timedelta(days=1), old))

    found = await explained(caller, peers)
    assert found.volume is None
    assert parts(found) == {("C1", "revenue"): 2_000, ("C2", "revenue"): 500}
    with pytest.raises(PeerProblem) as refused:
        await explained(caller, peers, volume="lines.billed")
    assert refused.value.code == "no-volume"
    then = await explained(caller, peers, known_at=FIRST)
    assert then.volume == "lines.billed"
    assert parts(then) == {("C1", "price"): 2_000}


async def test_no_formula_or_target_takes_the_lines_that_were_told_for_all(
    peers: Peers, caller: Caller
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    named = await manager.named_measures(peers.branch_id)
    assert "lines.billed" not in [one.measure for one in named]
    with pytest.raises(PeerProblem) as refused:
        await manager.comparison(peers.branch_id, period=201711, measure="lines.billed")
    assert refused.value.status == 404


async def test_lines_are_counted_once_whatever_the_feed_repeats(
    app: FastAPI, peers: Peers, caller: Caller
) -> None:
    one = billed(201711, "C1", 10_000, 10)
    await peers.told(one, billed(201711, "C1", 500, 1))
    again = await peers.attribution.feed(peers.branch_id, after=0)
    with pytest.raises(UniqueViolationError):
        async with app.state.database.write(EVERYTHING) as connection:
            await apply_attribution(connection, peers.branch_id, again)
    measures = await caller(Role.COUNTY_MANAGER).measures(peers.branch_id, period=201711)
    assert [one.amount for one in measures if one.measure == "lines.billed"] == [11]
