"""Service levels: how long work may take, in natural hours from dispatch."""

from datetime import datetime, time, timedelta

from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.wire.dispatch import CustomerClass, OrderKind

_OPENS, _CLOSES = time(8), time(20)
_OPENING = {
    CustomerClass.PUBLIC: (24, 48),
    CustomerClass.SMALL_BUSINESS: (24, 36),
    CustomerClass.KEY: (24, 24),
}
TARGET_HOURS: dict[OrderKind, dict[CustomerClass, tuple[int, int]]] = {
    OrderKind.INSTALL: _OPENING,
    OrderKind.MOVE: _OPENING,
    OrderKind.REPAIR: {
        CustomerClass.PUBLIC: (24, 36),
        CustomerClass.SMALL_BUSINESS: (12, 24),
        CustomerClass.KEY: (4, 6),
    },
}
"""Hours in town and in the country; other kinds have no target."""


def due_at(
    kind: OrderKind, customer_class: CustomerClass, *, rural: bool, dispatched_at: datetime
) -> datetime | None:
    """Return when the work must be done, or None where no level is set."""
    targets = TARGET_HOURS.get(kind)
    if targets is None:
        return None
    town, country = targets[customer_class]
    return dispatched_at + timedelta(hours=country if rural else town)


def first_contact_due(
    kind: OrderKind, customer_class: CustomerClass, dispatched_at: datetime
) -> datetime | None:
    """Return by when an enterprise customer must hear from the engineer."""
    if kind in {OrderKind.INSTALL, OrderKind.MOVE}:
        if customer_class is CustomerClass.KEY:
            return dispatched_at + timedelta(minutes=30)
        if customer_class is CustomerClass.SMALL_BUSINESS:
            return _one_window_hour_after(dispatched_at)
    if kind is OrderKind.REPAIR and customer_class is not CustomerClass.PUBLIC:
        minutes = 15 if customer_class is CustomerClass.KEY else 30
        return dispatched_at + timedelta(minutes=minutes)
    return None


def _one_window_hour_after(moment: datetime) -> datetime:
    start = moment.astimezone(BUSINESS_ZONE)
    if start.time() >= _CLOSES:
        start = datetime.combine(start.date() + timedelta(days=1), _OPENS, BUSINESS_ZONE)
    elif start.time() < _OPENS:
        start = datetime.combine(start.date(), _OPENS, BUSINESS_ZONE)
    closes = datetime.combine(start.date(), _CLOSES, BUSINESS_ZONE)
    hour = timedelta(hours=1)
    if start + hour <= closes:
        return start + hour
    rest = hour - (closes - start)
    return datetime.combine(start.date() + timedelta(days=1), _OPENS, BUSINESS_ZONE) + rest
