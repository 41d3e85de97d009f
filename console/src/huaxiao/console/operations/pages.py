"""The page of operations."""

import asyncio
from collections import defaultdict
from typing import Annotated, Any

from fastapi import APIRouter, Response

from huaxiao.console.language import Words
from huaxiao.console.navigation import SEES_COMPLETENESS
from huaxiao.console.page import Page, in_section
from huaxiao.shared.auth import Role
from huaxiao.shared.wire.attribution import Completeness, SenderSequence, Standing

router = APIRouter(prefix="/branches/{branch_id}")
OperationsPage = Annotated[Page, in_section("operations")]
_READS_FEEDS = (Role.PROVINCE, Role.COUNTY_MANAGER, Role.AUDITOR)
_READS_ALERTS = (
    *(Role.PROVINCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.CONTRACTOR),
    *(Role.SUPPORT_CENTRE, Role.AUDITOR),
)
_COUNTED = 500
"""How many entries behind are counted; more are told as at least so many."""
_DAYS = 31


@router.get("/operations")
async def operations(page: OperationsPage) -> Response:
    """Show whether the services are ready, how far followers are behind, and what sources sent."""
    ready = await asyncio.gather(*(page.peers.ready(one) for one in page.peers.names))
    completeness: list[Completeness] = []
    sequences: list[SenderSequence] = []
    standing: Standing | None = None
    if page.bearer.may(*SEES_COMPLETENESS):
        completeness, sequences, standing = await asyncio.gather(
            page.peers.attribution.completeness(page.branch),
            page.peers.attribution.sequences(page.branch),
            page.peers.attribution.standing(page.branch),
        )
    behind = None
    if standing is not None and page.bearer.decides_for_county(*_READS_FEEDS):
        entries = await page.peers.contracts.feed(
            page.branch, after=standing.contracts_position, limit=_COUNTED
        )
        behind = len(entries)
    alerts = await page.peers.kpi.alerts(page.branch) if page.bearer.may(*_READS_ALERTS) else []
    return page.show(
        "operations/overview.html",
        section="operations",
        services=list(zip(page.peers.names, ready, strict=True)),
        completeness=sorted(completeness, key=lambda one: one.day, reverse=True)[:_DAYS],
        chart=completeness_chart(page.words, completeness),
        sees_completeness=page.bearer.may(*SEES_COMPLETENESS),
        sequences=[one for one in sequences if one.missing_count],
        standing=standing,
        behind=behind,
        counted=_COUNTED,
        alerts=[one for one in alerts if one.kind in {"feed_still", "books_late", "payroll_late"}],
    )


def completeness_chart(words: Words, completeness: list[Completeness]) -> dict[str, Any]:
    """Describe the chart of what came on each day: stacked by what became of it."""
    days: defaultdict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    kinds = {
        "booked": words("入账", "booked"),
        "duplicates": words("重复", "duplicates"),
        "parked": words("挂起", "parked"),
        "refused": words("拒收", "refused"),
        "conflicts": words("冲突", "conflicts"),
    }
    for one in completeness:
        for kind in kinds:
            days[one.day_key][kind] += getattr(one, kind)
    labels = sorted(days)[-_DAYS:]
    return {
        "kind": "bars",
        "stacked": True,
        "labels": labels,
        "unit": words("条", "events"),
        "series": [
            {"name": name, "values": [days[day][kind] for day in labels]}
            for kind, name in kinds.items()
        ],
    }
