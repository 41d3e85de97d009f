"""What is held against a person of the negative list: its points come off their final card (R27)."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals import evidence, publishing, showing, store
from huaxiao.shared.periods import period_of
from huaxiao.shared.wire.appraisals import RevisionCause
from huaxiao.shared.wire.dispatch import AppraisalKind
from huaxiao.shared.wire.negative_list import ViolationDecided


async def hold(
    connection: AsyncConnection, branch_id: int, fact: ViolationDecided, *, told_at: datetime
) -> None:
    """Keep a violation as it was decided last, and restate the published cards of its persons.

    One decided after its month was closed is a correction, dated in the month it is told in.
    """
    row = {
        "branch_id": branch_id,
        "number": fact.number,
        "entry": fact.entry,
        "person_ids": fact.person_ids,
        "period": fact.period,
        "upheld": fact.upheld,
        "points": fact.points,
    }
    await store.put_violation(connection, row)
    if await evidence.frozen(connection, branch_id, fact.period) is None:
        return
    for card in await store.cards(connection, branch_id, AppraisalKind.FINAL, period=fact.period):
        if card["published_at"] is None or card["person_id"] not in fact.person_ids:
            continue
        due = await showing.deadlines_of(connection, card)
        await publishing.restate(
            connection,
            card,
            cause=RevisionCause.VIOLATION,
            by=f"{fact.entry}/{fact.number}",
            at=told_at,
            now=told_at,
            corrected_in=period_of(told_at) if told_at >= due.close_at else None,
        )
