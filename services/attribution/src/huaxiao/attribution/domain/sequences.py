"""A sender's running numbers, kept as the ranges that have come."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

Range = tuple[int, int]
"""First and last number, both included."""
JUMP = 1_000_000
"""More missing numbers than these at once are none that were lost: the numbering jumped there."""


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


def runs(ranges: Iterable[Range]) -> list[list[Range]]:
    """Part ranges, given in order, where the numbers jump.

    One absurd number is a run of its own, so that it makes nobody believe that all up to it are lost.
    """
    found: list[list[Range]] = []
    for one in ranges:
        if found and one[0] - found[-1][-1][1] - 1 <= JUMP:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def count_of(ranges: Iterable[Range]) -> int:
    """Return how many numbers lie in ranges that do not overlap."""
    return sum(last - first + 1 for first, last in ranges)
