"""Cards as the wire has them at a moment."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals import store
from huaxiao.dispatch.domain.calendar import Appealed, Deadlines, deadlines, settled_at
from huaxiao.dispatch.scorecards import handlers as scorecards
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.dispatch import Appraisal, AppraisalKind, AppraisalState
from huaxiao.shared.wire.scorecards import Scorecard


def points(hundredths: int | None) -> Decimal | None:
    """Return a score as people read it."""
    return None if hundredths is None else Decimal(hundredths).scaleb(-2)


async def deadlines_of(connection: AsyncConnection, row: Any) -> Deadlines:
    """Return until when what is done with a card."""
    rules = await scorecards.show(connection, row["branch_id"], row["scorecard_version"])
    return deadlines_by(rules, row)


def deadlines_by(rules: Scorecard, row: Any) -> Deadlines:
    """Return until when what is done with a card, by its scorecards."""
    return deadlines(Period(row["period"]), rules.calendar, submitted_at=row["made_at"])


def appealed(rows: Sequence[RowMapping]) -> list[Appealed]:
    """Return what appeals mean to a card's calendar."""
    return [Appealed(row["at"], row["decision_at"]) for row in rows]


async def render(connection: AsyncConnection, row: RowMapping, *, now: datetime) -> Appraisal:
    """Return a card as it stands at a moment."""
    (shown,) = await render_all(connection, row["branch_id"], [row], now=now)
    return shown


async def render_all(
    connection: AsyncConnection, branch_id: int, rows: Sequence[RowMapping], *, now: datetime
) -> list[Appraisal]:
    """Return cards as they stand at a moment."""
    versions = {row["scorecard_version"] for row in rows}
    rules = {one: await scorecards.show(connection, branch_id, one) for one in versions}
    said = defaultdict[str, list[RowMapping]](list)
    for appeal in await store.appeals(connection, branch_id, [row["appraisal_id"] for row in rows]):
        said[appeal["appraisal_id"]].append(appeal)
    return [
        _shown(
            row, deadlines_by(rules[row["scorecard_version"]], row), said[row["appraisal_id"]], now
        )
        for row in rows
    ]


def _shown(
    row: RowMapping, due: Deadlines, appeals: Sequence[RowMapping], now: datetime
) -> Appraisal:
    settled = settled_at(due, confirmed_at=row["confirmed_at"], appeals=appealed(appeals), now=now)
    if row["published_at"] is not None:
        closed = row["kind"] != AppraisalKind.REVERSE and now >= due.close_at
        state = AppraisalState.CLOSED if closed else AppraisalState.PUBLISHED
    elif settled is not None:
        state = AppraisalState.SETTLED
    elif any(one["decision_at"] is None for one in appeals):
        state = AppraisalState.APPEALED
    else:
        state = AppraisalState.ANSWERING
    return Appraisal.model_validate(
        dict(row)
        | {
            "score": points(row["score_hundredths"]),
            "confirmed": settled is not None,
            "state": state,
            "answer_until": due.answer_until,
            "decide_until": due.decide_until,
        }
    )
