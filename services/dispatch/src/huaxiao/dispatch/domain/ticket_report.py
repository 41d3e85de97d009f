"""What became of tickets in a time span, by category and owing unit, as it stood at its end (R18)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from huaxiao.dispatch.domain.tickets import FORCE_CLOSE, RAISE, TicketRecord
from huaxiao.shared.wire.tickets import TimerName, Unit, UnitKind


@dataclass(slots=True)
class ReportLine:
    """Counts of one category's tickets that one unit owes."""

    raised: int = 0
    closed: int = 0
    closed_on_time: int = 0
    overdue_open: int = 0
    forced_closures: int = 0
    first_replies: list[timedelta] = field(default_factory=list)
    """Working hours until the first reply, of those given in the span."""

    @property
    def median_first_reply(self) -> timedelta | None:
        """Return the median of the first replies, or None without any."""
        seconds = [one.total_seconds() for one in self.first_replies]
        return timedelta(seconds=median(seconds)) if seconds else None


Key = tuple[str, UnitKind, str | None]


def report_lines(
    tickets: Iterable[tuple[str, TicketRecord]], *, since: datetime, until: datetime
) -> dict[Key, ReportLine]:
    """Count tickets, each with its category, over ``[since, until)``.

    A ticket counts with the unit that owed it at the end of the span.
    """
    lines: dict[Key, ReportLine] = defaultdict(ReportLine)
    for category, whole in tickets:
        record = whole.as_of(until)
        if record is None:
            continue
        line = ReportLine()
        within = [one for one in record.history if one.at >= since]
        line.raised = sum(one.step == RAISE for one in within)
        line.forced_closures = sum(one.step == FORCE_CLOSE for one in within)
        closed_at = record.closed_at()
        if closed_at is None:
            target = record.target_at()
            line.overdue_open = int(target is not None and target < until)
        elif closed_at >= since:
            line.closed = 1
            line.closed_on_time = int(record.on_time())
        reply = record.first_reply_at
        reading = record.reading(TimerName.FIRST_REPLY, now=until)
        if reply is not None and reply >= since and reading is not None:
            line.first_replies.append(reading.used)
        if line != ReportLine():
            _add(lines[_key(category, record.last.owner)], line)
    return dict(lines)


def _key(category: str, owner: Unit) -> Key:
    return category, owner.kind, owner.centre_id


def _add(total: ReportLine, line: ReportLine) -> None:
    total.raised += line.raised
    total.closed += line.closed
    total.closed_on_time += line.closed_on_time
    total.overdue_open += line.overdue_open
    total.forced_closures += line.forced_closures
    total.first_replies += line.first_replies
