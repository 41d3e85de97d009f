"""The history of measures: load what changed after a moment, and render it."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county import store as county_store
from huaxiao.kpi.domain.definitions import unit_of
from huaxiao.kpi.measures import store
from huaxiao.kpi.moments import MomentToCome
from huaxiao.shared.periods import FIRST_PERIOD, LAST_PERIOD
from huaxiao.shared.problems import Problem
from huaxiao.shared.wire.kpi_history import MeasureChange, Restatement

_CHANGES_SHOWN = 100


class MomentsOutOfOrder(Problem):
    """The later of two moments is named first."""

    code = "moments-out-of-order"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "The second moment lies before the first"
    title_zh = "后一时点早于前一时点"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which measures are compared, between which moments."""

    since: datetime
    until: datetime | None
    period: int | None
    centre_ids: frozenset[str] | None
    """The centres the caller may see; None is all of them."""
    centre_id: str | None
    measure: str | None


async def restatements(
    connection: AsyncConnection,
    branch_id: int,
    asked: Asked,
    *,
    after: store.Key | None,
    limit: int,
    now: datetime,
) -> list[Restatement]:
    """Return the measures that changed between two moments, and what changed them.

    Raises:
        MomentToCome: one of them has not come yet.
        MomentsOutOfOrder: the second lies before the first.

    """
    until = asked.until
    if max(asked.since, until or asked.since) > now:
        raise MomentToCome
    if until is not None and until < asked.since:
        raise MomentsOutOfOrder
    await county_store.require_branch(connection, branch_id)
    rows = await store.restated_page(
        connection,
        branch_id,
        since=asked.since,
        until=until,
        first=asked.period or FIRST_PERIOD,
        last=asked.period or LAST_PERIOD,
        centre_ids=asked.centre_ids,
        centre_id=asked.centre_id,
        measure=asked.measure,
        after=after,
        limit=limit,
    )
    if not rows:
        return []
    keys = [(row["centre_id"], row["period"], row["measure"]) for row in rows]
    changes = await store.changes_of(
        connection, branch_id, keys, since=asked.since, until=until, most=_CHANGES_SHOWN
    )
    closed_through = await county_store.closed_through(connection, branch_id, asked.since)
    return [
        Restatement(
            centre_id=row["centre_id"],
            period=row["period"],
            measure=row["measure"],
            unit=unit_of(row["measure"]),
            amount_before=row["before"] if row["was_known"] else None,
            amount=row["before"] + row["change"],
            change=row["change"],
            period_was_closed=row["period"] <= closed_through,
            changes=[MeasureChange.model_validate(dict(one)) for one in changes[key]],
            changes_omitted=row["changes"] - len(changes[key]),
        )
        for row, key in zip(rows, keys, strict=True)
    ]
