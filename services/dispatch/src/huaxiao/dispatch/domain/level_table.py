"""The service levels in force: which row judges an order, and the table a county begins with."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from huaxiao.dispatch.domain import service_level
from huaxiao.dispatch.domain.business_time import Counting, after
from huaxiao.shared.problems import Fault
from huaxiao.shared.wire.dispatch import CustomerClass, OrderKind
from huaxiao.shared.wire.service_levels import (
    GRADES,
    AssetGrade,
    AssetKind,
    Cycle,
    LevelOfArea,
    Line,
    PatrolLevel,
    ServiceLevelRow,
    ServiceLevelsIn,
    Span,
    TimeUnit,
)

_COUNTING = {
    TimeUnit.MINUTES: Counting.NATURAL,
    TimeUnit.HOURS: Counting.NATURAL,
    TimeUnit.WINDOW_HOURS: Counting.WINDOW,
    TimeUnit.WORKING_DAYS: Counting.WORKING,
}
_LENGTH = {
    TimeUnit.MINUTES: timedelta(minutes=1),
    TimeUnit.HOURS: timedelta(hours=1),
    TimeUnit.WINDOW_HOURS: timedelta(hours=1),
    TimeUnit.WORKING_DAYS: timedelta(days=1),
}


@dataclass(frozen=True, slots=True)
class Work:
    """What a row of the table is looked up by."""

    kind: OrderKind
    customer_class: CustomerClass
    line: Line = Line.ORDINARY
    build_needed: bool = False


def counting_of(unit: TimeUnit) -> Counting:
    """Return which time counts in a unit."""
    return _COUNTING[unit]


def length_of(span: Span) -> timedelta:
    """Return how much counted time a span is; a working day is a day of it."""
    return span.amount * _LENGTH[span.unit]


def ends_at(span: Span, moment: datetime) -> datetime:
    """Return when a span that begins at a moment is over."""
    return after(counting_of(span.unit), moment, length_of(span))


def level_of(rows: Sequence[ServiceLevelRow], work: Work, *, rural: bool) -> LevelOfArea | None:
    """Return the level that judges some work, or None where none is set.

    Work on a circuit that has no row of its own is judged as on an ordinary line.
    """
    held = {(one.kind, one.customer_class, one.line, one.build_needed): one for one in rows}
    found = held.get((work.kind, work.customer_class, work.line, work.build_needed)) or held.get(
        (work.kind, work.customer_class, Line.ORDINARY, False)
    )
    if found is None:
        return None
    return found.rural if rural else found.town


def first_contact_due(work: Work, dispatched_at: datetime, *, rural: bool) -> datetime | None:
    """Return by when the customer must hear from the engineer by the table a county begins with.

    None where that sets no level.
    """
    level = level_of(DEFAULT_TABLE.levels, work, rural=rural)
    if level is None or level.first_contact is None:
        return None
    return ends_at(level.first_contact, dispatched_at)


def patrol_level(
    patrols: Sequence[PatrolLevel], kind: AssetKind, grade: AssetGrade
) -> PatrolLevel | None:
    """Return on which cycle assets of a kind and grade are patrolled."""
    return next((one for one in patrols if (one.asset_kind, one.grade) == (kind, grade)), None)


def table_faults(given: ServiceLevelsIn) -> Iterator[Fault]:
    """Yield what is wrong with a version of the service levels."""
    rows = Counter(
        (one.kind, one.customer_class, one.line, one.build_needed) for one in given.levels
    )
    for index, one in enumerate(given.levels):
        pointer = f"/levels/{index}"
        if rows[one.kind, one.customer_class, one.line, one.build_needed] > 1:
            yield Fault(pointer, "repeated", "this row comes twice", "该行重复")
        if one.kind is OrderKind.PATROL:
            yield Fault(f"{pointer}/kind", "patrol", "patrols follow a cycle", "巡检按周期")
        for name, area in (("town", one.town), ("rural", one.rural)):
            yield from _area_faults(f"{pointer}/{name}", area)
    ordinary = {
        (one.kind, one.customer_class)
        for one in given.levels
        if one.line is Line.ORDINARY and not one.build_needed
    }
    missing = [
        (kind, customer_class)
        for kind in OrderKind
        for customer_class in CustomerClass
        if kind is not OrderKind.PATROL and (kind, customer_class) not in ordinary
    ]
    for kind, customer_class in missing:
        yield Fault("/levels", "missing", f"no row for {kind} {customer_class}", "缺少工单时限")
    yield from _patrol_faults(given)


def _patrol_faults(given: ServiceLevelsIn) -> Iterator[Fault]:
    patrols = Counter((one.asset_kind, one.grade) for one in given.patrols)
    for index, patrol in enumerate(given.patrols):
        pointer = f"/patrols/{index}"
        if patrols[patrol.asset_kind, patrol.grade] > 1:
            yield Fault(pointer, "repeated", "this row comes twice", "该行重复")
        if patrol.grade not in GRADES[patrol.asset_kind]:
            yield Fault(
                f"{pointer}/grade", "grade", "not of this kind of asset", "该类资产无此等级"
            )
        yield from cycle_faults(f"{pointer}/cycle", patrol.cycle)
    for asset_kind, grades in GRADES.items():
        for grade in sorted(grades - {one.grade for one in given.patrols}):
            yield Fault("/patrols", "missing", f"no cycle for {asset_kind} {grade}", "缺少巡检周期")


def cycle_faults(pointer: str, cycle: Cycle) -> Iterator[Fault]:
    """Yield what is wrong with a cycle."""
    if (cycle.every == "days") != (cycle.days is not None):
        yield Fault(
            f"{pointer}/days", "days", "of a cycle in days, and of no other", "仅按天周期填写天数"
        )


def _area_faults(pointer: str, area: LevelOfArea) -> Iterator[Fault]:
    if counting_of(area.limit.unit) is not counting_of(area.target.unit):
        yield Fault(
            f"{pointer}/limit/unit",
            "unit",
            "not counted as the target is",
            "计时方式与目标时限不同",
        )
    elif length_of(area.limit) <= length_of(area.target):
        yield Fault(f"{pointer}/limit", "limit", "not behind the target", "上限须晚于目标时限")


# --- what a county begins with -------------------------------------------------------------------


def _span(amount: int, unit: TimeUnit = TimeUnit.HOURS) -> Span:
    return Span(amount=amount, unit=unit)


def _contact(contact: service_level.Contact) -> Span:
    minutes = contact.after // timedelta(minutes=1)
    if contact.in_window:
        return _span(minutes // 60, TimeUnit.WINDOW_HOURS)
    return _span(minutes, TimeUnit.MINUTES)


def _ordinary(level: service_level.ServiceLevel) -> ServiceLevelRow:
    return ServiceLevelRow(
        kind=level.kind,
        customer_class=level.customer_class,
        town=LevelOfArea(
            first_contact=_contact(level.contact_in_town),
            target=_span(level.hours_in_town),
            limit=_span(level.limit_in_town),
        ),
        rural=LevelOfArea(
            first_contact=_contact(level.contact_in_country),
            target=_span(level.hours_in_country),
            limit=_span(level.limit_in_country),
        ),
    )


def _circuit(
    kind: OrderKind,
    customer_class: CustomerClass,
    line: Line,
    contact: Span,
    targets: tuple[Span, Span],
    limits: tuple[Span, Span],
    *,
    build_needed: bool = False,
) -> ServiceLevelRow:
    town, rural = (
        LevelOfArea(first_contact=contact, target=target, limit=limit)
        for target, limit in zip(targets, limits, strict=True)
    )
    return ServiceLevelRow(
        kind=kind,
        customer_class=customer_class,
        line=line,
        build_needed=build_needed,
        town=town,
        rural=rural,
    )


def _both(in_town: int, in_country: int, unit: TimeUnit = TimeUnit.HOURS) -> tuple[Span, Span]:
    return _span(in_town, unit), _span(in_country, unit)


_CIRCUITS = (Line.CIRCUIT_AAA, Line.CIRCUIT_AA, Line.CIRCUIT_STANDARD)
_DAYS = TimeUnit.WORKING_DAYS
_OPENED = [
    _circuit(
        kind,
        customer_class,
        line,
        _span(4 if build_needed else 2, TimeUnit.WINDOW_HOURS),
        _both(15, 20, _DAYS) if build_needed else _both(5, 7, _DAYS),
        _both(30, 45, _DAYS) if build_needed else _both(10, 15, _DAYS),
        build_needed=build_needed,
    )
    for kind in (OrderKind.INSTALL, OrderKind.MOVE)
    for customer_class in (CustomerClass.KEY, CustomerClass.SMALL_BUSINESS)
    for line in _CIRCUITS
    for build_needed in (False, True)
]
_REPAIRED = [
    _circuit(
        OrderKind.REPAIR,
        CustomerClass.KEY,
        line,
        _span(minutes, TimeUnit.MINUTES),
        _both(*targets),
        _both(*limits),
    )
    for line, minutes, targets, limits in (
        (Line.CIRCUIT_AAA, 10, (2, 4), (4, 6)),
        (Line.CIRCUIT_AA, 15, (4, 6), (8, 10)),
        (Line.CIRCUIT_STANDARD, 30, (8, 12), (24, 36)),
    )
]
_MONTHLY = {AssetGrade.KEY, AssetGrade.CORE, AssetGrade.AAA}
DEFAULT_TABLE = ServiceLevelsIn(
    name_zh="县分公司服务时限（套件默认）",
    levels=[*map(_ordinary, service_level.SERVICE_LEVELS), *_OPENED, *_REPAIRED],
    patrols=[
        PatrolLevel(
            asset_kind=kind,
            grade=grade,
            cycle=Cycle(every="month" if grade in _MONTHLY else "quarter"),
        )
        for kind, grades in GRADES.items()
        for grade in sorted(grades)
    ],
)
"""Version 0: in force until a county puts a table of its own in force."""
