"""Service levels of ordinary lines: by when the customer hears from us, by when the work is done.

``SERVICE_LEVELS`` is what a county begins with, one row for each kind of work and class of customer;
``domain/level_table.py`` makes version 0 of it, with leased circuits and patrols.
The clock runs from dispatch in natural hours; a first contact may be counted in window hours, those
between 08:00 and 20:00.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from huaxiao.shared.wire.dispatch import CustomerClass, OrderKind


@dataclass(frozen=True, slots=True)
class Contact:
    """By when the customer hears from the engineer, counted from dispatch."""

    after: timedelta
    in_window: bool = False
    """Only hours between 08:00 and 20:00 count."""


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """What one class of customers is promised for one kind of work."""

    kind: OrderKind
    customer_class: CustomerClass
    contact_in_town: Contact
    contact_in_country: Contact
    hours_in_town: int
    hours_in_country: int
    limit_in_town: int
    """Hours after which it is not late but a breach."""
    limit_in_country: int


def _minutes(minutes: int) -> Contact:
    return Contact(timedelta(minutes=minutes))


def _window_hours(hours: int) -> Contact:
    return Contact(timedelta(hours=hours), in_window=True)


def _levels(
    kinds: Sequence[OrderKind],
    customer_class: CustomerClass,
    contact: tuple[Contact, Contact],
    hours: tuple[int, int],
    limit: tuple[int, int],
) -> list[ServiceLevel]:
    return [ServiceLevel(one, customer_class, *contact, *hours, *limit) for one in kinds]


_OPENING = (OrderKind.INSTALL, OrderKind.MOVE)
_PUBLIC, _SMALL, _KEY = (
    CustomerClass.PUBLIC,
    CustomerClass.SMALL_BUSINESS,
    CustomerClass.KEY,
)
_TWO_WINDOW_HOURS = (_window_hours(2), _window_hours(2))
SERVICE_LEVELS: tuple[ServiceLevel, ...] = (
    *_levels(_OPENING, _PUBLIC, (_window_hours(2), _window_hours(4)), (24, 48), (48, 72)),
    *_levels(_OPENING, _SMALL, (_window_hours(1), _window_hours(1)), (24, 36), (48, 72)),
    *_levels(_OPENING, _KEY, (_minutes(30), _minutes(30)), (24, 24), (36, 48)),
    *_levels([OrderKind.REPAIR], _PUBLIC, (_window_hours(1), _window_hours(1)), (24, 36), (48, 72)),
    *_levels([OrderKind.REPAIR], _SMALL, (_minutes(30), _minutes(30)), (12, 24), (24, 36)),
    *_levels([OrderKind.REPAIR], _KEY, (_minutes(15), _minutes(15)), (4, 6), (8, 12)),
    *(
        level
        for one in CustomerClass
        for level in _levels(
            [OrderKind.DISMANTLE],
            one,
            (_window_hours(8), _window_hours(8)),
            (72, 120),
            (168, 168),
        )
    ),
    *(
        level
        for one in (_PUBLIC, _SMALL)
        for level in _levels([OrderKind.CHECK], one, _TWO_WINDOW_HOURS, (24, 48), (48, 72))
    ),
    *_levels([OrderKind.CHECK], _KEY, _TWO_WINDOW_HOURS, (8, 24), (24, 36)),
    *(
        level
        for one in CustomerClass
        for kind, contact, hours, limit in (
            (OrderKind.COMMISSIONING, 2, (7 * 24, 10 * 24), (14 * 24, 21 * 24)),
            (OrderKind.CONSTRUCTION, 4, (21 * 24, 28 * 24), (42 * 24, 63 * 24)),
        )
        for level in _levels(
            [kind], one, (_window_hours(contact), _window_hours(contact)), hours, limit
        )
    ),
)
"""Patrols have no row: they follow a cycle, not a request."""
