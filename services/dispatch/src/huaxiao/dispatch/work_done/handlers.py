"""Work done: counted and averaged as it was known at a moment."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals import showing
from huaxiao.dispatch.appraisals import store as appraisal_store
from huaxiao.dispatch.domain.calendar import Appealed, settled_at
from huaxiao.dispatch.domain.scorecard import mean, rounded
from huaxiao.dispatch.work_done import store
from huaxiao.shared.periods import Period
from huaxiao.shared.spans import span_of
from huaxiao.shared.wire.dispatch import (
    AppraisalKind,
    CentreScore,
    WorkDone,
)


async def show(
    connection: AsyncConnection,
    branch_id: int,
    span: tuple[int, int],
    centre_ids: AbstractSet[str] | None,
    *,
    known_at: datetime,
) -> WorkDone:
    """Return the work of some months, both ends included, as known at a moment.

    Raises:
        BadSpan: they end before they begin, or are more than ten years.

    """
    first, last = span_of(*span)
    orders = await store.finished(connection, branch_id, (first, last), centre_ids, known_at)
    rows = await store.cards(connection, branch_id, (first, last), centre_ids, known_at)
    said = defaultdict[str, list[Appealed]](list)
    for appeal in await appraisal_store.appeals(
        connection, branch_id, [row["appraisal_id"] for row in rows]
    ):
        said[appeal["appraisal_id"]].append(Appealed(appeal["at"], appeal["decision_at"]))
    cards: dict[AppraisalKind, dict[tuple[Period, str], list[tuple[str, Fraction]]]]
    cards = defaultdict(lambda: defaultdict(list))
    for row in rows:
        settled = settled_at(
            await showing.deadlines_of(connection, row),
            # A later confirmation was not known then; the silence before it may have been.
            confirmed_at=row["confirmed_at"] if row["confirmed_before"] else None,
            appeals=said[row["appraisal_id"]],
            now=known_at,
        )
        if settled is not None and row["exact_score"] is not None:
            cards[row["kind"]][Period(row["period"]), row["ratee_centre_id"]].append(
                (row["appraisal_id"], Fraction(row["exact_score"]))
            )
    return WorkDone(
        known_at=known_at,
        orders=orders,
        scores=_scores(cards[AppraisalKind.HORIZONTAL]),
        reverse_scores=_scores(cards[AppraisalKind.REVERSE]),
    )


def _scores(
    cards: Mapping[tuple[Period, str], Sequence[tuple[str, Fraction]]],
) -> list[CentreScore]:
    return [
        CentreScore(
            period=period,
            centre_id=centre_id,
            score=_score([score for _, score in given]),
            appraisal_ids=[appraisal_id for appraisal_id, _ in given],
        )
        for (period, centre_id), given in sorted(cards.items())
    ]


def _score(scores: list[Fraction]) -> Decimal:
    score = mean(scores)
    assert score is not None  # noqa: S101 - there is at least one card
    return rounded(score)
