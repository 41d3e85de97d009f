"""Pages of the targets: a glance, then figure → measures → entries → one event's explanation."""

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from huaxiao.console.page import Page, in_section
from huaxiao.console.targets import views
from huaxiao.console.targets.courses import courses
from huaxiao.shared.periods import Period, period_of, periods_from
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.contributions import ExplainedFigure
from huaxiao.shared.wire.kpi import Span, TargetName
from huaxiao.shared.wire.kpi_entries import LedgerLine

router = APIRouter(prefix="/branches/{branch_id}")
TargetsPage = Annotated[Page, in_section("targets")]
_ENTRIES = 50


@router.get("/targets")
async def targets(
    page: TargetsPage,
    period: PeriodText | None = None,
    span: Span = Span.MONTH,
    centre: str | None = None,
) -> Response:
    """Show the three targets of the county or a centre, and of all units beside each other."""
    month = await page.period(period)
    report, alerts, names = await asyncio.gather(
        page.peers.kpi.targets(page.branch, period=month, span=span),
        page.peers.kpi.alerts(page.branch),
        page.centre_names(),
    )
    unit = views.unit_of(report, centre)
    if centre is not None and unit is None:
        raise NotFound
    units = ([report.county] if report.county else []) + report.centres
    return page.show(
        "targets/glance.html",
        section="targets",
        views=views,
        report=report,
        unit=unit,
        units=units,
        shown=[one for one in units if views.says_something(one)],
        alerts=alerts,
        names=names,
        period=month,
        span=span,
        spans=list(Span),
        centre=centre,
    )


@router.get("/targets/trend")
async def trend(page: TargetsPage, period: PeriodText, centre: str | None = None) -> Response:
    """Show the targets month by month, beside the base."""
    report = await page.peers.kpi.targets(page.branch, period=period, span=Span.YEAR_TO_DATE)
    unit = views.unit_of(report, centre)
    contract_from = unit.from_period if unit is not None and unit.contract_id else None
    months = views.months_shown(period, contract_from, period_of(page.now))
    reports = await asyncio.gather(
        *(page.peers.kpi.targets(page.branch, period=month) for month in months)
    )
    shown = views.trends(page.words, dict(zip(months, reports, strict=True)), centre)
    return page.show(
        "targets/trend.html", section="targets", trends=shown, period=period, centre=centre
    )


@router.get("/targets/forecast")
async def forecast(page: TargetsPage, period: PeriodText, centre: str | None = None) -> Response:
    """Show where the targets are going until the contract's year ends."""
    found = await page.peers.kpi.forecasts(page.branch, period=period, centre_id=centre)
    months = list(periods_from(Period(found.from_period), Period(min(period, found.to_period))))
    reports = await asyncio.gather(
        *(
            page.peers.kpi.targets(page.branch, period=month, span=Span.YEAR_TO_DATE)
            for month in months
        )
    )
    return page.show(
        "targets/forecast.html",
        section="targets",
        views=views,
        found=found,
        courses=courses(found, dict(zip(months, reports, strict=True))),
        period=period,
        centre=centre,
    )


@router.get("/targets/contributions")
async def contributions(
    page: TargetsPage,
    period: PeriodText,
    span: Span = Span.MONTH,
    figure: ExplainedFigure = ExplainedFigure.MARKET_GROSS_MARGIN,
    centre: str | None = None,
) -> Response:
    """Show which centres and components a figure's change is made of."""
    found, names = await asyncio.gather(
        page.peers.kpi.explanation(page.branch, figure, period=period, span=span, centre_id=centre),
        page.centre_names(),
    )
    return page.show(
        "targets/contributions.html",
        section="targets",
        views=views,
        found=found,
        moves=views.moves(found),
        names=names,
        figures=list(ExplainedFigure),
        figure=figure,
        period=period,
        span=span,
        centre=centre,
    )


@router.get("/measures")
async def measures(
    page: TargetsPage,
    period: PeriodText | None = None,
    centre: str | None = None,
    about: TargetName | None = None,
) -> Response:
    """Show the measures a month's figures add up from, centre by centre."""
    month = await page.period(period)
    found, definitions, names = await asyncio.gather(
        page.peers.kpi.measures(page.branch, period=month, centre_id=centre),
        page.peers.kpi.definitions(page.branch),
        page.centre_names(),
    )
    return page.show(
        "targets/measures.html",
        section="targets",
        groups=views.measure_groups(page.words, definitions, found, about),
        names=names,
        period=month,
        centre=centre,
        about=about,
        targets=[(one, page.words(*views.SHORT[one])) for one in TargetName],
    )


@router.get("/measures/{measure}")
async def measure_entries(
    page: TargetsPage,
    measure: str,
    period: PeriodText,
    centre: str,
    cursor: str | None = None,
    known_at: datetime | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = _ENTRIES,
) -> Response:
    """Show what a measure sums, entry by entry, as the service that owns it tells it."""
    found, definitions, names = await asyncio.gather(
        page.peers.kpi.measure_entries(
            page.branch,
            measure,
            period=period,
            centre_id=centre,
            cursor=cursor,
            known_at=known_at,
            limit=limit,
        ),
        page.peers.kpi.definitions(page.branch),
        page.centre_names(),
    )
    return page.show(
        "targets/entries.html",
        section="targets",
        found=found,
        ledger=[one for one in found.items if isinstance(one, LedgerLine)],
        others=[one for one in found.items if not isinstance(one, LedgerLine)],
        title=views.measure_title(page.words, definitions, measure),
        names=names,
        positions=await page.positions(),
        period=period,
        centre=centre,
        measure=measure,
        cursor=cursor,
    )
