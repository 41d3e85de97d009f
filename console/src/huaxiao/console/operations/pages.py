"""The page of operations."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Response

from huaxiao.console.answering import answer_of
from huaxiao.console.language import Words
from huaxiao.console.navigation import SEES_LAGS
from huaxiao.console.operations.lags import Lag, ask
from huaxiao.console.page import Page, in_section
from huaxiao.shared.auth import Role
from huaxiao.shared.wire.alerts import Alert, AlertKind
from huaxiao.shared.wire.attribution import Completeness, SenderSequence, Standing

router = APIRouter(prefix="/branches/{branch_id}")
OperationsPage = Annotated[Page, in_section("operations")]
_READS_FEEDS = (Role.PROVINCE, Role.COUNTY_MANAGER, Role.AUDITOR)
_READS_ALERTS = (
    *(Role.PROVINCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.CONTRACTOR),
    *(Role.SUPPORT_CENTRE, Role.AUDITOR),
)
_OF_DATA = {AlertKind.FEED_STILL, AlertKind.BOOKS_LATE, AlertKind.PAYROLL_LATE}
_DAYS = 31


@router.get("/operations")
async def operations(page: OperationsPage) -> Response:
    """Show whether the services are ready, how far followers are behind, and what sources sent.

    A service that is away is shown as such; the others are shown all the same.
    """
    services = page.peers.by_name
    found = await asyncio.gather(*(page.peers.ready(one) for one in services))
    ready = dict(zip(services, found, strict=True))
    behind: list[Lag] = []
    if page.bearer.may(*SEES_LAGS):
        behind = await ask(
            {name: one for name, one in services.items() if ready[name]},
            page.branch,
            reads_feeds=page.bearer.decides_for_county(*_READS_FEEDS),
        )
    sent = _Sent()
    if ready["attribution"] and page.sees_completeness:
        sent = await _sent(page)
    alerts: list[Alert] | None = []
    if ready["kpi"] and page.bearer.may(*_READS_ALERTS):
        alerts = await answer_of(page.peers.kpi.alerts(page.branch))
    completeness = sent.completeness or []
    return page.show(
        "operations/overview.html",
        section="operations",
        services=ready,
        sees_lags=page.bearer.may(*SEES_LAGS),
        lags=behind,
        sees_completeness=page.sees_completeness,
        completeness=sorted(completeness, key=lambda one: one.day, reverse=True)[:_DAYS],
        chart=completeness_chart(page.words, completeness),
        untold=sent.completeness is None,
        sequences=[one for one in sent.sequences or [] if one.missing_count or one.runs[1:]],
        standing=sent.standing,
        alerts=[one for one in alerts or [] if one.kind in _OF_DATA],
    )


@dataclass(frozen=True, slots=True)
class _Sent:
    """What attribution tells of its sources; None where it tells nothing."""

    completeness: list[Completeness] | None = None
    sequences: list[SenderSequence] | None = None
    standing: Standing | None = None


async def _sent(page: Page) -> _Sent:
    attribution = page.peers.attribution
    return _Sent(
        *await asyncio.gather(
            answer_of(attribution.completeness(page.branch)),
            answer_of(attribution.sequences(page.branch)),
            answer_of(attribution.standing(page.branch)),
        )
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
