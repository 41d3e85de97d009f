"""The search for a good plan: ruin a part of it, put it together again, keep what pays.

Each round takes some strings of neighbouring stops out of a few routes (ruin), gives every order
without an engineer its cheapest place, now and then overlooking one (recreate with blinks), and keeps
the result if it costs less, or little more while it is early (annealing). The idea is known as SISR
(Christiaens and Vanden Berghe, "Slack Induction by String Removals", 2020).

What makes it quick:

- Each stop knows the latest start that leaves all later stops feasible, so that a place for an order
  is tried without walking the route.
- The cheapest place of an order in a route is remembered until that route changes; so the many orders
  that nobody can take cost nothing in most rounds.
- Only routes that a round touches are copied, and copied back when it did not pay.

What one visit may look like is chosen when it is put in, and is a window then: a promise is kept by
the windows cut to the promised time, or broken at its price; a crew comes together because all its
members have the same single minute for a window. So routes never depend on each other.

All functions are compiled by numba from this one file, whose change is what renews the kept code.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from huaxiao.dispatch.domain.planning.compiling import compiled

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

FAR = 1 << 40
"""Later than any time, dearer than any price."""
STRING = 10
"""The longest string that is taken out."""
SETTING_OUT = 10
"""Minutes that any order takes beside its work, when its worth is asked."""
HALF = 0.5
"""How often a string has a gap, and a break of a route that lost stops is moved."""
BY_WORTH, BY_PRICE, BY_DISTANCE, BY_NEARNESS = 0.25, 0.45, 0.55, 0.6
BY_WINDOW, BY_OPENING, BY_SIZE = 0.7, 0.75, 0.8
"""Up to which chance orders line up by the price of a minute of theirs, by their price, and so on;
beyond that at random."""


# Columns of Facts.work, by order and then by break.
MINUTES, DEADLINE, LATE, CREW, UNITS, LEFT_OUT, BROKEN, VARIANTS, REMOTENESS = range(9)
"""Of work; of its soft deadline and the price of a minute after it; how many do it; material; the
prices of leaving it out and of breaking its promise; 2 where a promise may be kept or broken, else 1;
how far it is from the nearest engineer who may do it."""
# Columns of Facts.engineers.
START, HOME, FREE, CLOSES_AT, CAPACITY, HELD, FIRST_BREAK, BREAKS, ALIKE = range(9)
"""Nodes of the way's ends; from when until when; room; minutes that have started; breaks; the first
engineer who differs in nothing."""
# Columns of Board.stops.
STOP, NODE, ONWARD, WAY, DEPARTS, LATEST, CALM = range(7)
"""An order or break; its place, a break's being the one before; the first place from here on that is
no break's, and the way to it from the place before; when it is left; the latest start that leaves the rest feasible; the latest start that
makes nothing later any more overdue."""
# Columns of Board.routes.
LENGTH, LOAD, FILLED, COST, STAMP = range(5)
"""Stops; minutes of work; material; the cost; a number that changes with the content."""
# Columns of Board.orders.
ROW, AGREED, EXTRA, ABSENT, ROUTE = range(5)
"""The window row it was put in with; the minute that a crew agreed on; what it costs apart from its
routes, being left out, its promise broken or a crew late; 1 while nobody does it; one who does it."""
# Columns of Board.known.
FOR_STAMP, AT_COST, AT_POSITION, AT_ROW = range(4)
"""For which content of the route; the cheapest place's cost, position and window row."""


class Facts(NamedTuple):
    """A problem as arrays. The first nodes of the travel matrix are the orders' places.

    Rows of windows: each order with its promise kept, each as it is, each for the minute that a crew
    agreed on, then the breaks. A row holds how many windows there are, then opens and closes of each.
    """

    travel: NDArray[np.int32]
    travel_to: NDArray[np.int32]
    """The same by destination."""
    work: Integers
    windows: Integers
    engineers: Integers
    assignment: Integers
    """By order and engineer: what it costs that this one does it; FAR: they may not."""
    neighbours: Integers
    """By order: the nearest others, nearest first."""
    price_travel: int
    price_unfair: int
    has_crews: bool
    """Somebody is needed together with somebody else."""


class Board(NamedTuple):
    """The routes as they are now. A route's row of stops: its start, its stops, its end."""

    stops: Integers
    routes: Integers
    orders: Integers
    known: Integers
    """By order and engineer: what is remembered of the cheapest place."""
    state: NDArray[np.uint64]
    """[0]: of the random numbers; [1]: the last stamp given."""


class Kept(NamedTuple):
    """A copy of a board, to go back to."""

    stops: Integers
    routes: Integers
    orders: Integers


class Scratch(NamedTuple):
    """Room that a round works in."""

    touched: Flags
    """By engineer: the route was kept in this round."""
    ruined: Flags
    waiting: Integers
    """The orders without an engineer."""
    keys: NDArray[np.float64]
    """By order: what they are sorted by."""
    costs: Integers
    """By engineer."""
    minutes: Integers
    idle: Integers
    """By the first engineer of those who differ in nothing: the first who has nothing to do, or -1."""


@compiled
def uniform(state: NDArray[np.uint64]) -> float:
    """Return a random number of [0, 1)."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def below(state: NDArray[np.uint64], limit: int) -> int:
    """Return a random integer of [0, limit)."""
    return int(uniform(state) * limit)


@compiled
def start_from(facts: Facts, row: int, at: int) -> int:
    """Return the first minute of a row's windows from a minute on, or FAR."""
    for number in range(facts.windows[row, 0]):
        if at <= facts.windows[row, 2 * number + 2]:
            return int(max(at, facts.windows[row, 2 * number + 1]))
    return FAR


@compiled
def start_until(facts: Facts, row: int, at: int) -> int:
    """Return the last minute of a row's windows up to a minute, or -FAR."""
    for number in range(facts.windows[row, 0] - 1, -1, -1):
        if at >= facts.windows[row, 2 * number + 1]:
            return int(min(at, facts.windows[row, 2 * number + 2]))
    return -FAR


@compiled
def row_of(board: Board, stop: int) -> int:
    """Return the window row of a stop: an order or a break."""
    orders = len(board.orders)
    return int(board.orders[stop, ROW]) if stop < orders else 2 * orders + stop


@compiled
def late_price(facts: Facts, stop: int, begin: int) -> int:
    """Return what a stop's start costs in its route; a crew is late once, not in every route."""
    if facts.work[stop, CREW] > 1 or begin <= facts.work[stop, DEADLINE]:
        return 0
    return int(facts.work[stop, LATE] * (begin - facts.work[stop, DEADLINE]))


@compiled
def unfairness(facts: Facts, minutes: int) -> int:
    """Return the price of so many minutes of work with one engineer."""
    return facts.price_unfair * minutes * minutes // 3600


@compiled
def refresh(facts: Facts, board: Board, e: int) -> int:
    """Work a route's times and cost out anew; return the first position that fails, or 0."""
    orders = len(board.orders)
    length = board.routes[e, LENGTH]
    load = facts.engineers[e, HELD]
    filled = 0
    travelled = 0
    cost = 0
    time = facts.engineers[e, FREE]
    place = facts.engineers[e, START]
    board.stops[e, 0, NODE] = place
    board.stops[e, 0, DEPARTS] = time
    for p in range(1, length + 1):
        stop = board.stops[e, p, STOP]
        if stop < orders:
            leg = facts.travel[place, stop]
            travelled += leg
            time += leg
            place = stop
            load += facts.work[stop, MINUTES]
            filled += facts.work[stop, UNITS]
            cost += facts.assignment[stop, e]
        begin = start_from(facts, row_of(board, stop), time)
        if begin == FAR:
            return p
        cost += late_price(facts, stop, begin)
        time = begin + facts.work[stop, MINUTES]
        board.stops[e, p, NODE] = place
        board.stops[e, p, DEPARTS] = time
    leg = facts.travel[place, facts.engineers[e, HOME]]
    if time + leg > facts.engineers[e, CLOSES_AT]:
        return int(max(length, 1))
    cost += facts.price_travel * (travelled + leg) + unfairness(facts, load)
    board.routes[e, LOAD] = load
    board.routes[e, FILLED] = filled
    board.routes[e, COST] = cost
    look_back(facts, board, e)
    board.state[1] += np.uint64(1)
    board.routes[e, STAMP] = np.int64(board.state[1])
    return 0


@compiled
def look_back(facts: Facts, board: Board, e: int) -> None:
    """Work out, from the end, the latest starts of a feasible route."""
    orders = len(board.orders)
    length = board.routes[e, LENGTH]
    ahead = facts.engineers[e, HOME]
    latest = facts.engineers[e, CLOSES_AT]
    calm = latest
    board.stops[e, length + 1, NODE] = ahead
    board.stops[e, length + 1, ONWARD] = ahead
    board.stops[e, length + 1, WAY] = facts.travel[board.stops[e, length, NODE], ahead]
    board.stops[e, length + 1, LATEST] = latest
    board.stops[e, length + 1, CALM] = calm
    for p in range(length, 0, -1):
        stop = board.stops[e, p, STOP]
        begin = board.stops[e, p, DEPARTS] - facts.work[stop, MINUTES]
        leg = 0
        if p == length or board.stops[e, p + 1, STOP] < orders:
            leg = facts.travel[board.stops[e, p, NODE], board.stops[e, p + 1, NODE]]
        row = row_of(board, stop)
        spent = facts.work[stop, MINUTES] + leg
        latest = start_until(facts, row, latest - spent)
        limit = calm - spent
        if stop < orders:
            ahead = stop
            if facts.work[stop, CREW] == 1:
                limit = min(limit, max(begin, facts.work[stop, DEADLINE]))
        calm = start_until(facts, row, limit)
        board.stops[e, p, LATEST] = latest
        board.stops[e, p, CALM] = calm
        board.stops[e, p, ONWARD] = ahead
        board.stops[e, p, WAY] = facts.travel[board.stops[e, p - 1, NODE], ahead]


@compiled
def later_price(facts: Facts, board: Board, e: int, p: int, time: int, place: int) -> int:
    """Return what is added when the route goes on from a place and time at a position."""
    orders = len(board.orders)
    added = 0
    for q in range(p, board.routes[e, LENGTH] + 1):
        stop = board.stops[e, q, STOP]
        if stop < orders:
            time += facts.travel[place, stop]
            place = stop
        begin = start_from(facts, row_of(board, stop), time)
        before = board.stops[e, q, DEPARTS] - facts.work[stop, MINUTES]
        if begin == before:
            break
        added += late_price(facts, stop, begin) - late_price(facts, stop, before)
        time = begin + facts.work[stop, MINUTES]
    return added


@compiled
def cheapest_place(  # noqa: C901 - the innermost loop
    facts: Facts, board: Board, o: int, e: int, row: int, base: int, skipped: int, limit: int
) -> tuple[int, int]:
    """Return cost and position of an order's cheapest place in a route, below a limit.

    ``base`` is what it costs wherever it stands; the position ``skipped`` is overlooked. The cost is
    FAR where there is none.
    """
    found = 0
    count = facts.windows[row, 0]
    if count == 0:
        return FAR, found
    stops = board.stops[e]
    leaving = facts.travel[o]
    arriving = facts.travel_to[o]
    first = facts.windows[row, 1]
    last = facts.windows[row, 2 * count]
    minutes = facts.work[o, MINUTES]
    best = limit
    for p in range(1, board.routes[e, LENGTH] + 2):
        departs = stops[p - 1, DEPARTS]
        if departs > last:
            break
        if stops[p, LATEST] < first + minutes or p == skipped:
            continue
        there = arriving[stops[p - 1, NODE]]
        on = leaving[stops[p, ONWARD]]
        cost = base + facts.price_travel * (there + on - stops[p, WAY])
        if cost >= best:
            continue
        begin = max(departs + there, first)
        if begin > last:
            continue
        if count > 1:
            begin = start_from(facts, row, begin)
        q, time = after_breaks(facts, board, e, p, begin + minutes)
        if time + on > stops[q, LATEST]:
            continue
        if begin > facts.work[o, DEADLINE] and facts.work[o, CREW] == 1:
            cost += facts.work[o, LATE] * (begin - facts.work[o, DEADLINE])
        if time + on > stops[q, CALM]:
            cost += later_price(facts, board, e, q, time, o)
        if cost < best:
            best = cost
            found = p
    return (best if found else FAR), found


@compiled
def after_breaks(facts: Facts, board: Board, e: int, p: int, time: int) -> tuple[int, int]:
    """Return the first position from one on that is no break, and when its way can begin."""
    orders = len(board.orders)
    while p <= board.routes[e, LENGTH] and board.stops[e, p, STOP] >= orders:
        rest = board.stops[e, p, STOP]
        time = start_from(facts, 2 * orders + rest, time) + facts.work[rest, MINUTES]
        p += 1
    return p, time


@compiled
def base_price(facts: Facts, board: Board, o: int, e: int) -> int:
    """Return what an order costs with an engineer, wherever it stands in the route."""
    load = board.routes[e, LOAD]
    more = unfairness(facts, load + facts.work[o, MINUTES]) - unfairness(facts, load)
    return int(facts.assignment[o, e]) + more


@compiled
def can_take(facts: Facts, board: Board, o: int, e: int) -> bool:
    """Say whether an engineer may do an order, and has room for its material."""
    filled = board.routes[e, FILLED] + facts.work[o, UNITS]
    return bool(facts.assignment[o, e] < FAR and filled <= facts.engineers[e, CAPACITY])


@compiled
def cheapest_of_variants(
    facts: Facts, board: Board, o: int, e: int, skipped: int
) -> tuple[int, int, int]:
    """Return cost, position and window row of an order's cheapest place in a route."""
    orders = len(board.orders)
    cost = FAR
    position = 0
    row = o
    if not can_take(facts, board, o, e):
        return cost, position, row
    base = base_price(facts, board, o, e)
    for variant in range(facts.work[o, VARIANTS]):
        here = o + variant * orders
        with_promise = base + (facts.work[o, BROKEN] if variant else 0)
        that, at = cheapest_place(facts, board, o, e, here, with_promise, skipped, cost)
        if that < cost:
            cost, position, row = that, at, here
    return cost, position, row


@compiled
def remember(facts: Facts, board: Board, o: int, e: int) -> None:
    """Have the cheapest place of an order in a route remembered for the route's stamp."""
    if board.known[o, e, FOR_STAMP] != board.routes[e, STAMP]:
        cost, position, row = cheapest_of_variants(facts, board, o, e, 0)
        board.known[o, e, FOR_STAMP] = board.routes[e, STAMP]
        board.known[o, e, AT_COST] = cost
        board.known[o, e, AT_POSITION] = position
        board.known[o, e, AT_ROW] = row


@compiled
def insert(facts: Facts, board: Board, o: int, e: int, position: int) -> None:
    """Put an order into a route."""
    for p in range(board.routes[e, LENGTH], position - 1, -1):
        board.stops[e, p + 1, STOP] = board.stops[e, p, STOP]
    board.stops[e, position, STOP] = o
    board.routes[e, LENGTH] += 1
    board.orders[o, ROUTE] = e
    refresh(facts, board, e)


@compiled
def keep(board: Board, kept: Kept, e: int) -> None:
    """Copy a route before it changes."""
    for p in range(board.routes[e, LENGTH] + 2):
        for column in range(board.stops.shape[2]):
            kept.stops[e, p, column] = board.stops[e, p, column]
    for column in range(board.routes.shape[1]):
        kept.routes[e, column] = board.routes[e, column]


@compiled
def restore(board: Board, kept: Kept, e: int) -> None:
    """Bring a route back."""
    for p in range(kept.routes[e, LENGTH] + 2):
        for column in range(board.stops.shape[2]):
            board.stops[e, p, column] = kept.stops[e, p, column]
    for column in range(board.routes.shape[1]):
        board.routes[e, column] = kept.routes[e, column]


@compiled
def touch(board: Board, kept: Kept, scratch: Scratch, e: int) -> None:
    """Keep a route once a round, before its first change."""
    if not scratch.touched[e]:
        scratch.touched[e] = True
        keep(board, kept, e)


@compiled
def leave_out(facts: Facts, board: Board, o: int) -> None:
    """Note that nobody does an order, and what that costs."""
    board.orders[o, ABSENT] = 1
    board.orders[o, EXTRA] = facts.work[o, LEFT_OUT]


@compiled
def put_in(facts: Facts, board: Board, o: int, row: int) -> None:
    """Note that an order is done, in which windows, and what that costs apart from its routes.

    The price of a broken promise is one of the order and not of a route.
    """
    orders = len(board.orders)
    board.orders[o, ABSENT] = 0
    board.orders[o, ROW] = row
    board.orders[o, EXTRA] = (
        facts.work[o, BROKEN] if row >= orders and facts.work[o, VARIANTS] > 1 else 0
    )


@compiled
def take_out(facts: Facts, board: Board, kept: Kept, scratch: Scratch) -> None:
    """Close the gaps of the orders that were marked absent, in all routes that hold them."""
    again = True
    while again:  # a route that fails without an order drops more, of which others may hold a part
        again = False
        for e in range(len(board.routes)):
            if (scratch.ruined[e] or facts.has_crews) and holds_absent(board, e):
                touch(board, kept, scratch, e)
                again = close_gaps(facts, board, e) or again
                if facts.engineers[e, BREAKS] and uniform(board.state) < HALF:
                    move_a_break(facts, board, e)


@compiled
def holds_absent(board: Board, e: int) -> bool:
    """Say whether a route has an order that was marked absent."""
    for p in range(1, board.routes[e, LENGTH] + 1):
        stop = board.stops[e, p, STOP]
        if stop < len(board.orders) and board.orders[stop, ABSENT]:
            return True
    return False


@compiled
def close_gaps(facts: Facts, board: Board, e: int) -> bool:
    """Drop absent orders from a route, and more if it fails without them; say if there were more.

    It may fail where a detour is quicker than the direct way, as rounded times can have it.
    """
    orders = len(board.orders)
    more = False
    while True:
        write = 1
        for p in range(1, board.routes[e, LENGTH] + 1):
            stop = board.stops[e, p, STOP]
            if stop >= orders or not board.orders[stop, ABSENT]:
                board.stops[e, write, STOP] = stop
                write += 1
        board.routes[e, LENGTH] = write - 1
        failing = refresh(facts, board, e)
        if failing == 0:
            return more
        p = failing
        while p >= 1 and board.stops[e, p, STOP] >= orders:
            p -= 1
        if p == 0:
            p = failing
            while p <= board.routes[e, LENGTH] and board.stops[e, p, STOP] >= orders:
                p += 1
        if p > board.routes[e, LENGTH]:
            return more  # breaks alone always fit
        leave_out(facts, board, board.stops[e, p, STOP])
        more = True


@compiled
def move_a_break(facts: Facts, board: Board, e: int) -> None:
    """Put one of a route's breaks to another place among the stops, if it can stand there."""
    orders = len(board.orders)
    length = board.routes[e, LENGTH]
    chosen = facts.engineers[e, FIRST_BREAK] + below(board.state, facts.engineers[e, BREAKS])
    position = 0
    for p in range(1, length + 1):
        if board.stops[e, p, STOP] == orders + chosen:
            position = p
    target = 1 + below(board.state, length)
    if position in (0, target):
        return
    shift(board, e, position, target)
    if refresh(facts, board, e) != 0:
        shift(board, e, target, position)
        refresh(facts, board, e)


@compiled
def shift(board: Board, e: int, position: int, target: int) -> None:
    """Move one stop of a route."""
    moved = board.stops[e, position, STOP]
    step = 1 if target > position else -1
    for p in range(position, target, step):
        board.stops[e, p, STOP] = board.stops[e, p + step, STOP]
    board.stops[e, target, STOP] = moved


@compiled
def ruin(facts: Facts, board: Board, kept: Kept, scratch: Scratch, removals: float) -> None:
    """Take strings of neighbouring stops out of some routes near a chosen order."""
    orders = len(board.orders)
    used = 0
    placed = 0
    for e in range(len(board.routes)):
        scratch.ruined[e] = False
        size = board.routes[e, LENGTH] - facts.engineers[e, BREAKS]
        placed += size
        used += size > 0
    if used == 0:
        return
    longest = min(float(STRING), placed / used)
    strings = int(uniform(board.state) * (4.0 * removals / (1.0 + longest) - 1.0)) + 1
    seed = below(board.state, orders)
    wanting = board.orders[seed, ABSENT]  # nobody does it: make room where somebody could
    for number in range(-1, facts.neighbours.shape[1]):
        if strings == 0:
            break
        o = seed if number < 0 else facts.neighbours[seed, number]
        if board.orders[o, ABSENT]:
            continue
        e = board.orders[o, ROUTE]
        if scratch.ruined[e] or (wanting and facts.assignment[seed, e] == FAR):
            continue
        at = 1
        while board.stops[e, at, STOP] != o:
            at += 1
        scratch.ruined[e] = True
        mark_string(facts, board, e, at, longest)
        strings -= 1
    take_out(facts, board, kept, scratch)


@compiled
def mark_string(facts: Facts, board: Board, e: int, at: int, longest: float) -> None:
    """Mark a string of a route around a position as absent, half the times with a gap in it."""
    length = board.routes[e, LENGTH]
    most = min(float(length), longest)
    size = int(uniform(board.state) * most) + 1
    gap = 1 if 1 < size < length and uniform(board.state) < HALF else 0
    span = size + gap
    low = max(1, at - span + 1)
    high = min(at, length - span + 1)
    first = low + below(board.state, high - low + 1)
    gap_at = first + below(board.state, size) if gap else 0
    for p in range(first, first + span):
        if gap and gap_at <= p < gap_at + gap:
            continue
        if board.stops[e, p, STOP] < len(board.orders):
            leave_out(facts, board, board.stops[e, p, STOP])


@compiled
def line_up(facts: Facts, board: Board, scratch: Scratch) -> int:
    """Sort the orders without an engineer in one of several ways; return how many there are."""
    count = 0
    way = uniform(board.state)
    for o in range(len(board.orders)):
        if board.orders[o, ABSENT]:
            scratch.waiting[count] = o
            scratch.keys[o] = key_of(facts, len(board.orders), o, way) + uniform(board.state)
            count += 1
    sort_by(scratch.keys, scratch.waiting, count)
    return count


@compiled
def key_of(facts: Facts, orders: int, o: int, way: float) -> float:
    """Return what an order is sorted by, smallest first: by chance, dear, far, near, tight, large."""
    key = 0.0
    if way < BY_WORTH:
        key = -1000.0 * facts.work[o, LEFT_OUT] / (facts.work[o, MINUTES] + SETTING_OUT)
    elif way < BY_PRICE:
        key = -float(facts.work[o, LEFT_OUT])
    elif way < BY_DISTANCE:
        key = -float(facts.work[o, REMOTENESS])
    elif way < BY_NEARNESS:
        key = float(facts.work[o, REMOTENESS])
    elif way < BY_WINDOW:
        row = orders + o
        for number in range(facts.windows[row, 0]):
            key += facts.windows[row, 2 * number + 2] - facts.windows[row, 2 * number + 1]
    elif way < BY_OPENING:
        key = float(facts.windows[orders + o, 1])
    elif way < BY_SIZE:
        key = -float(facts.work[o, UNITS] * 1000 + facts.work[o, MINUTES])
    return key


@compiled
def sort_by(keys: NDArray[np.float64], what: Integers, count: int) -> None:
    """Sort the first numbers of ``what`` by their keys (Shell's way)."""
    step = 1
    while 3 * step < count:
        step = 3 * step + 1
    while step > 0:
        for at in range(step, count):
            one = what[at]
            key = keys[one]
            to = at
            while to >= step and keys[what[to - step]] > key:
                what[to] = what[to - step]
                to -= step
            what[to] = one
        step //= 3


@compiled
def recreate(facts: Facts, board: Board, kept: Kept, scratch: Scratch, blink: float) -> None:
    """Give each order without an engineer its cheapest place, if that costs less than none."""
    find_all_idle(facts, board, scratch)
    for number in range(line_up(facts, board, scratch)):
        o = scratch.waiting[number]
        if facts.work[o, CREW] > 1:
            place_crew(facts, board, kept, scratch, o)
            continue
        waited = kept.orders[o, ABSENT]  # it fits into no route that is as it was
        best = facts.work[o, LEFT_OUT]
        engineer = -1
        position = 0
        row = 0
        for e in range(len(board.routes)):
            if (waited and not scratch.touched[e]) or facts.assignment[o, e] == FAR:
                continue
            if is_idle(facts, board, e) and scratch.idle[facts.engineers[e, ALIKE]] != e:
                continue
            remember(facts, board, o, e)
            cost = board.known[o, e, AT_COST]
            if cost >= best:
                continue
            if uniform(board.state) < blink:
                cost, p, r = cheapest_of_variants(
                    facts, board, o, e, board.known[o, e, AT_POSITION]
                )
                if cost >= best:
                    continue
                best, engineer, position, row = cost, e, p, r
            else:
                best, engineer = cost, e
                position, row = board.known[o, e, AT_POSITION], board.known[o, e, AT_ROW]
        if engineer >= 0:
            touch(board, kept, scratch, engineer)
            put_in(facts, board, o, row)
            give(facts, board, scratch, o, engineer, position)


@compiled
def is_idle(facts: Facts, board: Board, e: int) -> bool:
    """Say whether an engineer has nothing to do."""
    return bool(board.routes[e, LENGTH] == facts.engineers[e, BREAKS])


@compiled
def find_all_idle(facts: Facts, board: Board, scratch: Scratch) -> None:
    """Note of all who differ in nothing the first idle one."""
    for e in range(len(board.routes)):
        scratch.idle[e] = -1
    for e in range(len(board.routes)):
        alike = facts.engineers[e, ALIKE]
        if scratch.idle[alike] < 0 and is_idle(facts, board, e):
            scratch.idle[alike] = e


@compiled
def give(facts: Facts, board: Board, scratch: Scratch, o: int, e: int, position: int) -> None:
    """Put an order into a route, and note who is the first idle one then."""
    alike = facts.engineers[e, ALIKE]
    insert(facts, board, o, e, position)
    if scratch.idle[alike] != e:
        return
    scratch.idle[alike] = -1
    for other in range(e + 1, len(board.routes)):
        if facts.engineers[other, ALIKE] == alike and is_idle(facts, board, other):
            scratch.idle[alike] = other
            return


@compiled
def moments(facts: Facts, board: Board, scratch: Scratch, o: int, row: int) -> int:
    """Gather minutes at which a crew could begin: when one of them can first be there."""
    room = len(scratch.minutes)
    seen = 0
    for e in range(len(board.routes)):
        if facts.assignment[o, e] == FAR:
            continue
        for p in range(board.routes[e, LENGTH] + 1):
            way = facts.travel[board.stops[e, p, NODE], o]
            begin = start_from(facts, row, board.stops[e, p, DEPARTS] + way)
            if begin == FAR:
                break
            at = seen if seen < room else below(board.state, seen + 1)
            if at < room:
                scratch.minutes[at] = begin
            seen += 1
    return min(seen, room)


@compiled
def place_crew(facts: Facts, board: Board, kept: Kept, scratch: Scratch, o: int) -> None:
    """Find the minute and the engineers that are cheapest for an order of several, and put it in."""
    orders = len(board.orders)
    best = facts.work[o, LEFT_OUT]
    best_minute = -1
    best_row = o
    for variant in range(facts.work[o, VARIANTS]):
        row = o + variant * orders
        broken = facts.work[o, BROKEN] if variant else 0
        for number in range(moments(facts, board, scratch, o, row)):
            minute = scratch.minutes[number]
            price = broken + crew_costs(facts, board, scratch, o, minute)
            if price < best:
                best, best_minute, best_row = price, minute, row
    if best_minute < 0:
        return
    crew_costs(facts, board, scratch, o, best_minute)
    put_in(facts, board, o, best_row)
    board.orders[o, EXTRA] += crew_lateness(facts, o, best_minute)
    agreed = agree(facts, board, o, best_minute)
    board.orders[o, ROW] = agreed
    board.orders[o, AGREED] = best_minute
    for _ in range(facts.work[o, CREW]):
        e = cheapest_of(scratch.costs)
        scratch.costs[e] = FAR
        base = base_price(facts, board, o, e)
        _, position = cheapest_place(facts, board, o, e, agreed, base, 0, FAR)
        touch(board, kept, scratch, e)
        give(facts, board, scratch, o, e, position)


@compiled
def cheapest_of(costs: Integers) -> int:
    """Return where the smallest number is."""
    found = 0
    for e in range(len(costs)):
        if costs[e] < costs[found]:
            found = e
    return found


@compiled
def crew_lateness(facts: Facts, o: int, minute: int) -> int:
    """Return what it costs that a crew begins at a minute."""
    return int(facts.work[o, LATE] * max(0, minute - facts.work[o, DEADLINE]))


@compiled
def agree(facts: Facts, board: Board, o: int, minute: int) -> int:
    """Make a minute the only window of a crew's order, and return the row of it."""
    row = 2 * len(board.orders) + o
    facts.windows[row, 0] = 1
    facts.windows[row, 1] = minute
    facts.windows[row, 2] = minute
    return row


@compiled
def crew_costs(facts: Facts, board: Board, scratch: Scratch, o: int, minute: int) -> int:
    """Note what each engineer costs at a minute, and return what the cheapest crew does."""
    agreed = agree(facts, board, o, minute)
    costs = scratch.costs
    for e in range(len(board.routes)):
        costs[e] = FAR
        if can_take(facts, board, o, e):
            base = base_price(facts, board, o, e)
            costs[e], _ = cheapest_place(facts, board, o, e, agreed, base, 0, FAR)
    total = crew_lateness(facts, o, minute)
    last = -1
    last_cost = -FAR
    for _ in range(facts.work[o, CREW]):
        found = -1
        for e in range(len(costs)):
            comes_next = costs[e] > last_cost or (costs[e] == last_cost and e > last)
            if comes_next and (found < 0 or costs[e] < costs[found]):
                found = e
        if found < 0 or costs[found] == FAR:
            return FAR
        last, last_cost = found, costs[found]
        total += last_cost
    return total


@compiled
def total_cost(board: Board) -> int:
    """Return the cost of all routes, and of orders apart from them."""
    total = 0
    for e in range(len(board.routes)):
        total += board.routes[e, COST]
    for o in range(len(board.orders)):
        total += board.orders[o, EXTRA]
    return total


@compiled
def copy(source: Integers, target: Integers) -> None:
    """Copy a table."""
    for row in range(source.shape[0]):
        for column in range(source.shape[1]):
            target[row, column] = source[row, column]


@compiled
def restore_orders(facts: Facts, board: Board, kept: Kept) -> None:
    """Bring back what was known of orders."""
    copy(kept.orders, board.orders)
    for o in range(len(board.orders)):
        if facts.work[o, CREW] > 1:
            agree(facts, board, o, board.orders[o, AGREED])


@compiled
def keep_all(board: Board, kept: Kept) -> None:
    """Copy the whole plan."""
    for e in range(len(board.routes)):
        keep(board, kept, e)
    copy(board.orders, kept.orders)


@compiled
def restore_all(facts: Facts, board: Board, kept: Kept) -> None:
    """Bring the whole plan back."""
    for e in range(len(board.routes)):
        restore(board, kept, e)
    restore_orders(facts, board, kept)


@compiled
def open_board(facts: Facts, board: Board, kept: Kept, scratch: Scratch, wanted: Integers) -> None:
    """Begin with breaks only, then with as much of wanted sequences (by engineer) as is possible."""
    orders = len(board.orders)
    for o in range(orders):
        leave_out(facts, board, o)
    for e in range(len(board.routes)):
        for number in range(facts.engineers[e, BREAKS]):
            board.stops[e, 1 + number, STOP] = orders + facts.engineers[e, FIRST_BREAK] + number
        board.routes[e, LENGTH] = facts.engineers[e, BREAKS]
        refresh(facts, board, e)
    for e in range(len(board.routes)):
        for number in range(wanted.shape[1]):
            o = wanted[e, number]
            if o < 0 or not board.orders[o, ABSENT] or facts.work[o, CREW] > 1:
                continue
            cost, position, row = cheapest_of_variants(facts, board, o, e, 0)
            if cost < facts.work[o, LEFT_OUT]:
                put_in(facts, board, o, row)
                insert(facts, board, o, e, position)
    for o in range(orders):
        kept.orders[o, ABSENT] = 0
    recreate(facts, board, kept, scratch, 0.0)


@compiled
def search(
    facts: Facts,
    board: Board,
    kept: Kept,
    best: Kept,
    scratch: Scratch,
    costs: Integers,
    rounds: int,
    hot: float,
    cold: float,
    removals: float,
    blink: float,
) -> None:
    """Go through rounds of ruin and recreate, cooling from one temperature to another.

    ``costs`` holds the cost of the board and of the best plan, and is kept up.
    """
    cooling = (cold / hot) ** (1.0 / max(1, rounds))
    temperature = hot
    for _ in range(rounds):
        for e in range(len(board.routes)):
            scratch.touched[e] = False
        copy(board.orders, kept.orders)
        ruin(facts, board, kept, scratch, removals)
        recreate(facts, board, kept, scratch, blink)
        cost = total_cost(board)
        if cost <= costs[0] - temperature * math.log(1.0 - uniform(board.state)):
            costs[0] = cost
            if cost < costs[1]:
                costs[1] = cost
                keep_all(board, best)
        else:
            for e in range(len(board.routes)):
                if scratch.touched[e]:
                    restore(board, kept, e)
            restore_orders(facts, board, kept)
        temperature *= cooling
