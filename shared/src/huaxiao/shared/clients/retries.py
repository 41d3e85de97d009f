"""When a call is tried again: a few times, apart from each other, and not when everyone does.

Retries are what keeps a service down that has come to be slow. So a client has a budget of them,
which its calls fill by a tenth each: through a short fault everything is tried again, and in a long
one at most every tenth call.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

ATTEMPTS = 3
"""How often a call is sent at most."""
_EARNED = 0.1
_MOST = 20.0
_FIRST_PAUSE = 0.1
_JITTER = 1.0
_LONGEST_PAUSE = 10.0
"""Whoever is asked to wait longer tells its own caller instead."""


@dataclass
class RetryBudget:
    """How many retries a client may still send."""

    chance: Callable[[], float] = field(default=random.SystemRandom().random)
    """Returns a number from 0 to 1: clients that failed together do not come back together."""
    _left: float = _MOST

    def call(self) -> "Tries":
        """Count a call, whatever becomes of it, and return its tries."""
        self._left = min(_MOST, self._left + _EARNED)
        return Tries(self)

    def take(self) -> bool:
        """Take one retry, if there is one left."""
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass
class Tries:
    """How often one call may still be tried."""

    _budget: RetryBudget
    _tried: int = 1

    def pause(self, asked: float | None, *, remaining: float | None) -> float | bool:
        """Return the seconds to wait before the next try; False is that there is none.

        ``asked`` is what the peer's Retry-After says, ``remaining`` what is left of a deadline.
        """
        apart = _FIRST_PAUSE * 2 ** (self._tried - 1) if asked is None else asked
        seconds = apart + _JITTER * self._budget.chance()
        late = remaining is not None and seconds >= remaining
        if late or apart > _LONGEST_PAUSE or self._tried >= ATTEMPTS or not self._budget.take():
            return False
        self._tried += 1
        return seconds


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a Retry-After header; None where there is none, or a date."""
    said = headers.get("Retry-After", "").strip()
    return float(said) if said.isascii() and said.isdigit() else None
