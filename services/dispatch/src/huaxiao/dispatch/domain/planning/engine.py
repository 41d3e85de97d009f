"""Plan a day: search for routes, then say what they cost and why orders were left out."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from huaxiao.dispatch.domain.planning.arrays import (
    Prepared,
    empty_board,
    empty_copy,
    empty_scratch,
    prepare,
    routes_of,
    wanted_sequences,
)
from huaxiao.dispatch.domain.planning.costing import cost_of
from huaxiao.dispatch.domain.planning.limits import Limit, limit_of
from huaxiao.dispatch.domain.planning.model import Plan, Problem
from huaxiao.dispatch.domain.planning.placing import why_left_out
from huaxiao.dispatch.domain.planning.search import (
    Board,
    keep_all,
    open_board,
    restore_all,
    search,
    total_cost,
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search is."""

    share: float
    """Of its time or its iterations, from 0 to 1."""
    iterations: int
    cost: int
    """Of the best plan so far."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the search goes about it; temperatures are in ways between neighbouring orders."""

    hot: float = 20.0
    cold: float = 0.2
    removals: float = 15.0
    """Orders that a round takes out on average, where routes are long enough."""
    blink: float = 0.01
    """How often the best place is overlooked."""


def plan(
    problem: Problem,
    *,
    seed: int,
    iterations: int | None = None,
    seconds: float | None = None,
    begin_with: Plan | None = None,
    listener: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    tuning: Tuning | None = None,
) -> Plan:
    """Return a good plan of a day.

    Stopped by iterations it is the same for the same problem and seed. ``seconds`` are those of this
    process's CPU. ``begin_with`` is a plan whose routes the search starts from. ``stop`` is asked
    several times a second; when it says so, the best plan so far is returned.

    Raises:
        ValueError: neither or both of ``iterations`` and ``seconds`` were given.

    """
    limit = limit_of(iterations, seconds)
    prepared = prepare(problem)
    board = empty_board(prepared, seed)
    done = _search(prepared, board, limit, begin_with, listener, stop, tuning or Tuning())
    routes = routes_of(prepared, board)
    found = Plan(routes, (), cost_of(problem, routes), done)
    return replace(
        found,
        left_out=tuple(
            why_left_out(problem, found, one)
            for one in problem.orders
            if one.id not in found.visits
        ),
    )


def _search(
    prepared: Prepared,
    board: Board,
    limit: Limit,
    begin_with: Plan | None,
    listener: Callable[[Progress], None] | None,
    stop: Callable[[], bool] | None,
    tuning: Tuning,
) -> int:
    """Leave the best plan on the board; return the rounds that were gone through."""
    facts = prepared.facts
    kept, best = empty_copy(board), empty_copy(board)
    scratch = empty_scratch(board)
    open_board(facts, board, kept, scratch, wanted_sequences(prepared, begin_with))
    keep_all(board, best)
    costs = np.full(2, total_cost(board), dtype=np.int64)
    done = 0
    if not prepared.orders or not prepared.freedoms:
        return done
    share = limit.share(done)
    while share < 1.0 and not (stop is not None and stop()):
        rounds = limit.next_rounds(done)
        hot, cold = (
            tuning.hot * (tuning.cold / tuning.hot) ** at * prepared.typical_leg
            for at in (share, limit.share_after(done, rounds))
        )
        search(
            *(facts, board, kept, best, scratch, costs),
            *(rounds, hot, cold, tuning.removals, tuning.blink),
        )
        done += rounds
        share = limit.share(done)
        if listener is not None:
            listener(Progress(share, done, int(costs[1])))
    restore_all(facts, board, best)
    return done
