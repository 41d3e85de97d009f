"""Search for plans in processes of their own: the event loop goes on, and every core is used.

What a process is told and tells while it searches goes through a row of numbers that it shares with
this one: how far it is, and whether it is to stop.
"""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from typing import Any

from huaxiao.dispatch.domain.planning.changing import Changed
from huaxiao.dispatch.domain.planning.checking import check
from huaxiao.dispatch.domain.planning.engine import Progress, plan
from huaxiao.dispatch.domain.planning.model import Plan, Problem
from huaxiao.dispatch.domain.planning.neighbours import help_out, together
from huaxiao.dispatch.domain.planning.timing import begins_of, plan_of, sequences_of
from huaxiao.shared.processes import end_with_parent

_SHARE, _ROUNDS, _COST, _STOP, _NUMBERS = range(5)
_PATIENCE_SECONDS = 2.0
_shared: Any = None
"""In a searching process: the numbers it shares."""


@dataclass(frozen=True)
class Search:
    """A day to be planned: from where, and for how long."""

    problem: Problem
    begin_with: Plan | None
    seed: int
    seconds: int | None
    iterations: int | None


@dataclass(frozen=True)
class HelpOut:
    """The day of several centres, what each has planned of it, and what is urgent."""

    problem: Problem
    plans: tuple[Plan, ...]
    urgent: frozenset[str]


@dataclass(frozen=True, slots=True)
class Heard:
    """How far a search is."""

    share: float
    iterations: int
    cost: int | None


class Searchers:
    """Processes that search, each one plan at a time."""

    def __init__(self, processes: int) -> None:
        """Prepare them; none starts before it is needed."""
        self._processes = max(1, processes)
        self._free = list(range(processes))
        self._open()

    def _open(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._numbers = context.Array("d", self._processes * _NUMBERS, lock=False)
        self._pool = ProcessPoolExecutor(
            self._processes, context, initializer=_share, initargs=(self._numbers,)
        )

    def take(self) -> int | None:
        """Take a process that is free, by its number, until it is given back; None: there is none."""
        return self._free.pop() if self._free else None

    def give_back(self, process: int) -> None:
        """Let a process be taken again."""
        self._free.append(process)

    def begin(self, process: int, wanted: "Search | HelpOut") -> "Running":
        """Begin with a plan in a process that was taken.

        Where one process has ended by itself all of its pool are replaced, once.
        """
        first = process * _NUMBERS
        try:
            return self._begin(first, wanted)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._open()
            return self._begin(first, wanted)

    def _begin(self, first: int, wanted: "Search | HelpOut") -> "Running":
        self._numbers[first : first + _NUMBERS] = [0.0] * _NUMBERS
        self._numbers[first + _COST] = -1.0
        return Running(self._pool.submit(_work, first, wanted), self._numbers, first)

    def close(self) -> None:
        """Stop what is searched for, and end the processes: those that do not listen, by force."""
        for at in range(_STOP, len(self._numbers), _NUMBERS):
            self._numbers[at] = 1.0
        # The pool forgets its processes as it shuts down.
        processes = list((self._pool._processes or {}).values())  # noqa: SLF001 - no other way to them
        self._pool.shutdown(wait=False, cancel_futures=True)
        for one in processes:
            one.join(_PATIENCE_SECONDS / len(processes))
            if one.is_alive():
                one.kill()


class Running:
    """A search that has begun."""

    def __init__(self, future: "Future[Changed]", numbers: Any, first: int) -> None:
        """Remember where its numbers are."""
        self.future = future
        self._numbers = numbers
        self._first = first

    def heard(self) -> Heard:
        """Return how far it is."""
        share, rounds, cost = self._numbers[self._first : self._first + _STOP]
        return Heard(float(share), int(rounds), None if cost < 0 else int(cost))

    def stop(self) -> None:
        """Let it end with the best plan so far."""
        self._numbers[self._first + _STOP] = 1.0


def _share(numbers: Any) -> None:
    global _shared  # noqa: PLW0603 - a process is told once, when it begins
    _shared = numbers
    end_with_parent()


def _work(first: int, wanted: Search | HelpOut) -> Changed:
    if isinstance(wanted, HelpOut):
        before = together(wanted.problem, wanted.plans)
        return Changed(wanted.problem, help_out(wanted.problem, before, wanted.urgent))
    found = plan(
        wanted.problem,
        seed=wanted.seed,
        iterations=wanted.iterations,
        seconds=None if wanted.seconds is None else float(wanted.seconds),
        begin_with=wanted.begin_with,
        listener=_listener(first),
        stop=lambda: bool(_shared[first + _STOP]),
    )
    return Changed(wanted.problem, _that_saves(wanted, found))


def _that_saves(wanted: Search, found: Plan) -> Plan:
    """Return the day as it was planned, where a new plan costs no less: nobody changes for nothing."""
    if wanted.begin_with is None:
        return found
    problem, before = wanted.problem, wanted.begin_with
    stays = plan_of(problem, sequences_of(before), begins=begins_of(before))
    if stays.cost.total > found.cost.total or check(problem, stays):
        return found
    return replace(stays, iterations=found.iterations)


def _listener(first: int) -> Callable[[Progress], None]:
    def tell(progress: Progress) -> None:
        _shared[first : first + _STOP] = [progress.share, progress.iterations, progress.cost]

    return tell
