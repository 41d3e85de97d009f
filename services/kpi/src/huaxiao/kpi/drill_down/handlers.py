"""Drill-down: what is known here, what its owner sums it from, and whether both agree."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.county.store import require_branch
from huaxiao.kpi.domain.definitions import LINES_BILLED, PAYROLL_MEASURES, rule_of, unit_of
from huaxiao.kpi.drill_down.owners import Asked, Owners
from huaxiao.kpi.measures import store
from huaxiao.shared.pages import PageQuery
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.kpi_entries import MeasureEntries


async def entries(
    connection: AsyncConnection,
    owners: Owners,
    branch_id: int,
    key: tuple[str, Period, str],
    *,
    page: PageQuery,
    known_at: datetime | None,
    now: datetime,
) -> MeasureEntries:
    """Ask the owner for what a measure sums, as known at the moment named or last followed.

    Raises:
        NotFound: there is no such measure.
        OwnerRefused: the owner refused.
        Unavailable: the owner does not answer.

    """
    centre_id, period, measure = key
    await require_branch(connection, branch_id)
    rule = rule_of(measure)
    if rule is None:
        raise NotFound
    source = "/" + rule.source.partition(".")[0]
    moment = known_at or await store.last_known_at(connection, branch_id, source) or now
    figure = await store.amount_of(connection, branch_id, key, moment)
    asked = Asked(branch_id, centre_id, period, measure, moment)
    if measure in PAYROLL_MEASURES:
        found = await owners.payroll(asked, page)
    elif measure == LINES_BILLED:
        found = await owners.lines(asked, page)
    elif source == "/attribution":
        found = await owners.ledger(asked, page)
    else:
        found = await owners.work(asked, page)
    return MeasureEntries(
        centre_id=centre_id,
        period=period,
        measure=measure,
        unit=unit_of(measure),
        known_at=moment,
        owner=found.owner,
        figure=figure,
        owner_sum=found.total,
        difference=found.total - (figure or 0),
        items=found.items,
        next_cursor=found.next_cursor,
    )
