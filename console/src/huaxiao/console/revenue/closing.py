"""The page on which a month is closed, by two people, and its statements are drafted."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Response

from huaxiao.console.page import Page, in_section
from huaxiao.shared.auth import Role
from huaxiao.shared.wire.attribution import Period, PeriodState
from huaxiao.shared.wire.base import PeriodText

router = APIRouter(prefix="/branches/{branch_id}/closing")
ClosingPage = Annotated[Page, in_section("revenue")]
_CLOSES = (Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)
_SETTLES = (Role.PROVINCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)
_READS_BOOKS = (Role.PROVINCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.AUDITOR)


@router.get("")
async def closing(page: ClosingPage, period: PeriodText | None = None) -> Response:
    """Show how a month stands before it is closed, and all others in which something has come."""
    month = await page.period(period)
    standing, known = await asyncio.gather(
        page.peers.attribution.period(page.branch, month),
        page.peers.attribution.periods(page.branch),
    )
    books = verification = None
    if page.bearer.decides_for_county(*_READS_BOOKS):
        books = await page.peers.attribution.reconciliation(page.branch, month)
        if standing.state == "closed":
            verification = await page.peers.attribution.verification(page.branch, month)
    return page.show(
        "revenue/closing.html",
        section="revenue",
        standing=standing,
        known=sorted(
            (one for one in known if one.period == month or has_come(one)),
            key=lambda one: one.period,
            reverse=True,
        ),
        books=books,
        verification=verification,
        period=month,
        may_close=page.bearer.decides_for_county(*_CLOSES),
        may_approve=page.bearer.decides_for_county(Role.COUNTY_MANAGER),
        may_settle=page.bearer.decides_for_county(*_SETTLES),
    )


def has_come(period: Period) -> bool:
    """Say whether anything has come of a month: revenue, or that it is closed or about to be."""
    share = period.unresolved
    booked = share is not None and share.net_revenue_fen != 0
    return booked or period.state is not PeriodState.OPEN


@router.post("/{period}/begin")
async def begin(page: ClosingPage, period: PeriodText) -> Response:
    """Begin to close a month; somebody else closes it."""
    await page.peers.attribution.begin_closing(page.branch, period)
    return page.back("closing", period=period)


@router.post("/{period}/close")
async def close(page: ClosingPage, period: PeriodText) -> Response:
    """Close a month that somebody else has begun to close."""
    await page.peers.attribution.close_period(page.branch, period)
    return page.back("closing", period=period)


@router.post("/{period}/approval")
async def approve(
    page: ClosingPage,
    period: PeriodText,
    reason: Annotated[str, Form(min_length=1, max_length=2000)],
) -> Response:
    """Approve that more of a month is unresolved than may be."""
    await page.peers.attribution.approve_unresolved(page.branch, period, reason)
    return page.back("closing", period=period)


@router.post("/{period}/statements")
async def draft_statements(page: ClosingPage, period: PeriodText) -> Response:
    """Draft the statements of a month, for both sides to confirm; name those that cannot be."""
    outcomes = await page.peers.contracts.settle(page.branch, period)
    refused = [one for one in outcomes if one.outcome == "refused"]
    if refused:
        return page.show(
            "revenue/not_drafted.html", section="revenue", refused=refused, period=period
        )
    return page.back("statements", period=period)
