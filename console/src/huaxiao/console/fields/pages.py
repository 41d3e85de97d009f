"""Pages of responsibility fields."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Response

from huaxiao.console.fields import views
from huaxiao.console.fields.reading import whole
from huaxiao.console.page import Page, in_section
from huaxiao.shared.auth import Role
from huaxiao.shared.wire.base import PeriodText

router = APIRouter(prefix="/branches/{branch_id}")
FieldsPage = Annotated[Page, in_section("fields")]
_READS_COVERAGE = (Role.PROVINCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.AUDITOR)


@router.get("/fields")
async def fields(page: FieldsPage, period: PeriodText | None = None) -> Response:
    """Show whether everything is covered once, and the fields as a tree and a list."""
    month = await page.period(period)
    summaries, divisions, measures, names = await asyncio.gather(
        page.peers.contracts.fields(page.branch),
        page.peers.contracts.divisions(page.branch),
        page.peers.kpi.field_measures(page.branch, period=month),
        page.centre_names(),
    )
    in_term = [one for one in summaries if one.term_from <= month <= one.term_to]
    found = await whole(page, in_term)
    coverage = (
        await page.peers.contracts.coverage(page.branch, period=month)
        if page.bearer.may(*_READS_COVERAGE)
        else None
    )
    revenue = views.revenue_by_field(measures)
    return page.show(
        "fields/tree.html",
        section="fields",
        views=views,
        areas=views.tree(page.words, names, found, divisions, revenue),
        coverage=coverage,
        faults=views.faults(page.words, coverage) if coverage else [],
        period=month,
    )


@router.get("/fields/{field_id}")
async def field(page: FieldsPage, field_id: str, period: PeriodText | None = None) -> Response:
    """Show a field: its term, its seal, what it covers."""
    month = await page.period(period)
    found, divisions, measures, names = await asyncio.gather(
        page.peers.contracts.field(page.branch, field_id),
        page.peers.contracts.divisions(page.branch),
        page.peers.kpi.field_measures(page.branch, period=month, field_id=field_id),
        page.centre_names(),
    )
    return page.show(
        "fields/field.html",
        section="fields",
        field=found,
        divisions={one.code: one.name for one in divisions},
        villages=[
            one
            for one in divisions
            if one.level == "village"
            and any(one.code.startswith(prefix) for prefix in found.scope.address_prefixes)
        ],
        revenue_fen=views.revenue_by_field(measures).get(field_id, 0),
        names=names,
        period=month,
    )
