"""A sender's running numbers, kept as the ranges that have come."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

Range = tuple[int, int]
"""First and last number, both included."""


def merged(ranges: Iterable[Range]) -> list[Range]:
    """Return the same numbers in as few ranges as can be, in order."""
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return found


def gaps(ranges: Sequence[Range]) -> Iterator[Range]:
    """Yield the ranges that are missing between those that have come, given in order."""
    for before, after in pairwise(ranges):
        yield before[1] + 1, after[0] - 1
