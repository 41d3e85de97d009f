"""SQL of the fairness views."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.tables import (
    appraisal_appeal_decisions,
    appraisal_appeals,
    appraisals,
    reverse_votes,
)


async def cards(
    connection: AsyncConnection, branch_id: int, span: tuple[int, int]
) -> Sequence[RowMapping]:
    """Return the cards of some months."""
    rows = await connection.execute(
        select(appraisals)
        .where(appraisals.c.branch_id == branch_id, appraisals.c.period.between(*span))
        .order_by(appraisals.c.period, appraisals.c.appraisal_id)
    )
    return rows.mappings().all()


async def votes(
    connection: AsyncConnection, branch_id: int, span: tuple[int, int]
) -> Sequence[RowMapping]:
    """Return the votes of some months."""
    rows = await connection.execute(
        select(reverse_votes)
        .where(reverse_votes.c.branch_id == branch_id, reverse_votes.c.period.between(*span))
        .order_by(
            reverse_votes.c.period, reverse_votes.c.ratee_centre_id, reverse_votes.c.centre_id
        )
    )
    return rows.mappings().all()


async def decisions(
    connection: AsyncConnection, branch_id: int, span: tuple[int, int]
) -> Sequence[RowMapping]:
    """Return the appeals of some months that were decided, with the cards they were about."""
    decided, said = appraisal_appeal_decisions, appraisal_appeals
    rows = await connection.execute(
        select(
            decided.c.upheld,
            decided.c.at,
            decided.c.centre_id,
            appraisals.c.period,
            appraisals.c.kind,
            appraisals.c.rater_centre_id,
            appraisals.c.ratee_centre_id,
            appraisals.c.person_id,
        )
        .select_from(
            decided.join(
                said,
                and_(
                    said.c.branch_id == decided.c.branch_id,
                    said.c.appraisal_id == decided.c.appraisal_id,
                    said.c.item == decided.c.item,
                ),
            ).join(
                appraisals,
                and_(
                    appraisals.c.branch_id == decided.c.branch_id,
                    appraisals.c.appraisal_id == decided.c.appraisal_id,
                ),
            )
        )
        .where(decided.c.branch_id == branch_id, appraisals.c.period.between(*span))
        .order_by(decided.c.at)
    )
    return rows.mappings().all()
