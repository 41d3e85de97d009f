"""When work may begin, and from when engineers are free: what every part of planning asks."""

from collections.abc import Iterable
from dataclasses import dataclass

from huaxiao.dispatch.domain.planning.model import Break, Engineer, Order, Problem, Window
from huaxiao.dispatch.domain.planning.travel import Place

EVER = 1 << 40


def windows_of(order: Order) -> tuple[Window, ...]:
    """Return when an order may begin: its windows, cut by a hard deadline; sorted, none overlap."""
    last = order.deadline if order.deadline is not None and order.deadline_is_hard else EVER
    given = order.windows or (Window(0, EVER),)
    return cut(given, Window(-EVER, last))


def cut(windows: Iterable[Window], limit: Window) -> tuple[Window, ...]:
    """Return what of windows lies in another one, joined where they overlap."""
    found: list[Window] = []
    for one in sorted(windows):
        opens, closes = max(one.opens, limit.opens), min(one.closes, limit.closes)
        if closes < opens:
            continue
        if found and opens <= found[-1].closes:
            found[-1] = Window(found[-1].opens, max(found[-1].closes, closes))
        else:
            found.append(Window(opens, closes))
    return tuple(found)


def keeping_promise(order: Order) -> tuple[Window, ...]:
    """Return when an order may begin so that what the customer was told holds."""
    own = windows_of(order)
    return own if order.promise is None else cut(own, order.promise.window)


def soft_deadline(order: Order) -> int:
    """Return after which minute a start costs something."""
    return EVER if order.deadline is None or order.deadline_is_hard else order.deadline


@dataclass(frozen=True, slots=True)
class Freedom:
    """What is left of somebody's day behind the work that has started."""

    place: Place
    at: int
    closes: int
    """When the day ends; later than the shift where started work alone has it so."""
    breaks: tuple[Break, ...]
    """Those that still lie ahead."""
    started: tuple[tuple[int, Order], ...]
    """What has started and when, in order."""


def freedom_of(problem: Problem, engineer: Engineer) -> Freedom:
    """Return from when and where an engineer can be planned."""
    started = sorted(
        (
            (one.started.at, one.id, one)
            for one in problem.orders
            if one.started is not None and engineer.id in one.started.engineers
        ),
    )
    at = max(engineer.shift.opens, problem.now)
    place = engineer.start
    for began, _, order in started:
        at = max(at, began + order.minutes)
        place = order.place
    ahead = tuple(sorted(engineer.breaks, key=lambda one: (one.window, one.minutes)))
    ahead = tuple(one for one in ahead if one.window.closes >= at)
    ahead, ended = _that_fit(ahead, at, engineer.shift.closes)
    home = engineer.home
    way = 0 if home is None else problem.travel.minutes(place, home)
    return Freedom(
        place,
        at,
        max(engineer.shift.closes, ended + way),
        ahead,
        tuple((began, order) for began, _, order in started),
    )


def _that_fit(breaks: tuple[Break, ...], at: int, closes: int) -> tuple[tuple[Break, ...], int]:
    """Return the breaks that can be had one after another in the shift, and when they end."""
    fitting = []
    for one in breaks:
        begins = max(at, one.window.opens)
        if begins <= one.window.closes and begins + one.minutes <= closes:
            fitting.append(one)
            at = begins + one.minutes
    return tuple(fitting), at
