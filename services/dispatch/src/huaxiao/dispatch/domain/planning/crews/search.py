"""The search for a good plan of crews: take some orders out, put them in again, keep what pays.

Each round takes out whole days, crews of neighbouring days, orders that end last, chains of orders
that wait for each other, or orders that ask for much the same people (ruin). What is left moves to
the front of its day, and people whom nobody needs go free. Then each order gets the place that costs
least by this round's prices of time and of people, with the people that are wanting (recreate). The
result stays if it costs less, or little more while it is early (annealing).

What is made small is the cost of the plan, which knows only the last order of each priority, and
beside it a mean of all ends in which late ones weigh more; without that, a round that moves the one
but last order forward would look like nothing.

All functions are compiled by numba from this one file, whose change is what renews the kept code, but
for the random numbers and the sorting of the day planner's search.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from huaxiao.dispatch.domain.planning.compiling import compiled
from huaxiao.dispatch.domain.planning.search import FAR, below, copy, sort_by, uniform

Integers = NDArray[np.int64]
Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]

ABSENT, OUTSIDE = -1, -2
"""Days of an order that nobody does, and of one that a contractor does."""
NOBODYS, OFF, CHOSEN = -1, -2, -3
"""Crews of somebody who is free, who has a day off, and whom a place is just asking for."""
NO_PRICE = -1
"""Of an order that no contractor can be given."""

BY_DAYS, BY_CREWS, BY_LAST, BY_CHAIN, BY_LIKENESS = 0.25, 0.45, 0.65, 0.8, 0.92
"""Up to which chance a round takes out days, crews, and so on; beyond that chance orders."""
BY_URGENT_SIZE, BY_URGENCY, BY_SIZE, BY_PEOPLE, BY_START = 0.3, 0.5, 0.65, 0.75, 0.9
"""Up to which chance orders line up by people, minutes and urgency, by urgency first, and so on;
beyond that at random."""
HALF, SELDOM = 0.5, 0.03
FROM_CONTRACTOR = 0.1
"""How often a contractor's order is taken back."""
OF_CHAIN, MOST_BESIDE = 0.9, 0.6
"""How many of a chain are taken out, and at most of those beside them in their days."""
MOST_DISORDER = 0.3
BASE_WORTH = 0.3
"""What is added to a person's worth, so that it does not decide alone who joins."""

# Columns of Facts.work.
MINUTES, PRIORITY, LEFT_OUT, CONTRACT, POSSIBLE = range(5)
"""Priorities count from 0; the prices of leaving an order out and of a contractor who does it; 0 where
one's own people cannot do it on any day."""
# Columns of Board.orders.
DAY, CREW, START = range(3)
# Columns of Board.crews.
SIZE, COUNT = range(2)
"""People, and orders."""


class Facts(NamedTuple):
    """A problem as arrays. No order waits for one with a higher number."""

    work: Integers
    need: Integers
    """By order and skill, a domain at a level: how many people have it or more."""
    asked: Integers
    """By order: how many skills it asks for, and then which."""
    skills: Integers
    """By person and skill: 1 if they have it."""
    able: Integers
    """By order and person: a bit for each skill asked for, in the order of ``asked``; 1 if they have it."""
    worth: Numbers
    """By person: how rare their skills are; 1 in the mean."""
    before: Integers
    """By order: how many it waits for, and then which."""
    behind: Integers
    """By order: how many wait for it, and then which."""
    ahead: Flags
    """By two orders: the second waits for the first, at whatever remove."""
    weights: Integers
    """By priority, of its last end; then of the last end of all."""
    guide: Numbers
    """The same weights as the search has them for now: another priority may come first."""
    urgency: Numbers
    """By order: its weight, or that of the most urgent one that waits for it."""
    day_minutes: int
    budget: int


class Board(NamedTuple):
    """The crews as they are now, by day."""

    orders: Integers
    crews: Integers
    sequences: Integers
    """By day and crew: its orders."""
    supply: Integers
    """By day, crew and skill: how many of its people have it."""
    crew_of: Integers
    """By day and person."""
    free: Integers
    """By day and skill: how many who are free have it; the last column: how many are free."""
    spent: Integers
    state: NDArray[np.uint64]


class Kept(NamedTuple):
    """A copy of a board, to go back to."""

    orders: Integers
    crews: Integers
    sequences: Integers
    supply: Integers
    crew_of: Integers
    free: Integers
    spent: Integers


class Scratch(NamedTuple):
    """Room that a round works in."""

    touched: Flags
    """By day: it was kept in this round."""
    ruined: Flags
    """By day: orders were taken out."""
    waiting: Integers
    keys: Numbers
    wanting: Integers
    """By skill that an order asks for: how many people are wanting; below zero: how many too many."""
    chosen: Integers
    """How many people a place asks for beside the crew's, and then who."""
    best: Integers
    """The same, of the best place so far."""
    lasts: Integers
    """By priority, and of all: the last end when the round began."""
    sums: Numbers
    day_orders: Integers
    prices: Numbers
    """Of this round; see the columns below."""


# Columns of Scratch.prices.
EARLY, PEOPLE, NOISE, BLINK = range(4)
"""A minute before the last end of the same priority, against one behind it; a person who joins a
crew, in minutes; how much chance is in both; how often the best place is overlooked."""

BEHIND = 4.0
"""A minute behind the last end of the same priority."""


@compiled
def ready_at(facts: Facts, board: Board, o: int) -> int:
    """Return when all orders that one waits for have ended; FAR if one of them is not planned."""
    ready = 0
    for number in range(1, facts.before[o, 0] + 1):
        other = facts.before[o, number]
        if board.orders[other, DAY] < 0:
            return FAR
        ready = max(ready, board.orders[other, START] + facts.work[other, MINUTES])
    return ready


@compiled
def begin_of_next(facts: Facts, board: Board, o: int, day: int, crew: int) -> int:
    """Return the first start of those that wait for an order, but for those of one crew's day."""
    first = FAR
    for number in range(1, facts.behind[o, 0] + 1):
        other = facts.behind[o, number]
        if board.orders[other, DAY] < 0:
            continue
        if board.orders[other, DAY] == day and board.orders[other, CREW] == crew:
            continue
        first = min(first, board.orders[other, START])
    return first


@compiled
def touch(board: Board, kept: Kept, scratch: Scratch, day: int) -> None:
    """Keep a day once a round, before its first change."""
    if not scratch.touched[day]:
        scratch.touched[day] = True
        move_day(board, kept, day)


@compiled
def move_day(source: Board, target: Kept, day: int) -> None:
    """Copy a day."""
    for crew in range(source.crews.shape[1]):
        for column in range(source.crews.shape[2]):
            target.crews[day, crew, column] = source.crews[day, crew, column]
        for column in range(source.sequences.shape[2]):
            target.sequences[day, crew, column] = source.sequences[day, crew, column]
        for skill in range(source.supply.shape[2]):
            target.supply[day, crew, skill] = source.supply[day, crew, skill]
    for person in range(source.crew_of.shape[1]):
        target.crew_of[day, person] = source.crew_of[day, person]
    for skill in range(source.free.shape[1]):
        target.free[day, skill] = source.free[day, skill]


@compiled
def restore_day(board: Board, kept: Kept, day: int) -> None:
    """Bring a day back."""
    for crew in range(board.crews.shape[1]):
        for column in range(board.crews.shape[2]):
            board.crews[day, crew, column] = kept.crews[day, crew, column]
        for column in range(board.sequences.shape[2]):
            board.sequences[day, crew, column] = kept.sequences[day, crew, column]
        for skill in range(board.supply.shape[2]):
            board.supply[day, crew, skill] = kept.supply[day, crew, skill]
    for person in range(board.crew_of.shape[1]):
        board.crew_of[day, person] = kept.crew_of[day, person]
    for skill in range(board.free.shape[1]):
        board.free[day, skill] = kept.free[day, skill]


@compiled
def join(facts: Facts, board: Board, day: int, crew: int, person: int) -> None:
    """Have somebody who is free join a crew."""
    board.crew_of[day, person] = crew
    board.crews[day, crew, SIZE] += 1
    skills = facts.skills.shape[1]
    board.free[day, skills] -= 1
    for skill in range(skills):
        board.supply[day, crew, skill] += facts.skills[person, skill]
        board.free[day, skill] -= facts.skills[person, skill]


@compiled
def leave(facts: Facts, board: Board, day: int, crew: int, person: int) -> None:
    """Have somebody leave a crew."""
    board.crew_of[day, person] = NOBODYS
    board.crews[day, crew, SIZE] -= 1
    skills = facts.skills.shape[1]
    board.free[day, skills] += 1
    for skill in range(skills):
        board.supply[day, crew, skill] -= facts.skills[person, skill]
        board.free[day, skill] += facts.skills[person, skill]


@compiled
def gather(facts: Facts, board: Board, scratch: Scratch, o: int, day: int, crew: int) -> float:
    """Choose who joins a crew so that it can do an order; return what they cost, or FAR.

    One after another, whoever has most of what is wanting for what they are worth elsewhere.
    """
    chosen, wanting = scratch.chosen, scratch.wanting
    chosen[0] = 0
    wanted = 0
    for number in range(facts.asked[o, 0]):
        skill = facts.asked[o, number + 1]
        wanting[number] = facts.need[o, skill] - board.supply[day, crew, skill]
        if wanting[number] > board.free[day, skill]:
            return float(FAR)
        if wanting[number] > 0:
            wanted |= 1 << number
    cost = 0.0
    while wanted:
        found = most_able(facts, board, scratch, o, day, wanted)
        if found == NOBODYS:
            cost = float(FAR)
            break
        board.crew_of[day, found] = CHOSEN
        chosen[0] += 1
        chosen[chosen[0]] = found
        cost += facts.worth[found]
        for number in range(facts.asked[o, 0]):
            if facts.able[o, found] & (1 << number):
                wanting[number] -= 1
                if wanting[number] == 0:
                    wanted &= ~(1 << number)
    for number in range(1, chosen[0] + 1):
        board.crew_of[day, chosen[number]] = NOBODYS
    return cost if cost == FAR else cost - spare(facts, scratch, o)


@compiled
def most_able(facts: Facts, board: Board, scratch: Scratch, o: int, day: int, wanted: int) -> int:
    """Return who is free and has most of what is wanting for what they are worth; NOBODYS: nobody."""
    found = NOBODYS
    best = 0.0
    for person in range(facts.skills.shape[0]):
        covered = facts.able[o, person] & wanted
        if covered == 0 or board.crew_of[day, person] != NOBODYS:
            continue
        covers = 0
        while covered:
            covered &= covered - 1
            covers += 1
        chance = 1.0 + scratch.prices[NOISE] * uniform(board.state)
        value = covers * chance / (BASE_WORTH + facts.worth[person])
        if value > best:
            best, found = value, person
    return found


@compiled
def spare(facts: Facts, scratch: Scratch, o: int) -> float:
    """Drop those of the chosen whom nobody needs; return what they would have cost.

    What is wanting is below zero where there is more than enough.
    """
    chosen, wanting = scratch.chosen, scratch.wanting
    saved = 0.0
    at = 1
    while at <= chosen[0]:
        able = facts.able[o, chosen[at]]
        needed = False
        for number in range(facts.asked[o, 0]):
            if able & (1 << number) and wanting[number] > -1:
                needed = True
                break
        if needed:
            at += 1
            continue
        for number in range(facts.asked[o, 0]):
            if able & (1 << number):
                wanting[number] += 1
        saved += facts.worth[chosen[at]]
        chosen[at] = chosen[chosen[0]]
        chosen[0] -= 1
    return saved


@compiled
def price_of_time(facts: Facts, scratch: Scratch, o: int, end: int) -> float:
    """Return what an end costs: little before the last one of its priority, much behind it."""
    last = scratch.lasts[facts.work[o, PRIORITY]]
    if end <= last:
        return float(scratch.prices[EARLY] * end)
    return float(scratch.prices[EARLY] * last + BEHIND * (end - last))


@compiled
def shifted_price(
    facts: Facts, board: Board, scratch: Scratch, day: int, crew: int, p: int, free_at: int
) -> float:
    """Return what it costs that a crew's orders from a position on begin later, or FAR."""
    closes = (day + 1) * facts.day_minutes
    cost = 0.0
    for q in range(p, board.crews[day, crew, COUNT]):
        other = board.sequences[day, crew, q]
        begin = board.orders[other, START]
        if begin >= free_at:
            break
        end = free_at + facts.work[other, MINUTES]
        if end > closes or end > begin_of_next(facts, board, other, day, crew):
            return float(FAR)
        before = price_of_time(facts, scratch, other, begin + facts.work[other, MINUTES])
        after = price_of_time(facts, scratch, other, end)
        cost += facts.urgency[other] * (after - before)
        free_at = end
    return cost


@compiled
def place_in_crew(
    facts: Facts, board: Board, scratch: Scratch, o: int, day: int, crew: int, ready: int
) -> tuple[float, int]:
    """Return cost and position of an order's cheapest place in a crew's day; FAR: there is none."""
    opens = day * facts.day_minutes
    closes = opens + facts.day_minutes
    limit = min(closes, begin_of_next(facts, board, o, day, crew))
    count = board.crews[day, crew, COUNT]
    best = float(FAR)
    found = 0
    earliest = max(opens, ready)
    free_at = opens
    for p in range(count + 1):
        if p > 0:
            other = board.sequences[day, crew, p - 1]
            if facts.ahead[o, other]:
                break
            free_at = board.orders[other, START] + facts.work[other, MINUTES]
        if p < count and board.orders[board.sequences[day, crew, p], START] < ready:
            continue
        end = max(earliest, free_at) + facts.work[o, MINUTES]
        if end > limit:
            break
        cost = shifted_price(facts, board, scratch, day, crew, p, end)
        if cost == FAR:
            continue
        cost = cost / facts.urgency[o] + price_of_time(facts, scratch, o, end)
        if cost < best:
            best, found = cost, p
    return best, found


@compiled
def cheapest_place(  # noqa: C901 - the innermost loop
    facts: Facts, board: Board, scratch: Scratch, o: int, ready: int
) -> tuple[int, int, int]:
    """Find where an order costs least; return day, crew and position, the day -1 if nowhere.

    Who joins the crew is left in ``scratch.best``.
    """
    minutes = facts.work[o, MINUTES]
    limit = begin_of_next(facts, board, o, -1, -1)
    best = float(FAR)
    best_day, best_crew, best_at = -1, 0, 0
    prices = scratch.prices
    for day in range(ready // facts.day_minutes, board.crews.shape[0]):
        opens = day * facts.day_minutes
        end = max(opens, ready) + minutes
        if end > opens + facts.day_minutes:
            continue
        if opens >= limit or price_of_time(facts, scratch, o, end) >= best:
            break
        unused = False
        for crew in range(board.crews.shape[1]):
            time, at = price_of_time(facts, scratch, o, end), 0
            if board.crews[day, crew, COUNT] == 0:
                if unused or end > limit:
                    continue
                unused = True
            elif could_do(facts, board, o, day, crew):
                time, at = place_in_crew(facts, board, scratch, o, day, crew, ready)
            else:
                continue
            if time >= best or uniform(board.state) < prices[BLINK]:
                continue
            people = gather(facts, board, scratch, o, day, crew)
            cost = time + prices[PEOPLE] * people
            if people < FAR and cost < best:
                best, best_day, best_crew, best_at = cost, day, crew, at
                for number in range(scratch.chosen[0] + 1):
                    scratch.best[number] = scratch.chosen[number]
    return best_day, best_crew, best_at


@compiled
def could_do(facts: Facts, board: Board, o: int, day: int, crew: int) -> bool:
    """Say whether a crew has the people for an order, with all who are free that day."""
    for number in range(1, facts.asked[o, 0] + 1):
        skill = facts.asked[o, number]
        if board.supply[day, crew, skill] + board.free[day, skill] < facts.need[o, skill]:
            return False
    return True


@compiled
def put_in(
    facts: Facts, board: Board, scratch: Scratch, o: int, day: int, crew: int, at: int, ready: int
) -> None:
    """Give an order to a crew at a position; those of ``scratch.best`` join it."""
    for number in range(1, scratch.best[0] + 1):
        join(facts, board, day, crew, scratch.best[number])
    count = board.crews[day, crew, COUNT]
    for p in range(count, at, -1):
        board.sequences[day, crew, p] = board.sequences[day, crew, p - 1]
    board.sequences[day, crew, at] = o
    board.crews[day, crew, COUNT] = count + 1
    begin = max(ready, day * facts.day_minutes)
    if at > 0:
        other = board.sequences[day, crew, at - 1]
        begin = max(begin, board.orders[other, START] + facts.work[other, MINUTES])
    board.orders[o, DAY] = day
    board.orders[o, CREW] = crew
    board.orders[o, START] = begin
    free_at = begin + facts.work[o, MINUTES]
    for q in range(at + 1, count + 1):
        other = board.sequences[day, crew, q]
        if board.orders[other, START] >= free_at:
            break
        board.orders[other, START] = free_at
        free_at += facts.work[other, MINUTES]


@compiled
def take_out(board: Board, kept: Kept, scratch: Scratch, facts: Facts, o: int) -> None:
    """Note that nobody does an order; its crew loses it when the day is tidied.

    No contractor goes on with what waits for it.
    """
    day = board.orders[o, DAY]
    if day == OUTSIDE:
        board.spent[0] -= facts.work[o, CONTRACT]
    elif day >= 0:
        touch(board, kept, scratch, day)
        scratch.ruined[day] = True
    board.orders[o, DAY] = ABSENT
    for other in range(o + 1, len(board.orders)):
        if board.orders[other, DAY] == OUTSIDE and facts.ahead[o, other]:
            board.spent[0] -= facts.work[other, CONTRACT]
            board.orders[other, DAY] = ABSENT


@compiled
def tidy(facts: Facts, board: Board, scratch: Scratch, day: int) -> None:
    """Close the gaps of a day, let people go whom nobody needs, and begin all as early as can be."""
    count = 0
    for crew in range(board.crews.shape[1]):
        if board.crews[day, crew, COUNT] == 0:
            continue
        write = 0
        for p in range(board.crews[day, crew, COUNT]):
            o = board.sequences[day, crew, p]
            if board.orders[o, DAY] == day:
                board.sequences[day, crew, write] = o
                write += 1
                scratch.day_orders[count] = o
                scratch.keys[o] = board.orders[o, START] + 0.25 * p / board.sequences.shape[2]
                count += 1
        if write < board.crews[day, crew, COUNT]:
            board.crews[day, crew, COUNT] = write
            let_go(facts, board, day, crew)
    sort_by(scratch.keys, scratch.day_orders, count)
    for crew in range(board.crews.shape[1]):
        scratch.waiting[crew] = day * facts.day_minutes
    for number in range(count):
        o = scratch.day_orders[number]
        begin = scratch.waiting[board.orders[o, CREW]]
        for other in range(1, facts.before[o, 0] + 1):
            first = facts.before[o, other]
            if board.orders[first, DAY] >= 0:
                begin = max(begin, board.orders[first, START] + facts.work[first, MINUTES])
        board.orders[o, START] = begin
        scratch.waiting[board.orders[o, CREW]] = begin + facts.work[o, MINUTES]


@compiled
def let_go(facts: Facts, board: Board, day: int, crew: int) -> None:
    """Let people leave a crew that can do its orders without them, from a chance one on."""
    people = facts.skills.shape[0]
    first = below(board.state, people)
    for number in range(people):
        person = (first + number) % people
        if board.crew_of[day, person] == crew and can_do_without(facts, board, day, crew, person):
            leave(facts, board, day, crew, person)


@compiled
def can_do_without(facts: Facts, board: Board, day: int, crew: int, person: int) -> bool:
    """Say whether a crew can do its orders without somebody."""
    for p in range(board.crews[day, crew, COUNT]):
        o = board.sequences[day, crew, p]
        for number in range(1, facts.asked[o, 0] + 1):
            skill = facts.asked[o, number]
            left = board.supply[day, crew, skill] - facts.skills[person, skill]
            if left < facts.need[o, skill]:
                return False
    return True


@compiled
def last_day(board: Board) -> int:
    """Return how many days there are until the last with an order."""
    last = 0
    for o in range(len(board.orders)):
        last = max(last, board.orders[o, DAY] + 1)
    return last


@compiled
def ruin(facts: Facts, board: Board, kept: Kept, scratch: Scratch, most: int) -> None:
    """Take some orders out, in one of several ways."""
    days = max(1, last_day(board))
    for day in range(len(scratch.ruined)):
        scratch.ruined[day] = False
    for o in range(len(board.orders)):
        if board.orders[o, DAY] == OUTSIDE and uniform(board.state) < FROM_CONTRACTOR:
            take_out(board, kept, scratch, facts, o)
    ruin_somehow(facts, board, kept, scratch, days, most)
    for day in range(days):
        if scratch.ruined[day]:
            tidy(facts, board, scratch, day)


@compiled
def ruin_somehow(
    facts: Facts, board: Board, kept: Kept, scratch: Scratch, days: int, most: int
) -> None:
    """Choose a way to ruin a plan, and do it."""
    way = uniform(board.state)
    if way < BY_DAYS:
        ruin_days(facts, board, kept, scratch, days, most)
    elif way < BY_CREWS:
        ruin_crews(facts, board, kept, scratch, days, most)
    elif way < BY_LAST:
        ruin_last(facts, board, kept, scratch, days, most)
    elif way < BY_CHAIN:
        ruin_chain(facts, board, kept, scratch, most)
    elif way < BY_LIKENESS:
        ruin_alike(facts, board, kept, scratch, most)
    else:
        for _ in range(1 + below(board.state, most)):
            take_out(board, kept, scratch, facts, below(board.state, len(board.orders)))


@compiled
def ruin_days(
    facts: Facts, board: Board, kept: Kept, scratch: Scratch, days: int, most: int
) -> None:
    """Take out all orders of a day, and of others near it while there are not many yet."""
    out = 0
    day = below(board.state, days)
    for _ in range(1 + below(board.state, 3)):
        for o in range(len(board.orders)):
            if board.orders[o, DAY] == day:
                take_out(board, kept, scratch, facts, o)
                out += 1
        day = (day + 1 + below(board.state, 3)) % days
        if 2 * out > most:
            return


@compiled
def ruin_crews(
    facts: Facts, board: Board, kept: Kept, scratch: Scratch, days: int, most: int
) -> None:
    """Take out all orders of some crews, of neighbouring days."""
    out = 0
    first = below(board.state, days)
    span = 1 + below(board.state, 4)
    wanted = 1 + below(board.state, most)
    for _ in range(2 * board.crews.shape[1]):
        day = (first + below(board.state, span)) % days
        o = below(board.state, len(board.orders))
        for number in range(len(board.orders)):
            if board.orders[(o + number) % len(board.orders), DAY] == day:
                o = (o + number) % len(board.orders)
                break
        if board.orders[o, DAY] != day:
            continue
        crew = board.orders[o, CREW]
        for other in range(len(board.orders)):
            if board.orders[other, DAY] == day and board.orders[other, CREW] == crew:
                take_out(board, kept, scratch, facts, other)
                out += 1
        if out >= wanted:
            return


@compiled
def ruin_last(
    facts: Facts, board: Board, kept: Kept, scratch: Scratch, days: int, most: int
) -> None:
    """Take out what ends last of a priority, and days or crews that could have it."""
    priority = below(board.state, len(facts.weights))
    last = scratch.lasts[priority]
    latest = last - below(board.state, facts.day_minutes)
    out = 0
    for o in range(len(board.orders)):
        if board.orders[o, DAY] < 0:
            continue
        if priority < len(facts.weights) - 1 and facts.work[o, PRIORITY] != priority:
            continue
        end = board.orders[o, START] + facts.work[o, MINUTES]
        if end >= latest and out < most:
            take_out(board, kept, scratch, facts, o)
            out += 1
    if uniform(board.state) < HALF:
        ruin_days(facts, board, kept, scratch, days, most - out)
    else:
        ruin_crews(facts, board, kept, scratch, days, most)


@compiled
def ruin_chain(facts: Facts, board: Board, kept: Kept, scratch: Scratch, most: int) -> None:
    """Take out orders that wait for each other, and some of those beside them in their days."""
    orders = len(board.orders)
    seed = below(board.state, orders)
    out = 0
    for _ in range(10):
        if facts.before[seed, 0] + facts.behind[seed, 0] > 0:
            break
        seed = below(board.state, orders)
    beside = MOST_BESIDE * uniform(board.state)
    for o in range(orders):
        if out >= most:
            return
        linked = o == seed or facts.ahead[o, seed] or facts.ahead[seed, o]
        if linked and uniform(board.state) < OF_CHAIN:
            day = board.orders[o, DAY]
            take_out(board, kept, scratch, facts, o)
            out += 1
            if day < 0:
                continue
            for other in range(orders):
                if board.orders[other, DAY] == day and uniform(board.state) < beside:
                    take_out(board, kept, scratch, facts, other)
                    out += 1


@compiled
def ruin_alike(facts: Facts, board: Board, kept: Kept, scratch: Scratch, most: int) -> None:
    """Take out orders that ask for much the same people as a chance one."""
    orders = len(board.orders)
    seed = below(board.state, orders)
    for o in range(orders):
        shared = 0
        for number in range(1, facts.asked[o, 0] + 1):
            skill = facts.asked[o, number]
            shared += min(facts.need[o, skill], facts.need[seed, skill])
        scratch.waiting[o] = o
        scratch.keys[o] = -(shared + 1.0) * uniform(board.state)
    sort_by(scratch.keys, scratch.waiting, orders)
    for number in range(min(orders, 1 + below(board.state, most))):
        take_out(board, kept, scratch, facts, scratch.waiting[number])


@compiled
def line_up(facts: Facts, board: Board, kept: Kept, scratch: Scratch) -> int:
    """Sort the orders that nobody does in one of several ways; return how many there are."""
    count = 0
    way = uniform(board.state)
    noise = MOST_DISORDER * uniform(board.state)
    for o in range(len(board.orders)):
        if board.orders[o, DAY] != ABSENT:
            continue
        scratch.waiting[count] = o
        count += 1
        people = 0.0
        for number in range(1, facts.asked[o, 0] + 1):
            people += facts.need[o, facts.asked[o, number]]
        size = people * facts.work[o, MINUTES]
        key = 1.0
        if way < BY_URGENT_SIZE:
            key = size * facts.urgency[o]
        elif way < BY_URGENCY:
            key = facts.urgency[o] * 1e6 + size
        elif way < BY_SIZE:
            key = size
        elif way < BY_PEOPLE:
            key = people
        elif way < BY_START:
            key = 1e6 - kept.orders[o, START]
        scratch.keys[o] = -key * (1.0 - noise + 2.0 * noise * uniform(board.state))
    sort_by(scratch.keys, scratch.waiting, count)
    return count


@compiled
def recreate(facts: Facts, board: Board, kept: Kept, scratch: Scratch) -> None:
    """Give each order that nobody does its cheapest place; those that it waits for come first."""
    for number in range(line_up(facts, board, kept, scratch)):
        o = scratch.waiting[number]
        for other in range(o):
            if facts.ahead[other, o] and board.orders[other, DAY] == ABSENT:
                place(facts, board, kept, scratch, other)
        if board.orders[o, DAY] == ABSENT:
            place(facts, board, kept, scratch, o)


@compiled
def drop_stranded(facts: Facts, board: Board, kept: Kept, scratch: Scratch) -> None:
    """Take out what stayed in the plan and waits for an order that found no place again."""
    for day in range(len(scratch.ruined)):
        scratch.ruined[day] = False
    for o in range(len(board.orders)):
        if board.orders[o, DAY] >= 0 and ready_at(facts, board, o) == FAR:
            take_out(board, kept, scratch, facts, o)
    for day in range(len(scratch.ruined)):
        if scratch.ruined[day]:
            tidy(facts, board, scratch, day)


@compiled
def place(facts: Facts, board: Board, kept: Kept, scratch: Scratch, o: int) -> None:
    """Give an order its cheapest place, or to a contractor."""
    contract = contract_price(facts, board, o)
    for number in range(1, facts.before[o, 0] + 1):
        if board.orders[facts.before[o, number], DAY] == OUTSIDE:
            if contract >= 0:
                give_away(facts, board, o)
            return
    ready = ready_at(facts, board, o)
    if ready == FAR:
        return
    day, crew, at = -1, 0, 0
    if facts.work[o, POSSIBLE]:
        day, crew, at = cheapest_place(facts, board, scratch, o, ready)
    if contract >= 0:
        late = day < 0 or (day + 1) * facts.day_minutes > scratch.lasts[facts.work[o, PRIORITY]]
        if uniform(board.state) < (HALF if late else SELDOM):
            give_away(facts, board, o)
            return
    if day >= 0:
        touch(board, kept, scratch, day)
        put_in(facts, board, scratch, o, day, crew, at, ready)


@compiled
def contract_price(facts: Facts, board: Board, o: int) -> int:
    """Return what contractors ask for an order and all that wait for it; -1: it cannot be had."""
    total = 0
    left = facts.budget - board.spent[0]
    for other in range(o, len(board.orders)):
        if (other != o and not facts.ahead[o, other]) or board.orders[other, DAY] == OUTSIDE:
            continue
        total += facts.work[other, CONTRACT]
        if (
            total > left
            or facts.work[other, CONTRACT] == NO_PRICE
            or board.orders[other, DAY] >= 0
            or waits_for_nobodys(facts, board, other, o)
        ):
            return NO_PRICE
    return int(total)


@compiled
def waits_for_nobodys(facts: Facts, board: Board, o: int, first: int) -> bool:
    """Say whether an order waits for one that nobody does, but for one and those that wait for it."""
    for number in range(1, facts.before[o, 0] + 1):
        other = facts.before[o, number]
        beside = other != first and not facts.ahead[first, other]
        if beside and board.orders[other, DAY] == ABSENT:
            return True
    return False


@compiled
def give_away(facts: Facts, board: Board, o: int) -> None:
    """Give an order and all that wait for it to contractors."""
    for other in range(o, len(board.orders)):
        if other != o and not facts.ahead[o, other]:
            continue
        if board.orders[other, DAY] == ABSENT:
            board.orders[other, DAY] = OUTSIDE
            board.spent[0] += facts.work[other, CONTRACT]


@compiled
def evaluate(facts: Facts, board: Board, scratch: Scratch, lean: float) -> tuple[int, float]:
    """Return the cost of the plan, and what guides the search; leave the last ends."""
    classes = len(facts.weights)
    lasts, sums = scratch.lasts, scratch.sums
    for number in range(classes):
        lasts[number] = 0
        sums[number] = 0.0
        sums[classes + number] = 0.0
    cost = 0
    guided = 0.0
    for o in range(len(board.orders)):
        if board.orders[o, DAY] == OUTSIDE:
            continue
        if board.orders[o, DAY] == ABSENT:
            cost += facts.work[o, LEFT_OUT]
            guided += facts.work[o, LEFT_OUT]
            continue
        end = board.orders[o, START] + facts.work[o, MINUTES]
        priority = facts.work[o, PRIORITY]
        lasts[priority] = max(lasts[priority], end)
        weight = float(end) * float(end)
        weight *= weight
        sums[priority] += weight
        sums[classes - 1] += weight
        sums[classes + priority] += 1.0
        sums[2 * classes - 1] += 1.0
    for number in range(classes - 1):
        lasts[classes - 1] = max(lasts[classes - 1], lasts[number])
    for number in range(classes):
        cost += facts.weights[number] * lasts[number]
        if sums[classes + number] > 0.0:
            mean = (sums[number] / sums[classes + number]) ** 0.25
            guided += facts.guide[number] * (lasts[number] + lean * mean)
    return cost, guided


@compiled
def set_prices(board: Board, scratch: Scratch) -> None:
    """Choose what time and people cost in this round."""
    prices = scratch.prices
    prices[EARLY] = 1.0 if uniform(board.state) < HALF else uniform(board.state) ** 2
    prices[PEOPLE] = 0.5 * math.exp(6.0 * uniform(board.state))
    prices[NOISE] = uniform(board.state)
    prices[BLINK] = 0.02 if uniform(board.state) < HALF else 0.15


@compiled
def open_board(facts: Facts, board: Board, kept: Kept, scratch: Scratch) -> None:
    """Begin with a plan that puts the urgent first, each as early as it can be."""
    for o in range(len(board.orders)):
        board.orders[o, DAY] = ABSENT
        kept.orders[o, START] = 0
    for number in range(len(scratch.lasts)):
        scratch.lasts[number] = 0
    scratch.prices[EARLY] = 1.0
    scratch.prices[PEOPLE] = 10.0
    scratch.prices[NOISE] = 0.0
    scratch.prices[BLINK] = 0.0
    recreate(facts, board, kept, scratch)


@compiled
def keep_all(board: Board, kept: Kept) -> None:
    """Copy the whole plan."""
    for day in range(len(board.crews)):
        move_day(board, kept, day)
    copy(board.orders, kept.orders)
    kept.spent[0] = board.spent[0]


@compiled
def restore_all(board: Board, kept: Kept) -> None:
    """Bring the whole plan back."""
    for day in range(len(board.crews)):
        restore_day(board, kept, day)
    copy(kept.orders, board.orders)
    board.spent[0] = kept.spent[0]


@compiled
def search(
    facts: Facts,
    board: Board,
    kept: Kept,
    best: Kept,
    scratch: Scratch,
    costs: Numbers,
    rounds: int,
    hot: float,
    cold: float,
    most: int,
    lean: float,
) -> None:
    """Go through rounds of ruin and recreate, cooling from one temperature to another.

    ``costs`` holds what guides the search for the board and for the best plan, and the best plan's cost.
    """
    cooling = (cold / hot) ** (1.0 / max(1, rounds))
    temperature = hot
    for _ in range(rounds):
        for day in range(len(scratch.touched)):
            scratch.touched[day] = False
        copy(board.orders, kept.orders)
        kept.spent[0] = board.spent[0]
        evaluate(facts, board, scratch, lean)
        set_prices(board, scratch)
        ruin(facts, board, kept, scratch, most)
        recreate(facts, board, kept, scratch)
        drop_stranded(facts, board, kept, scratch)
        cost, guided = evaluate(facts, board, scratch, lean)
        if guided <= costs[0] - temperature * math.log(1.0 - uniform(board.state)):
            costs[0] = guided
            if cost < costs[2] or (cost == costs[2] and guided < costs[1]):
                costs[1], costs[2] = guided, float(cost)
                keep_all(board, best)
        else:
            for day in range(len(scratch.touched)):
                if scratch.touched[day]:
                    restore_day(board, kept, day)
            copy(kept.orders, board.orders)
            board.spent[0] = kept.spent[0]
        temperature *= cooling
