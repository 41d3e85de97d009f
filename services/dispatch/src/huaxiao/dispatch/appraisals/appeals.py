"""Appeals against items of a card: made once with evidence, answered, decided; and corrections."""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals import computing, handlers, publishing, showing, store
from huaxiao.dispatch.appraisals.problems import AppealedAlready, NoParty, OutsideWindow
from huaxiao.dispatch.reverse_appraisals.store import is_posted
from huaxiao.dispatch.scorecards import handlers as scorecards
from huaxiao.dispatch.tables import (
    appraisal_appeal_answers,
    appraisal_appeal_decisions,
    appraisal_appeals,
    appraisal_corrections,
)
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.periods import period_of
from huaxiao.shared.problems import Conflict, Fault, Forbidden, Malformed, NotFound
from huaxiao.shared.wire.appraisals import (
    Appeal,
    AppealAnswer,
    AppealAnswerIn,
    AppealDecision,
    AppealDecisionIn,
    AppealIn,
    AppraisalHistory,
    Correction,
    CorrectionIn,
    Revision,
    RevisionCause,
)
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.dispatch import AppraisalKind


async def appeal(
    connection: AsyncConnection,
    branch_id: int,
    appraisal_id: str,
    item: str,
    given: AppealIn,
    *,
    principal: Principal,
    now: datetime,
) -> AppraisalHistory:
    """Appeal against an item of one's card, once, until the eighth day."""
    row = await _card(connection, branch_id, appraisal_id, principal)
    if not handlers.is_ratee(principal, row):
        raise NotFound
    rules = await scorecards.show(connection, branch_id, row["scorecard_version"])
    if item not in computing.items_of(rules, row):
        raise NotFound
    due = showing.deadlines_by(rules, row)
    if now >= due.answer_until:
        raise OutsideWindow(answer_until=due.answer_until.isoformat())
    if row["confirmed_at"] is not None:
        raise AppealedAlready
    said = _key(branch_id, appraisal_id, item) | {
        "text": given.text,
        "references": given.references,
        "by": principal.subject,
        "at": now,
    }
    if not await store.append(connection, appraisal_appeals, said):
        raise AppealedAlready
    return await history(connection, row, now=now)


async def answer(
    connection: AsyncConnection,
    branch_id: int,
    appraisal_id: str,
    item: str,
    given: AppealAnswerIn,
    *,
    principal: Principal,
    now: datetime,
) -> AppraisalHistory:
    """Answer an appeal as the rater, once, before it is decided."""
    row = await _card(connection, branch_id, appraisal_id, principal)
    if not handlers.is_rater(principal, row):
        raise NotFound
    made = await _appeal(connection, row, item)
    if made["decision_at"] is not None:
        raise Conflict("It is decided already.", "已作出裁定。")
    said = _key(branch_id, appraisal_id, item) | {
        "text": given.text,
        "by": principal.subject,
        "at": now,
    }
    if not await store.append(connection, appraisal_appeal_answers, said):
        raise Conflict("It was answered already.", "已作出答复。")
    return await history(connection, row, now=now)


async def decide(
    connection: AsyncConnection,
    branch_id: int,
    appraisal_id: str,
    item: str,
    given: AppealDecisionIn,
    *,
    principal: Principal,
    now: datetime,
) -> AppraisalHistory:
    """Decide an appeal until the tenth day, as somebody who has no part in the card.

    That is the support centre; where it is a party, or the county has none, the general manager.

    Raises:
        NoParty: the caller has a part in it.
        OutsideWindow: the time to decide is over, and the card stands as it was.

    """
    row = await _card(connection, branch_id, appraisal_id, None)
    made = await _appeal(connection, row, item)
    unit = await _deciding_unit(connection, row, principal)
    if made["by"] == principal.subject or await _has_part(connection, row, principal):
        raise NoParty
    rules = await scorecards.show(connection, branch_id, row["scorecard_version"])
    due = showing.deadlines_by(rules, row)
    if now >= due.decide_until:
        raise OutsideWindow(decide_until=due.decide_until.isoformat())
    if made["decision_at"] is not None:
        raise Conflict("It is decided already.", "已作出裁定。")
    _check_value(rules, row, item, given)
    decided = _key(branch_id, appraisal_id, item) | {
        "upheld": given.upheld,
        "value": given.value if given.upheld else None,
        "reason": given.reason,
        "by": principal.subject,
        "centre_id": unit,
        "at": now,
    }
    if not await store.append(connection, appraisal_appeal_decisions, decided):
        raise Conflict("It is decided already.", "已作出裁定。")
    if given.upheld:
        await publishing.restate(
            connection,
            row,
            cause=RevisionCause.APPEAL,
            by=principal.subject,
            at=now,
            now=now,
        )
    return await history(
        connection, await publishing.reloaded(connection, branch_id, appraisal_id), now=now
    )


def _check_value(rules: Any, row: RowMapping, item: str, given: AppealDecisionIn) -> None:
    faults: Sequence[Fault] = []
    if given.upheld and given.value is None:
        faults = [
            Fault("/value", "missing", "to uphold, say the item's value", "支持申诉须填写该项的值")
        ]
    elif given.value is not None:
        faults = computing.value_faults(rules, row, item, Fraction(given.value))
    if faults:
        raise Malformed(faults=faults)


async def correct(
    connection: AsyncConnection,
    branch_id: int,
    appraisal_id: str,
    given: CorrectionIn,
    *,
    principal: Principal,
    now: datetime,
) -> AppraisalHistory:
    """Correct a published card as the general manager; after its month is closed that is dated.

    Raises:
        OutsideWindow: it is not published yet: then an appeal is what moves it.

    """
    row = await _card(connection, branch_id, appraisal_id, None)
    if await _has_part(connection, row, principal):
        raise NoParty
    rules = await scorecards.show(connection, branch_id, row["scorecard_version"])
    due = showing.deadlines_by(rules, row)
    if row["published_at"] is None or now < due.decide_until:
        raise OutsideWindow(correct_from=due.decide_until.isoformat())
    if given.item not in computing.items_of(rules, row):
        raise Malformed(
            faults=[Fault("/item", "unknown-item", "the card has no such item", "没有此考核项")]
        )
    faults = computing.value_faults(rules, row, given.item, Fraction(given.value))
    if faults:
        raise Malformed(faults=faults)
    dated_in = period_of(now)
    number = len(await store.corrections(connection, branch_id, appraisal_id)) + 1
    corrected = {
        "branch_id": branch_id,
        "appraisal_id": appraisal_id,
        "number": number,
        "item": given.item,
        "value": given.value,
        "reason": given.reason,
        "by": principal.subject,
        "at": now,
        "dated_in": dated_in,
    }
    await store.append(connection, appraisal_corrections, corrected)
    await publishing.restate(
        connection,
        row,
        cause=RevisionCause.CORRECTION,
        by=principal.subject,
        at=now,
        now=now,
        corrected_in=dated_in if now >= due.close_at else None,
    )
    return await history(
        connection, await publishing.reloaded(connection, branch_id, appraisal_id), now=now
    )


async def history(
    connection: AsyncConnection, row: RowMapping, *, now: datetime
) -> AppraisalHistory:
    """Return everything that happened to a card."""
    branch_id, appraisal_id = row["branch_id"], row["appraisal_id"]
    due = await showing.deadlines_of(connection, row)
    revisions = await store.revisions(connection, branch_id, appraisal_id)
    return AppraisalHistory(
        appraisal=await showing.render(connection, row, now=now),
        revisions=[
            Revision.model_validate(dict(one) | {"score": showing.points(one["score_hundredths"])})
            for one in revisions
        ],
        appeals=[
            Appeal.model_validate(
                dict(one)
                | {
                    "decide_until": due.decide_until,
                    "answer": _of(one, "answer_", AppealAnswer),
                    "decision": _of(one, "decision_", AppealDecision),
                    "lapsed": one["decision_at"] is None and now >= due.decide_until,
                }
            )
            for one in await store.appeals(connection, branch_id, [appraisal_id])
        ],
        corrections=[
            Correction.model_validate(dict(one))
            for one in await store.corrections(connection, branch_id, appraisal_id)
        ],
    )


def _of(row: RowMapping, prefix: str, wire: Any) -> Any:
    if row[f"{prefix}at"] is None:
        return None
    return wire.model_validate(
        {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}
    )


def _key(branch_id: int, appraisal_id: str, item: str) -> dict[str, Any]:
    return {"branch_id": branch_id, "appraisal_id": appraisal_id, "item": item}


async def _card(
    connection: AsyncConnection,
    branch_id: int,
    appraisal_id: str,
    principal: Principal | None,
) -> RowMapping:
    """Return a horizontal or final card, locked; to its parties, or to whoever decides."""
    row = await store.load(connection, branch_id, appraisal_id)
    hidden = row is None or (principal is not None and not handlers.may_see(principal, row))
    if hidden or row is None or row["kind"] == AppraisalKind.REVERSE:
        raise NotFound
    return row


async def _appeal(connection: AsyncConnection, row: RowMapping, item: str) -> RowMapping:
    rows = await store.appeals(connection, row["branch_id"], [row["appraisal_id"]])
    made = next((one for one in rows if one["item"] == item), None)
    if made is None:
        raise NotFound
    return made


async def _deciding_unit(
    connection: AsyncConnection, row: RowMapping, principal: Principal
) -> str | None:
    """Return the support centre if it is its caller's to decide; None for the general manager.

    Raises:
        Forbidden: it is another's.

    """
    kinds = await store.kinds(connection, row["branch_id"])
    support = [one for one, kind in kinds.items() if kind == CentreKind.SUPPORT]
    parties = {row["rater_centre_id"], row["ratee_centre_id"]}
    if not support or parties.intersection(support):
        if Role.COUNTY_MANAGER in principal.roles and principal.centre_ids is None:
            return None
        raise Forbidden
    unit = next((one for one in sorted(support) if principal.may_see(one)), None)
    if Role.SUPPORT_CENTRE not in principal.roles or unit is None:
        raise Forbidden
    return unit


async def _has_part(connection: AsyncConnection, row: RowMapping, principal: Principal) -> bool:
    """Say whether a caller belongs to either side of a card, in whatever role they come."""
    if principal.person_id is None:
        return False
    if principal.person_id == row["person_id"]:
        return True
    parties = {row["rater_centre_id"], row["ratee_centre_id"]}
    for centre_id in parties:
        if centre_id is not None and await is_posted(
            connection, row["branch_id"], principal.person_id, centre_id
        ):
            return True
    return False
