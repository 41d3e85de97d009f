"""Plan crews: search for them, then say what they cost and why orders are not planned."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil, log2

import numpy as np

from huaxiao.dispatch.domain.planning.crews.arrays import (
    Prepared,
    crews_of,
    days_at_most,
    empty_board,
    empty_copy,
    empty_scratch,
    guided_by,
    guides,
    prepare,
)
from huaxiao.dispatch.domain.planning.crews.model import Crew, CrewCost, CrewPlan, CrewProblem
from huaxiao.dispatch.domain.planning.crews.reasons import reasons_for
from huaxiao.dispatch.domain.planning.crews.search import (
    ABSENT,
    DAY,
    Board,
    Facts,
    Kept,
    Numbers,
    Scratch,
    evaluate,
    keep_all,
    last_day,
    open_board,
    restore_all,
    search,
)
from huaxiao.dispatch.domain.planning.engine import Progress
from huaxiao.dispatch.domain.planning.limits import Limit, limit_of

DAYS_AT_FIRST = 16
"""So many days are tried first, and twice as many until everything fits well within them."""


@dataclass(frozen=True, slots=True)
class CrewTuning:
    """How the search goes about it; temperatures are shares of the first plan's cost."""

    hot: float = 0.015
    cold: float = 0.0005
    warm: float = 0.01
    cool: float = 0.001
    """The same while several are tried."""
    starts: int = 6
    """So many sequences of priorities are tried at most."""
    trying: float = 0.4
    """The share of the time that goes to all of them."""
    removals: int = 25
    """At most so many orders are taken out on purpose; a whole day may have more."""
    lean: float = 0.2
    """The weight of the mean of all ends beside the last ones."""


def plan_crews(
    problem: CrewProblem,
    *,
    seed: int,
    iterations: int | None = None,
    seconds: float | None = None,
    listener: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    tuning: CrewTuning | None = None,
) -> CrewPlan:
    """Return a good plan of crews over several days.

    Stopped by iterations it is the same for the same problem and seed. ``seconds`` are those of this
    thread's CPU. ``stop`` is asked several times a second; when it says so, the best plan so far is
    returned.

    Raises:
        ValueError: neither or both of ``iterations`` and ``seconds`` were given.

    """
    limit = limit_of(iterations, seconds)
    prepared = prepare(problem)
    run = _Run(limit, listener, stop, tuning or CrewTuning())
    crews, outside = crews_of(prepared, _search(prepared, seed, run))
    return CrewPlan(
        crews,
        outside,
        reasons_for(problem, crews, outside),
        _cost_of(problem, crews, outside),
        run.done,
    )


@dataclass
class _Start:
    """One of several searches that begin with different priorities first."""

    facts: Facts
    board: Board
    kept: Kept
    best: Kept
    scratch: Scratch
    costs: Numbers
    """See ``search``."""


@dataclass
class _Run:
    """What all searches of a plan share."""

    limit: Limit
    listener: Callable[[Progress], None] | None
    stop: Callable[[], bool] | None
    tuning: CrewTuning
    done: int = 0
    share: float = 0.0
    """Of the limit, that is over."""

    def is_stopped(self) -> bool:
        """Say whether somebody wants no more."""
        return self.stop is not None and self.stop()


def _search(prepared: Prepared, seed: int, run: _Run) -> Board:
    """Return the best plan on a board.

    Which priority is best finished first depends on what there is of it, and a search hardly leaves
    the sequence that it began with. So one begins with each; the better half goes on, until one is left
    beside that of the prices.
    """
    tuning = run.tuning
    starts = [_begin(prepared, facts, seed, tuning) for facts in guides(prepared, tuning.starts)]
    if not prepared.orders or not prepared.problem.people or not len(starts[0].board.crews):
        return starts[0].board
    share, priced = 0.0, starts[0]
    halvings = ceil(log2(len(starts)))
    for _ in range(halvings):
        each = tuning.trying / halvings / len(starts)
        for start in starts:
            _anneal(start, run, share, share + each, tuning.warm, tuning.cool)
            share += each
        starts.sort(key=lambda one: (one.costs[2], one.costs[1]))
        starts = starts[: (len(starts) + 1) // 2]
    # short tries tell little of the prices' own sequence where it is hard to get right: it goes on too
    last = starts if starts[0] is priced else [priced, starts[0]]
    each = (1.0 - share) / len(last)
    for start in last:
        _guide_by_price(prepared, start, tuning)
        _anneal(start, run, share, share + each, tuning.hot, tuning.cold)
        share += each
    return min(last, key=lambda one: one.costs[2]).board


def _anneal(start: _Start, run: _Run, begun: float, until: float, hot: float, cold: float) -> None:
    """Search until a share of the limit is over, and leave the best plan on the board."""
    limit, tuning = run.limit, run.tuning
    scale = max(1.0, float(start.costs[0]))
    run.share = limit.share(run.done)
    while run.share < until and not run.is_stopped():
        rounds = limit.next_rounds(run.done, until)
        temperatures = [
            scale * hot * (cold / hot) ** min(1.0, max(0.0, at - begun) / (until - begun))
            for at in (run.share, limit.share_after(run.done, rounds))
        ]
        search(
            *(start.facts, start.board, start.kept, start.best, start.scratch, start.costs),
            *(rounds, temperatures[0], temperatures[1], tuning.removals, tuning.lean),
        )
        run.done += rounds
        run.share = limit.share(run.done)
        if run.listener is not None:
            run.listener(Progress(run.share, run.done, int(start.costs[2])))
    restore_all(start.board, start.best)
    start.costs[0] = start.costs[1]


def _guide_by_price(prepared: Prepared, start: _Start, tuning: CrewTuning) -> None:
    """Have a search go by the prices from its best plan on."""
    facts = prepared.facts
    start.facts = guided_by(facts, facts.weights.astype(np.float64))
    _, guided = evaluate(start.facts, start.board, start.scratch, tuning.lean)
    start.costs[:2] = guided


def _begin(prepared: Prepared, facts: Facts, seed: int, tuning: CrewTuning) -> _Start:
    most_days = days_at_most(prepared.problem)
    days = min(DAYS_AT_FIRST, most_days)
    while True:
        board = empty_board(prepared, days, seed)
        kept, best = empty_copy(board), empty_copy(board)
        scratch = empty_scratch(prepared, board)
        open_board(facts, board, kept, scratch)
        roomy = 4 * last_day(board) <= 3 * days and not (board.orders[:, DAY] == ABSENT).any()
        if roomy or days == most_days:
            break
        days = min(2 * days, most_days)
    cost, guided = evaluate(facts, board, scratch, tuning.lean)
    keep_all(board, best)
    costs = np.array([guided, guided, cost], dtype=np.float64)
    return _Start(facts, board, kept, best, scratch, costs)


def _cost_of(problem: CrewProblem, crews: Iterable[Crew], outside: Iterable[str]) -> CrewCost:
    prices, given = problem.prices, set(outside)
    ends = {task.order_id: task.end for crew in crews for task in crew.tasks}
    lasts = [0] * len(prices.last_end)
    left_out = 0
    for order in problem.orders:
        at = order.priority - 1
        if order.id in ends:
            lasts[at] = max(lasts[at], ends[order.id])
        elif order.id not in given:
            left_out += prices.left_out[at]
    last = max(lasts)
    return CrewCost(
        last_ends=tuple(lasts),
        last_of_all=last,
        time=sum(price * end for price, end in zip(prices.last_end, lasts, strict=True))
        + prices.last_of_all * last,
        left_out=left_out,
        contracts=sum(problem.order[one].contract or 0 for one in given),
    )
