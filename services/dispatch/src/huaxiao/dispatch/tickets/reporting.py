"""The report on a period's tickets."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.domain.ticket_report import report_lines
from huaxiao.dispatch.tickets import store
from huaxiao.dispatch.tickets.histories import records
from huaxiao.shared.auth import Principal
from huaxiao.shared.periods import Period, ends_at, starts_at
from huaxiao.shared.wire.tickets import TicketReport, TicketReportLine, Unit

_INSTANT = timedelta(microseconds=1)


async def report(
    connection: AsyncConnection,
    branch_id: int,
    period: int,
    *,
    principal: Principal,
    now: datetime,
) -> TicketReport:
    """Count what the caller may see of a period's tickets, as it stood at its end or stands now."""
    since = starts_at(Period(period))
    # What happened this very moment is part of what stands now.
    until = min(ends_at(Period(period)), now + _INSTANT)
    rows = await store.bearing_on(
        connection, branch_id, since=since, until=until, principal=principal
    )
    histories = await records(connection, branch_id, rows)
    categories = [row["category"] for row in rows]
    lines = report_lines(zip(categories, histories, strict=True), since=since, until=until)
    return TicketReport(
        period=period,
        as_of=min(until, now),
        lines=[
            TicketReportLine(
                category=category,
                owner=Unit(kind=kind, centre_id=centre_id),
                raised=line.raised,
                closed=line.closed,
                closed_on_time=line.closed_on_time,
                overdue_open=line.overdue_open,
                forced_closures=line.forced_closures,
                median_first_reply_seconds=(
                    None
                    if line.median_first_reply is None
                    else int(line.median_first_reply.total_seconds())
                ),
            )
            for (category, kind, centre_id), line in sorted(
                lines.items(), key=lambda one: (one[0][0], one[0][1], one[0][2] or "")
            )
        ],
    )
