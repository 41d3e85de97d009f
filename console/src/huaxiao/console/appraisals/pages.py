"""Pages of appraisals."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Form, Response

from huaxiao.console.appraisals import views
from huaxiao.console.page import Page, in_section
from huaxiao.shared.auth import Role
from huaxiao.shared.wire.appraisals import AppealAnswerIn, AppealDecisionIn, AppealIn
from huaxiao.shared.wire.base import PeriodText
from huaxiao.shared.wire.dispatch import AppraisalKind, FinalIn, HorizontalIn

router = APIRouter(prefix="/branches/{branch_id}/appraisals")
AppraisalsPage = Annotated[Page, in_section("appraisals")]
Reason = Annotated[str, Form(min_length=1, max_length=500)]
OptionalReason = Annotated[str, Form(max_length=500)]
_PAGE = 200


@router.get("")
async def appraisals(
    page: AppraisalsPage, period: PeriodText | None = None, kind: AppraisalKind | None = None
) -> Response:
    """List the cards that are the visitor's to see, and offer to give one."""
    found, scorecard, names = await asyncio.gather(
        page.peers.dispatch.appraisals(page.branch, period=period, kind=kind, limit=_PAGE),
        page.peers.dispatch.scorecards(page.branch, period=period),
        page.centre_names(),
    )
    newest = period or max((one.period for one in found.items), default=None)
    month = (
        await page.peers.dispatch.appraisal_month(page.branch, newest)
        if newest is not None
        else None
    )
    organisation, positions = await page.organisation(), await page.positions()
    own = page.bearer.centre_ids or ()
    return page.show(
        "appraisals/list.html",
        section="appraisals",
        appraisals=found.items,
        month=month,
        kinds=list(AppraisalKind),
        kind=kind,
        period=newest,
        names=names,
        positions=positions,
        scorecard=scorecard,
        own=own,
        people=sorted(
            {
                position.person_id
                for one in (organisation.centres if organisation else [])
                if one.centre_id in own
                for position in one.positions
            }
        ),
        may_give=page.bearer.may(Role.CONTRACTOR) and bool(own),
    )


@router.post("/horizontal")
async def give_horizontal(
    page: AppraisalsPage,
    period: Annotated[PeriodText, Form()],
    rater_centre_id: Annotated[str, Form()],
    ratee_centre_id: Annotated[str, Form()],
    cooperation_stars: Annotated[int, Form(ge=1, le=5)],
    reason: OptionalReason = "",
) -> Response:
    """Rate the centre that served one's customers."""
    given = HorizontalIn(
        period=period,
        rater_centre_id=rater_centre_id,
        ratee_centre_id=ratee_centre_id,
        cooperation_stars=cooperation_stars,
        reason=reason.strip() or None,
    )
    made = await page.peers.dispatch.appraise_horizontal(page.branch, given)
    return page.back(f"appraisals/{made.appraisal_id}")


@router.post("/final")
async def give_final(
    page: AppraisalsPage,
    period: Annotated[PeriodText, Form()],
    person_id: Annotated[str, Form()],
    adjustment: Annotated[str, Form()] = "0",
    reason: OptionalReason = "",
) -> Response:
    """Rate an engineer of one's centre."""
    given = FinalIn(
        period=period,
        person_id=person_id,
        stars=views.stars_given(dict(await page.request.form())),
        adjustment=adjustment.strip() or "0",
        reason=reason.strip() or None,
    )
    made = await page.peers.dispatch.appraise_final(page.branch, given)
    return page.back(f"appraisals/{made.appraisal_id}")


@router.get("/{appraisal_id}")
async def appraisal(page: AppraisalsPage, appraisal_id: str) -> Response:
    """Show a card: why this score, its appeals, and what the visitor may say to it."""
    history, explanation, names = await asyncio.gather(
        page.peers.dispatch.appraisal_history(page.branch, appraisal_id),
        page.peers.dispatch.explanation(page.branch, appraisal_id),
        page.centre_names(),
    )
    found, positions = history.appraisal, await page.positions()
    return page.show(
        "appraisals/card.html",
        section="appraisals",
        views=views,
        card=found,
        history=history,
        explanation=explanation,
        names=names,
        positions=positions,
        answers=views.answers(found, page.bearer),
        replies=views.replies(found, page.bearer),
        decides=views.decides(page.bearer),
    )


@router.post("/{appraisal_id}/confirm")
async def confirm(page: AppraisalsPage, appraisal_id: str) -> Response:
    """Confirm a card as its ratee."""
    await page.peers.dispatch.confirm_appraisal(page.branch, appraisal_id)
    return page.back(f"appraisals/{appraisal_id}")


@router.post("/{appraisal_id}/appeals")
async def appeal(
    page: AppraisalsPage,
    appraisal_id: str,
    item: Annotated[str, Form()],
    text: Reason,
    references: Annotated[str, Form(min_length=1, max_length=2000)],
) -> Response:
    """Appeal against an item, with references, one a line."""
    named = [one.strip() for one in references.splitlines() if one.strip()]
    given = AppealIn(text=text, references=named)
    await page.peers.dispatch.appeal(page.branch, appraisal_id, item, given)
    return page.back(f"appraisals/{appraisal_id}")


@router.post("/{appraisal_id}/appeals/{item}/answer")
async def answer_appeal(
    page: AppraisalsPage, appraisal_id: str, item: str, text: Reason
) -> Response:
    """Answer an appeal as the rater."""
    given = AppealAnswerIn(text=text)
    await page.peers.dispatch.answer_appeal(page.branch, appraisal_id, item, given)
    return page.back(f"appraisals/{appraisal_id}")


@router.post("/{appraisal_id}/appeals/{item}/decision")
async def decide_appeal(
    page: AppraisalsPage,
    appraisal_id: str,
    item: str,
    upheld: Annotated[bool, Form()],
    reason: Reason,
    value: Annotated[str, Form()] = "",
) -> Response:
    """Decide an appeal; to uphold it is to say the item's value."""
    given = AppealDecisionIn(upheld=upheld, value=value.strip() or None, reason=reason)
    await page.peers.dispatch.decide_appeal(page.branch, appraisal_id, item, given)
    return page.back(f"appraisals/{appraisal_id}")
