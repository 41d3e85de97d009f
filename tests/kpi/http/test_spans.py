"""Spans over more than one contract, told alike by everything that judges them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from msgspec import structs
from support.kpi_feeds import Peers, booked, contract, month, paid

from huaxiao.kpi.alerts.looking import jobs
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.periods import Period, periods_from, shift, year_before
from huaxiao.shared.ticking import catch_up
from huaxiao.shared.wire.contributions import ExplainedFigure
from huaxiao.shared.wire.feed import FeedEntry
from huaxiao.shared.wire.kpi import ReasonCode, Span, TargetsOf, Verdict
from huaxiao.shared.wire.what_if import WhatIfIn, WhatIfUnit

Caller = Callable[..., KpiClient]
FIRST = Period(201711)


def term(contract_id: str, centre_id: str | None, first: Period, factor: int) -> FeedEntry:
    """Return a contract of twelve months, with the base of all of them."""
    months = list(periods_from(first, shift(first, 11)))
    given = {
        "revenue": 1_000,
        "market_cost": 170,
        "cash_in": 900,
        "cash_out": 600,
        "pay": 300,
        "headcount": 1,
    }
    base = {one: month(**{name: factor * held for name, held in given.items()}) for one in months}
    made = contract(
        contract_id,
        centre_id,
        {int(year_before(Period(one))): values for one, values in base.items()},
    )
    return structs.replace(made, data=made.data | {"term_from": months[0], "term_to": months[-1]})


async def two_years(peers: Peers) -> None:
    """Let peers tell of two contracts of the county and of C1, and of what was booked meanwhile."""
    second = shift(FIRST, 12)
    told = [
        term("Y1", None, FIRST, 3),
        term("Y1-C1", "C1", FIRST, 2),
        term("Y2", None, second, 4),
        term("Y2-C1", "C1", second, 3),
    ]
    for one in periods_from(FIRST, shift(FIRST, 15)):
        told += [
            booked(one, "C1", revenue=-2_500, cost__commission=450, cash__in=2_400),
            booked(one, "C2", revenue=-1_000, cost__hall_rent=150, cash__in=1_000),
            paid("C1", one, 700, 2, 2),
            paid("C2", one, 350, 1, 1),
        ]
    await peers.told(*told)


def said(unit: TargetsOf | WhatIfUnit | None) -> list[Any]:
    assert unit is not None
    judged = (
        [one.now for one in unit.targets] if isinstance(unit, WhatIfUnit) else list(unit.targets)
    )
    # That a centre is new beside having no base, only the report says.
    return [
        (
            *(one.verdict, one.value, one.display),
            [held for held in one.reasons if held.code is not ReasonCode.CENTRE_NEW],
        )
        for one in judged
    ]


@pytest.mark.parametrize("span", Span)
async def test_all_that_judges_a_span_over_two_contracts_says_the_same(
    span: Span, peers: Peers, caller: Caller, app: FastAPI
) -> None:
    await two_years(peers)
    period, manager = shift(FIRST, 15), caller(Role.COUNTY_MANAGER)

    report = await manager.targets(peers.branch_id, period=period, span=span)
    supposed = await manager.what_if(peers.branch_id, WhatIfIn(period=period, span=span))
    now = datetime.now(UTC)
    await catch_up(
        app.state.database, jobs(app.state.forecasters), peers.branch_id, clock=lambda: now
    )
    metrics = await manager.metrics()

    assert report.county is not None
    assert all(one.verdict is not Verdict.NOT_COMPUTABLE for one in report.county.targets)
    assert said(supposed.county) == said(report.county)
    assert [said(one) for one in supposed.centres] == [said(one) for one in report.centres]
    for unit in (report.county, *report.centres):
        for target in unit.targets:
            labels = (
                f'branch="{peers.branch_id}",centre="{unit.centre_id or ""}",span="{span}"'
                f',target="{target.target}"'
            )
            met = f"huaxiao_kpi_target_met{{{labels}}}"
            if target.value is None:
                assert met not in metrics
            else:
                assert f"{met} {float(target.verdict is Verdict.PASS)}" in metrics


@pytest.mark.parametrize("centre_id", [None, "C1"])
async def test_a_change_over_two_contracts_is_explained_against_the_base_of_both(
    centre_id: str | None, peers: Peers, caller: Caller
) -> None:
    await two_years(peers)
    period, span = shift(FIRST, 15), Span.ROLLING_TWELVE_MONTHS

    found = await caller(Role.COUNTY_MANAGER).explanation(
        peers.branch_id, ExplainedFigure.REVENUE, period=period, span=span, centre_id=centre_id
    )

    # Eight months of the first contract's base, and four of the second's.
    base = 8 * 3 + 4 * 4 if centre_id is None else 8 * 2 + 4 * 3
    assert found.before is not None
    assert found.before.numerator == base * 1_000
    assert found.change is not None
    assert sum(one.shown for one in found.contributions) == found.change.numerator
