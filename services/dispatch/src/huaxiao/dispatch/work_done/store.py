"""SQL of work done."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import RowMapping, Subquery, and_, func, select, true
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals.showing import points
from huaxiao.dispatch.tables import appraisal_revisions, appraisals, order_steps, orders
from huaxiao.shared.database import within
from huaxiao.shared.periods import Period, ends_at, period_of, starts_at
from huaxiao.shared.wire.dispatch import (
    AppraisalKind,
    Area,
    FinishedOrder,
    FinishedWork,
    OrderKind,
    PublishedScore,
    StepName,
)

_OF_CARD = ("appraisal_id", "kind", "period", "ratee_centre_id", "person_id")


def _last_results(branch_id: int, span: tuple[Period, Period], known_at: datetime) -> Subquery:
    """Select of each order the last result since some month that was known at a moment."""
    return (
        select(
            order_steps.c.order_id,
            order_steps.c.step,
            order_steps.c.at,
            order_steps.c.centre_id,
            order_steps.c.engineer_id,
            order_steps.c.recorded_at,
            order_steps.c.due_at,
        )
        .where(
            order_steps.c.branch_id == branch_id,
            order_steps.c.step.in_([StepName.FINISH, StepName.REWORK]),
            order_steps.c.recorded_at <= known_at,
            # Steps follow each other in time: what lies before the months bears on none of them.
            order_steps.c.at >= starts_at(span[0]),
        )
        .ext(distinct_on(order_steps.c.order_id))
        .order_by(order_steps.c.order_id, order_steps.c.number.desc())
        .subquery()
    )


async def finished(
    connection: AsyncConnection,
    branch_id: int,
    span: tuple[Period, Period],
    centre_ids: AbstractSet[str] | None,
    known_at: datetime,
) -> list[FinishedWork]:
    """Count what was finished in some months, as was recorded by a moment.

    A result that was not accepted is finished anew, later: of each order the last that was known
    counts, and for the centre that had the order then.
    """
    # Business months are local: the day is counted where the county is.
    last = _last_results(branch_id, span, known_at)
    month = func.date_trunc("month", func.timezone("Asia/Shanghai", last.c.at))
    centre = func.coalesce(last.c.centre_id, orders.c.performer_centre_id)
    rows = await connection.execute(
        select(
            func.min(last.c.at).label("some_day"),
            centre.label("centre_id"),
            orders.c.kind,
            orders.c.rural,
            func.count().label("count"),
        )
        .select_from(
            last.join(
                orders,
                and_(orders.c.branch_id == branch_id, orders.c.order_id == last.c.order_id),
            )
        )
        .where(
            last.c.step == StepName.FINISH,
            last.c.at >= starts_at(span[0]),
            last.c.at < ends_at(span[1]),
            centre.is_not(None),
            within(centre, centre_ids),
        )
        .group_by(month, centre, orders.c.kind, orders.c.rural)
        .order_by(month, centre, orders.c.kind, orders.c.rural)
    )
    return [
        FinishedWork(
            period=period_of(row.some_day),
            centre_id=row.centre_id,
            kind=OrderKind(row.kind),
            area=Area.RURAL if row.rural else Area.TOWN,
            count=row.count,
        )
        for row in rows
    ]


async def finished_page(
    connection: AsyncConnection,
    branch_id: int,
    period: Period,
    *,
    centre_id: str | None,
    centre_ids: AbstractSet[str] | None,
    known_at: datetime,
    after: str,
    limit: int,
) -> list[FinishedOrder]:
    """Return the orders that were finished in a month, one by one, as was recorded by a moment."""
    last = _last_results(branch_id, (period, period), known_at)
    centre = func.coalesce(last.c.centre_id, orders.c.performer_centre_id)
    was_due_at = func.coalesce(last.c.due_at, orders.c.due_at).label("was_due_at")
    query = (
        select(last, centre.label("performer"), orders.c.kind, was_due_at)
        .select_from(
            last.join(
                orders,
                and_(orders.c.branch_id == branch_id, orders.c.order_id == last.c.order_id),
            )
        )
        .where(
            last.c.step == StepName.FINISH,
            last.c.at < ends_at(period),
            last.c.order_id > after,
            centre.is_not(None),
            within(centre, centre_ids),
        )
        .order_by(last.c.order_id)
        .limit(limit)
    )
    if centre_id is not None:
        query = query.where(centre == centre_id)
    return [
        FinishedOrder(
            order_id=row.order_id,
            kind=OrderKind(row.kind),
            centre_id=row.performer,
            engineer_id=row.engineer_id,
            period=period,
            finished_at=row.at,
            recorded_at=row.recorded_at,
            due_at=row.was_due_at,
            on_time=None if row.was_due_at is None else row.at <= row.was_due_at,
        )
        for row in await connection.execute(query)
    ]


def _revisions(branch_id: int, known_at: datetime) -> Subquery:
    """Select of each card the last revision that was recorded by a moment."""
    return (
        select(
            appraisal_revisions.c.appraisal_id,
            appraisal_revisions.c.number,
            appraisal_revisions.c.exact_score,
            appraisal_revisions.c.score_hundredths,
        )
        .where(
            appraisal_revisions.c.branch_id == branch_id,
            appraisal_revisions.c.recorded_at <= known_at,
        )
        .ext(distinct_on(appraisal_revisions.c.appraisal_id))
        .order_by(appraisal_revisions.c.appraisal_id, appraisal_revisions.c.number.desc())
        .subquery()
    )


async def cards(
    connection: AsyncConnection,
    branch_id: int,
    span: tuple[Period, Period],
    centre_ids: AbstractSet[str] | None,
    known_at: datetime,
) -> Sequence[RowMapping]:
    """Return the cards of centres of some months, with the score each had at a moment."""
    revision = _revisions(branch_id, known_at)
    rows = await connection.execute(
        select(
            appraisals,
            revision.c.exact_score,
            (appraisals.c.confirmed_at <= known_at).label("confirmed_before"),
        )
        .select_from(
            appraisals.join(revision, revision.c.appraisal_id == appraisals.c.appraisal_id)
        )
        .where(
            appraisals.c.branch_id == branch_id,
            appraisals.c.kind.in_([AppraisalKind.HORIZONTAL, AppraisalKind.REVERSE]),
            appraisals.c.period.between(*span),
            within(appraisals.c.ratee_centre_id, centre_ids),
        )
        .order_by(appraisals.c.appraisal_id)
    )
    return rows.mappings().all()


async def published_page(
    connection: AsyncConnection,
    branch_id: int,
    period: Period,
    *,
    kind: AppraisalKind | None,
    centre_ids: AbstractSet[str] | None,
    known_at: datetime,
    after: str,
    limit: int,
) -> list[PublishedScore]:
    """Return the scores of a month's published cards, each as was told of it by a moment."""
    revision = _revisions(branch_id, known_at)
    told_at = func.coalesce(appraisals.c.told_at, appraisals.c.published_at)
    rows = await connection.execute(
        select(
            *(appraisals.c[name] for name in _OF_CARD),
            revision.c.number.label("revision"),
            revision.c.score_hundredths,
        )
        .select_from(
            appraisals.join(revision, revision.c.appraisal_id == appraisals.c.appraisal_id)
        )
        .where(
            appraisals.c.branch_id == branch_id,
            appraisals.c.period == period,
            true() if kind is None else appraisals.c.kind == kind,
            told_at <= known_at,
            revision.c.score_hundredths.is_not(None),
            appraisals.c.appraisal_id > after,
            within(appraisals.c.ratee_centre_id, centre_ids),
        )
        .order_by(appraisals.c.appraisal_id)
        .limit(limit)
    )
    return [
        PublishedScore.model_validate(dict(row) | {"score": points(row["score_hundredths"])})
        for row in rows.mappings()
    ]
