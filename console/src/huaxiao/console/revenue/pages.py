"""Pages of unresolved and disputed revenue, with the forms that decide."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Query, Response

from huaxiao.console.page import Page, in_section
from huaxiao.console.revenue import views
from huaxiao.shared.auth import Role
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.wire.attribution import (
    DisputeDecisionIn,
    DisputeIn,
    DisputeStepName,
    PleaIn,
    RulingIn,
)
from huaxiao.shared.wire.base import PeriodText

router = APIRouter(prefix="/branches/{branch_id}")
RevenuePage = Annotated[Page, in_section("revenue")]
Text = Annotated[str, Form(min_length=1, max_length=2000)]
_RULES = (Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)
_READS_RULINGS = (
    *(Role.PROVINCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE),
    *(Role.SUPPORT_CENTRE, Role.AUDITOR),
)
_READS_BOOKS = (Role.PROVINCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.AUDITOR)
_SHOWN, _MORE, _MOST_SHOWN = 50, 500, 10_000
"""Lines that a page begins with, adds when asked for more, and has at most."""
_ENTRIES = 50


@router.get("/revenue")
async def revenue(
    page: RevenuePage,
    period: PeriodText | None = None,
    flag: str | None = None,
    unassigned: bool = False,  # noqa: FBT001, FBT002 - a box that is ticked or not
    shown: Annotated[int, Query(ge=1, le=_MOST_SHOWN)] = _SHOWN,
) -> Response:
    """Show how much of a month is unresolved, its lines, disputes and proposed rulings."""
    month = await page.period(period)
    lines, disputes, standing, names = await asyncio.gather(
        page.peers.attribution.unresolved(
            page.branch, period=month, flag=flag or None, unassigned=unassigned or None
        ),
        page.peers.attribution.disputes(page.branch),
        page.peers.attribution.period(page.branch, month),
        page.centre_names(),
    )
    rulings = (
        await page.peers.attribution.rulings(page.branch)
        if page.bearer.may(*_READS_RULINGS)
        else []
    )
    books = (
        await page.peers.attribution.reconciliation(page.branch, month)
        if page.bearer.may(*_READS_BOOKS)
        else None
    )
    return page.show(
        "revenue/overview.html",
        section="revenue",
        lines=lines[:shown],
        all_lines=len(lines),
        more=min(len(lines), shown + _MORE, _MOST_SHOWN) if len(lines) > shown else None,
        flags=views.flags_of(lines),
        disputes=sorted(disputes, key=lambda one: (not one.open, one.raised_at)),
        standing=standing,
        waiting=[one for one in rulings if one.approved_at is None and one.dispute_id is None],
        books=books,
        names=names,
        period=month,
        flag=flag,
        unassigned=unassigned,
        own=page.bearer.centre_ids or (),
        may_contest=_may_contest(page),
        new_id=new_id(),
    )


@router.get("/lines/{subscription_id}")
async def line(
    page: RevenuePage, subscription_id: str, period: PeriodText | None = None
) -> Response:
    """Show why a line's revenue belongs to a centre, its entries, and what can be done about it."""
    found = await page.peers.attribution.explanation(page.branch, subscription_id, period=period)
    entries, organisation, names = await asyncio.gather(
        page.peers.attribution.entries(
            page.branch, subscription_id=subscription_id, period=found.period, limit=_ENTRIES
        ),
        page.organisation(),
        page.centre_names(),
    )
    people = [
        position.person_id
        for one in (organisation.centres if organisation else [])
        for position in one.positions
    ]
    return page.show(
        "revenue/line.html",
        section="revenue",
        found=found,
        entries=entries.items,
        names=names,
        people=sorted(set(people)),
        own=page.bearer.centre_ids or (),
        may_rule=page.bearer.decides_for_county(*_RULES),
        may_contest=_may_contest(page),
        new_id=new_id(),
    )


@router.post("/lines/{subscription_id}/assignee")
async def assign(
    page: RevenuePage,
    subscription_id: str,
    period: Annotated[PeriodText, Form()],
    person_id: Annotated[str, Form()] = "",
) -> Response:
    """Say who is to work off a line."""
    await page.peers.attribution.assign_unresolved(
        page.branch, subscription_id, person_id.strip() or None
    )
    return page.back("revenue", period=period)


@router.post("/lines/{subscription_id}/rulings")
async def propose_ruling(
    page: RevenuePage,
    subscription_id: str,
    ruling_id: Annotated[str, Form()],
    period: Annotated[PeriodText, Form()],
    centre_id: Annotated[str, Form()],
    reason: Text,
    field_id: Annotated[str, Form()] = "",
) -> Response:
    """Propose whose a line is to be; somebody else approves it."""
    given = RulingIn(
        subscription_ids=[subscription_id],
        centre_id=centre_id,
        field_id=field_id.strip() or None,
        from_period=period,
        reason=reason,
    )
    await page.peers.attribution.put_ruling(page.branch, ruling_id, given)
    return page.back(f"rulings/{ruling_id}")


@router.get("/rulings/{ruling_id}")
async def ruling(page: RevenuePage, ruling_id: str) -> Response:
    """Show a ruling, and what it moves or would move."""
    if not page.bearer.may(*_READS_RULINGS):
        raise Forbidden
    known, names = await asyncio.gather(
        page.peers.attribution.ruling(page.branch, ruling_id), page.centre_names()
    )
    preview = (
        await page.peers.attribution.ruling_preview(page.branch, ruling_id)
        if known.approved_at is None
        else None
    )
    return page.show(
        "revenue/ruling.html",
        section="revenue",
        ruling=known,
        preview=preview,
        names=names,
        may_approve=page.bearer.decides_for_county(*_RULES) and known.dispute_id is None,
    )


@router.post("/rulings/{ruling_id}/approve")
async def approve_ruling(page: RevenuePage, ruling_id: str) -> Response:
    """Put a ruling in force that somebody else has proposed."""
    await page.peers.attribution.approve_ruling(page.branch, ruling_id)
    return page.back(f"rulings/{ruling_id}")


@router.post("/disputes")
async def raise_dispute(
    page: RevenuePage,
    subscription_id: Annotated[str, Form()],
    dispute_id: Annotated[str, Form()],
    period: Annotated[PeriodText, Form()],
    claimant_centre_id: Annotated[str, Form()],
    centre_id: Annotated[str, Form()],
    text: Text,
    field_id: Annotated[str, Form()] = "",
) -> Response:
    """Contest whose a line is."""
    given = DisputeIn(
        subscription_id=subscription_id,
        from_period=period,
        claimant_centre_id=claimant_centre_id,
        centre_id=centre_id,
        field_id=field_id.strip() or None,
        text=text,
    )
    await page.peers.attribution.raise_dispute(page.branch, dispute_id, given)
    return page.back(f"disputes/{dispute_id}")


@router.get("/disputes/{dispute_id}")
async def dispute(page: RevenuePage, dispute_id: str) -> Response:
    """Show a dispute: both sides, what it is about, and the form of the next step."""
    found, names = await asyncio.gather(
        page.peers.attribution.dispute(page.branch, dispute_id), page.centre_names()
    )
    preview = (
        await page.peers.attribution.ruling_preview(page.branch, found.proposal.ruling_id)
        if found.proposal is not None and page.bearer.may(*_READS_RULINGS)
        else None
    )
    return page.show(
        "revenue/dispute.html",
        section="revenue",
        dispute=found,
        preview=preview,
        names=names,
        steps=views.steps(found, page.bearer),
    )


@router.post("/disputes/{dispute_id}/steps")
async def step(
    page: RevenuePage,
    dispute_id: str,
    step: Annotated[DisputeStepName, Form()],
    text: Annotated[str, Form(max_length=2000)] = "",
    owner: Annotated[str, Form()] = "",
) -> Response:
    """Take the next step of a dispute: answer, propose a decision, confirm it, appeal, withdraw."""
    asked = page.peers.attribution
    match step:
        case DisputeStepName.REPLY:
            await asked.reply_to_dispute(page.branch, dispute_id, PleaIn(text=text))
        case DisputeStepName.PROPOSE:
            centre_id, field_id = views.owner_of(owner)
            given = DisputeDecisionIn(centre_id=centre_id, field_id=field_id, reason=text)
            await asked.propose_decision(page.branch, dispute_id, given)
        case DisputeStepName.CONFIRM:
            await asked.confirm_decision(page.branch, dispute_id)
        case DisputeStepName.APPEAL:
            await asked.appeal_dispute(page.branch, dispute_id, PleaIn(text=text))
        case DisputeStepName.WITHDRAW:
            await asked.withdraw_dispute(page.branch, dispute_id)
        case DisputeStepName.LAPSE:
            await asked.lapse_dispute(page.branch, dispute_id)
        case DisputeStepName.RAISE:
            raise Forbidden
    return page.back(f"disputes/{dispute_id}")


def _may_contest(page: Page) -> bool:
    """Say whether the visitor speaks for a centre: only its own people contest for it."""
    return bool(page.bearer.centre_ids) and page.bearer.may(Role.CONTRACTOR)
