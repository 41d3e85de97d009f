"""Cards: drafted, submitted, confirmed; each computed from the frozen evidence of its month."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals import computing, evidence, publishing, showing, store
from huaxiao.dispatch.appraisals.computing import Basis
from huaxiao.dispatch.appraisals.problems import (
    AppealedAlready,
    HorizontalNotConfirmed,
    NotRatable,
    OutsideWindow,
    PeriodNotOver,
)
from huaxiao.dispatch.domain.calendar import deadlines, settled_at
from huaxiao.dispatch.domain.measuring import judge
from huaxiao.dispatch.domain.scorecard import require_reason
from huaxiao.dispatch.orders.store import centre_kind
from huaxiao.dispatch.reverse_appraisals.store import is_posted
from huaxiao.dispatch.scorecards import handlers as scorecards
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.periods import Period, ends_at
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.appraisals import (
    AppraisalDraft,
    FinalDraftIn,
    HorizontalDraftIn,
    RevisionCause,
)
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.dispatch import Appraisal, AppraisalKind, FinalIn, HorizontalIn

REGIONAL = frozenset({CentreKind.TOWN, CentreKind.TOWNSHIP, CentreKind.OWN_HALL})


# --- the month ----------------------------------------------------------------------------------


def require_over(period: int, now: datetime) -> None:
    """Refuse a month that is not over.

    Raises:
        PeriodNotOver: it is not.

    """
    end = ends_at(Period(period))
    if now < end:
        raise PeriodNotOver(
            f"{period} ends at {end.isoformat()}.",
            f"账期 {period} 至 {end.isoformat()} 结束。",
            period=period,
        )


async def _open_month(
    connection: AsyncConnection, branch_id: int, period: int, now: datetime
) -> Basis:
    """Return what a month's cards are computed from, while marks are taken.

    Raises:
        PeriodNotOver: the month is not over.
        OutsideWindow: its evidence is not frozen yet, or the time to rate is over.

    """
    require_over(period, now)
    if await evidence.has_days(connection, branch_id, period):
        rules = await scorecards.of_period(connection, branch_id, period)
        due = deadlines(Period(period), rules.calendar)
        if not due.freeze_at <= now < due.submit_until:
            raise OutsideWindow(
                f"Marks of {period} are taken from {due.freeze_at.isoformat()}"
                f" until {due.submit_until.isoformat()}.",
                f"{period} 的考核须在 {due.freeze_at.isoformat()} 至"
                f" {due.submit_until.isoformat()} 之间提交。",
                submit_from=due.freeze_at.isoformat(),
                submit_until=due.submit_until.isoformat(),
            )
        await evidence.freeze_due(connection, branch_id, now)
    elif await evidence.frozen(connection, branch_id, period) is None:
        # A month that was over before its county came here: its evidence is what there is by now.
        await evidence.freeze(connection, branch_id, Period(period), at=now, recorded_at=now)
    return await computing.basis_of(connection, branch_id, period)


# --- horizontal ---------------------------------------------------------------------------------


async def _require_ratable(
    connection: AsyncConnection, branch_id: int, rater: str, ratee: str, principal: Principal
) -> None:
    """Refuse marks for a centre that is not the rater's to rate, or that is the caller's own.

    Raises:
        NotRatable: it is.

    """
    principal.require_centre(rater)
    kinds = [await centre_kind(connection, branch_id, one) for one in (rater, ratee)]
    if None in kinds:
        raise NotFound
    allowed = kinds[0] == CentreKind.ENTERPRISE and kinds[1] in REGIONAL
    # Who speaks for both sides would rate themselves, whatever the centres are.
    own = principal.may_see(ratee) or (
        principal.person_id is not None
        and await is_posted(connection, branch_id, principal.person_id, ratee)
    )
    if not allowed or own:
        raise NotRatable(
            f"{rater} ({kinds[0]}) may not rate {ratee} ({kinds[1]}).",
            f"{rater}（{kinds[0]}）不得考核 {ratee}（{kinds[1]}）。",
            rater_centre_id=rater,
            ratee_centre_id=ratee,
        )


async def appraise_horizontal(
    connection: AsyncConnection,
    branch_id: int,
    given: HorizontalIn,
    *,
    principal: Principal,
    now: datetime,
) -> Appraisal:
    """Compute and store the card F1 of a regional centre."""
    rater, ratee = given.rater_centre_id, given.ratee_centre_id
    await _require_ratable(connection, branch_id, rater, ratee, principal)
    basis = await _open_month(connection, branch_id, given.period, now)
    await _require_unbound(connection, basis, rater, ratee)
    judged = given.model_dump(mode="json")
    computing.require_stars(basis.rules.horizontal, computing.stars_of(judged))
    made = computing.horizontal(basis, rater, ratee, judged)
    row = await publishing.keep(
        connection,
        branch_id,
        {
            "kind": AppraisalKind.HORIZONTAL,
            "period": given.period,
            "rater_centre_id": rater,
            "ratee_centre_id": ratee,
            "made_at": now,
            "given": judged,
            "scorecard_version": basis.rules.version,
        },
        made,
        cause=RevisionCause.SUBMITTED,
        by=principal.subject,
        now=now,
    )
    return await showing.render(connection, row, now=now)


async def _require_unbound(
    connection: AsyncConnection, basis: Basis, rater: str, ratee: str
) -> None:
    """Refuse a card of a centre whose final ones are published: they would not rest on it.

    Raises:
        Conflict: the card is there already.
        OutsideWindow: they are.

    """
    there = await store.cards(
        connection,
        basis.branch_id,
        AppraisalKind.HORIZONTAL,
        period=basis.period,
        ratee_centre_id=ratee,
    )
    if any(row["rater_centre_id"] == rater for row in there):
        raise publishing.there_already(AppraisalKind.HORIZONTAL, ratee, basis.period)
    finals = await store.cards(
        connection, basis.branch_id, AppraisalKind.FINAL, period=basis.period, ratee_centre_id=ratee
    )
    if any(row["published_at"] is not None for row in finals):
        raise OutsideWindow(
            f"The final appraisals of {ratee} for {basis.period} are published.",
            f"{ratee} 在 {basis.period} 的最终考核已公布。",
        )


# --- the ratee's word ---------------------------------------------------------------------------


def is_ratee(principal: Principal, row: RowMapping) -> bool:
    """Say whether a caller is who a card is about: a centre's contractor, or the person."""
    if row["kind"] == AppraisalKind.FINAL:
        return row["person_id"] is not None and principal.person_id == row["person_id"]
    # Who speaks for both sides would answer themselves.
    return (
        Role.CONTRACTOR in principal.roles
        and principal.may_see(row["ratee_centre_id"])
        and not principal.may_see(row["rater_centre_id"])
    )


def is_rater(principal: Principal, row: RowMapping) -> bool:
    """Say whether a caller speaks for the centre that gave a card."""
    return (
        Role.CONTRACTOR in principal.roles
        and row["rater_centre_id"] is not None
        and principal.may_see(row["rater_centre_id"])
        and (row["person_id"] is None or principal.person_id != row["person_id"])
    )


def may_see(principal: Principal, row: RowMapping) -> bool:
    """Say whether a caller may see a card at all: an engineer their own and no other."""
    if principal.roles == {Role.ENGINEER}:
        return row["kind"] == AppraisalKind.FINAL and is_ratee(principal, row)
    centres = (row["rater_centre_id"], row["ratee_centre_id"])
    return any(one is not None and principal.may_see(one) for one in centres)


async def seen(
    connection: AsyncConnection,
    branch_id: int,
    appraisal_id: str,
    principal: Principal,
    *,
    lock: bool = False,
) -> RowMapping:
    """Return a card that the caller may see."""
    row = await store.load(connection, branch_id, appraisal_id, lock=lock)
    if row is None:
        raise NotFound
    if may_see(principal, row):
        return row
    # The support centre decides appeals, and sees the cards that they are about.
    if Role.SUPPORT_CENTRE in principal.roles and await store.appeals(
        connection, branch_id, [appraisal_id]
    ):
        return row
    raise NotFound


async def confirm(
    connection: AsyncConnection,
    branch_id: int,
    appraisal_id: str,
    *,
    principal: Principal,
    now: datetime,
) -> Appraisal:
    """Let the ratee agree; again changes nothing.

    Raises:
        AppealedAlready: who has appealed waits for the decision.

    """
    row = await seen(connection, branch_id, appraisal_id, principal, lock=True)
    if row["kind"] == AppraisalKind.REVERSE or not is_ratee(principal, row):
        raise NotFound
    if row["confirmed_at"] is not None:
        return await showing.render(connection, row, now=now)
    if await store.appeals(connection, branch_id, [appraisal_id]):
        raise AppealedAlready
    await store.change(connection, branch_id, appraisal_id, {"confirmed_at": now})
    confirmed = await publishing.reloaded(connection, branch_id, appraisal_id)
    if row["kind"] == AppraisalKind.FINAL or row["published_at"] is not None:
        return await showing.render(connection, confirmed, now=now)
    return await publishing.publish(connection, confirmed, at=now, now=now)


# --- final --------------------------------------------------------------------------------------


async def appraise_final(
    connection: AsyncConnection,
    branch_id: int,
    given: FinalIn,
    *,
    principal: Principal,
    now: datetime,
) -> Appraisal:
    """Compute and store the card F2 of a person; it is published when what it is bound to stands."""
    centre_id = await _centre_of(connection, branch_id, given.person_id, principal)
    require_over(given.period, now)
    dated = await evidence.has_days(connection, branch_id, given.period)
    basis = await _open_month(connection, branch_id, given.period, now)
    if not dated:
        await _require_bound(connection, basis, centre_id, now)
    judged = given.model_dump(mode="json")
    stars = computing.stars_of(judged)
    if given.own_score is None:
        computing.require_stars(basis.rules.own, stars)
    elif not basis.rules.own_score_may_be_stated:
        raise NotRatable(
            "The county's scorecards measure the own part; no score may be stated for it.",
            "本县评分表规定自评部分按计量得分，不得直接填报。",
        )
    require_reason(stars, given.reason)
    _check_final(basis, centre_id, given, judged)
    row = await publishing.keep(
        connection,
        branch_id,
        {
            "kind": AppraisalKind.FINAL,
            "period": given.period,
            "rater_centre_id": centre_id,
            "ratee_centre_id": centre_id,
            "person_id": given.person_id,
            "made_at": now,
            "given": judged,
            "scorecard_version": basis.rules.version,
        },
        computing.final(basis, centre_id, given.person_id, judged, bound=None),
        cause=RevisionCause.SUBMITTED,
        by=principal.subject,
        now=now,
    )
    if dated:
        return await showing.render(connection, row, now=now)
    return await publishing.publish_final(connection, row, basis, at=now, now=now)


def _check_final(basis: Basis, centre_id: str, given: FinalIn, judged: Mapping[str, Any]) -> None:
    """Refuse a score or an adjustment that is out of range, or comes without its reason."""
    bound = computing.Bound((), (), ())
    computing.final(
        basis,
        centre_id,
        given.person_id,
        {"own_score": "0"} | {name: value for name, value in judged.items() if value is not None},
        bound=bound,
    )


async def _centre_of(
    connection: AsyncConnection, branch_id: int, person_id: str, principal: Principal
) -> str:
    """Return the centre of a person whom the caller may rate.

    Raises:
        NotRatable: it is the caller, or somebody of no regional centre.

    """
    person = await store.person(connection, branch_id, person_id)
    if person is None:
        raise NotFound
    centre_id: str = person["centre_id"]
    principal.require_centre(centre_id)
    if principal.person_id == person_id:
        raise NotRatable(
            f"{person_id} may not appraise themselves.",
            f"{person_id} 不得考核本人。",
            person_id=person_id,
        )
    kind = await centre_kind(connection, branch_id, centre_id)
    if kind not in REGIONAL:
        raise NotRatable(
            f"{centre_id} ({kind}) is no regional centre: its people have no final appraisal.",
            f"{centre_id}（{kind}）不是区域型营服中心，其人员不参加最终考核。",
            person_id=person_id,
        )
    return centre_id


def rated_pairs(basis: Basis, kinds: Mapping[str, str]) -> set[tuple[str, str]]:
    """Return which enterprise centres were served by which regional ones in a month."""
    pairs = {
        (one.requester_centre_id, one.performer_centre_id)
        for one in basis.records
        if one.requester_centre_id is not None and one.performer_centre_id is not None
    }
    return {
        (rater, ratee)
        for rater, ratee in pairs
        if kinds.get(rater) == CentreKind.ENTERPRISE
        and kinds.get(ratee) in REGIONAL
        and any(judge(basis.served(rater, ratee), since=basis.since, until=basis.until).values())
    }


async def _require_bound(
    connection: AsyncConnection, basis: Basis, centre_id: str, now: datetime
) -> None:
    """Refuse a final card while a horizontal one that it is bound to is missing, or may still move.

    Raises:
        HorizontalNotConfirmed: it is.

    """
    rows = await store.cards(
        connection,
        basis.branch_id,
        AppraisalKind.HORIZONTAL,
        period=basis.period,
        ratee_centre_id=centre_id,
    )
    if not rows:
        kinds = await store.kinds(connection, basis.branch_id)
        if centre_id not in {ratee for _, ratee in rated_pairs(basis, kinds)}:
            # It served no enterprise centre: nobody rates it, and the own part counts alone.
            return
        raise HorizontalNotConfirmed(
            f"{centre_id} has no horizontal appraisal of {basis.period}.",
            f"{centre_id} 在 {basis.period} 没有横向考核。",
            ratee_centre_id=centre_id,
            period=basis.period,
        )
    for row in rows:
        if row["published_at"] is None:
            await _settle(connection, row, now)


async def _settle(connection: AsyncConnection, row: RowMapping, now: datetime) -> None:
    """Publish a card whose ratee has let the time for an answer pass."""
    due = await showing.deadlines_of(connection, row)
    appeals = await store.appeals(connection, row["branch_id"], [row["appraisal_id"]])
    settled = settled_at(
        due, confirmed_at=row["confirmed_at"], appeals=showing.appealed(appeals), now=now
    )
    if settled is None:
        raise HorizontalNotConfirmed(
            f"{row['ratee_centre_id']} has not confirmed {row['appraisal_id']} of {row['period']};"
            f" silence will on {due.answer_until.isoformat()}.",
            f"{row['ratee_centre_id']} 尚未确认 {row['period']} 的横向考核 {row['appraisal_id']}，"
            f"{due.answer_until.isoformat()} 起视为同意。",
            appraisal_id=row["appraisal_id"],
            silence_confirms_at=due.answer_until.isoformat(),
        )
    await publishing.publish(connection, row, at=settled, now=now)


# --- drafts -------------------------------------------------------------------------------------


async def draft_horizontal(
    connection: AsyncConnection,
    branch_id: int,
    parties: tuple[str, str, int],
    given: HorizontalDraftIn,
    *,
    principal: Principal,
    now: datetime,
) -> AppraisalDraft:
    """Keep what is judged so far of a horizontal card, until it is submitted."""
    rater, ratee, period = parties
    await _require_ratable(connection, branch_id, rater, ratee, principal)
    return await _draft(
        connection,
        branch_id,
        AppraisalKind.HORIZONTAL,
        (rater, ratee, period),
        given,
        principal=principal,
        now=now,
    )


async def draft_final(
    connection: AsyncConnection,
    branch_id: int,
    person_id: str,
    period: int,
    given: FinalDraftIn,
    *,
    principal: Principal,
    now: datetime,
) -> AppraisalDraft:
    """Keep what is judged so far of one's engineer, until it is submitted."""
    centre_id = await _centre_of(connection, branch_id, person_id, principal)
    return await _draft(
        connection,
        branch_id,
        AppraisalKind.FINAL,
        (centre_id, person_id, period),
        given,
        principal=principal,
        now=now,
    )


async def _draft(
    connection: AsyncConnection,
    branch_id: int,
    kind: AppraisalKind,
    parties: tuple[str, str, int],
    given: HorizontalDraftIn | FinalDraftIn,
    *,
    principal: Principal,
    now: datetime,
) -> AppraisalDraft:
    rater, ratee, period = parties
    require_over(period, now)
    rules = await scorecards.of_period(connection, branch_id, period)
    due = deadlines(Period(period), rules.calendar)
    if now >= due.submit_until and await evidence.has_days(connection, branch_id, period):
        raise OutsideWindow(submit_until=due.submit_until.isoformat())
    await store.put_draft(
        connection,
        {
            "branch_id": branch_id,
            "kind": kind,
            "period": period,
            "rater_centre_id": rater,
            "ratee": ratee,
            "given": given.model_dump(mode="json"),
            "drafted_by": principal.subject,
            "drafted_at": now,
        },
    )
    return await show_draft(connection, branch_id, kind, parties)


async def show_draft(
    connection: AsyncConnection,
    branch_id: int,
    kind: AppraisalKind,
    parties: tuple[str, str, int],
) -> AppraisalDraft:
    """Return a draft, and what it lacks."""
    rater, ratee, period = parties
    row = await store.draft(connection, branch_id, kind, period, rater, ratee)
    if row is None:
        raise NotFound
    rules = await scorecards.of_period(connection, branch_id, period)
    form = rules.horizontal if kind is AppraisalKind.HORIZONTAL else rules.own
    stated = row["given"].get("own_score") is not None
    stars = computing.stars_of(row["given"])
    return AppraisalDraft.model_validate(
        dict(row)
        | {
            "missing": [] if stated else computing.missing_stars(form, stars),
            "submit_until": deadlines(Period(period), rules.calendar).submit_until,
        }
    )


async def final_draft_of(
    connection: AsyncConnection,
    branch_id: int,
    person_id: str,
    period: int,
    *,
    principal: Principal,
) -> AppraisalDraft:
    """Return the draft of an engineer's final card, to the centre that rates them."""
    centre_id = await _centre_of(connection, branch_id, person_id, principal)
    return await show_draft(
        connection, branch_id, AppraisalKind.FINAL, (centre_id, person_id, period)
    )


async def submit_horizontal(
    connection: AsyncConnection,
    branch_id: int,
    parties: tuple[str, str, int],
    *,
    principal: Principal,
    now: datetime,
) -> Appraisal:
    """Submit a horizontal card as it was drafted."""
    rater, ratee, period = parties
    principal.require_centre(rater)
    drafted = await show_draft(connection, branch_id, AppraisalKind.HORIZONTAL, parties)
    given = HorizontalIn.model_validate(
        drafted.given | {"period": period, "rater_centre_id": rater, "ratee_centre_id": ratee}
    )
    return await appraise_horizontal(connection, branch_id, given, principal=principal, now=now)


async def submit_final(
    connection: AsyncConnection,
    branch_id: int,
    person_id: str,
    period: int,
    *,
    principal: Principal,
    now: datetime,
) -> Appraisal:
    """Submit a final card as it was drafted."""
    drafted = await final_draft_of(connection, branch_id, person_id, period, principal=principal)
    given = FinalIn.model_validate(drafted.given | {"period": period, "person_id": person_id})
    return await appraise_final(connection, branch_id, given, principal=principal, now=now)
