"""How long a search goes on: so many rounds, or so much of a thread's time."""

import time
from math import ceil
from typing import Protocol

ROUNDS_AT_ONCE = 2_000
"""At most so many rounds between two looks at the clock, the stop flag and the listener."""


class Limit(Protocol):
    """When a search is over."""

    def share(self, done: int) -> float:
        """Return how much of it is over after so many rounds, from 0 to 1."""
        ...

    def next_rounds(self, done: int, until: float = 1.0) -> int:
        """Return how many rounds to go through before the next look, at most until a share."""
        ...

    def share_after(self, done: int, rounds: int) -> float:
        """Return how much of it will be over, as far as that can be told."""
        ...


def limit_of(iterations: int | None, seconds: float | None) -> Limit:
    """Return a limit by rounds or by CPU seconds, which begin now.

    Raises:
        ValueError: neither or both were given.

    """
    if iterations is not None and seconds is None:
        return _ByIterations(iterations)
    if seconds is not None and iterations is None:
        return _BySeconds(seconds)
    raise ValueError("Give either iterations or seconds.")


class _ByIterations:
    def __init__(self, iterations: int) -> None:
        self._iterations = iterations

    def share(self, done: int) -> float:
        return min(1.0, done / self._iterations) if self._iterations else 1.0

    def next_rounds(self, done: int, until: float = 1.0) -> int:
        return max(1, min(ROUNDS_AT_ONCE, ceil(until * self._iterations) - done))

    def share_after(self, done: int, rounds: int) -> float:
        return self.share(done + rounds)


class _BySeconds:
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._started = time.thread_time()

    def share(self, done: int) -> float:
        del done
        return min(1.0, (time.thread_time() - self._started) / self._seconds)

    def next_rounds(self, done: int, until: float = 1.0) -> int:
        """Return what takes some fiftieth of the time, as far as that is known yet."""
        spent = time.thread_time() - self._started
        if not done or spent <= 0:
            return 10
        speed = done / spent
        left = max(0.0, until * self._seconds - spent)
        return max(1, min(ROUNDS_AT_ONCE, int(speed * min(left, self._seconds / 50, 0.2)) + 1))

    def share_after(self, done: int, rounds: int) -> float:
        spent = self.share(done)
        return min(1.0, spent + spent * rounds / done) if done else spent
