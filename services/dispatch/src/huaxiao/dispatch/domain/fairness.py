"""Marks that deserve a look: against what was measured, for one another, after one another.

A finding tells numbers, its threshold and how many marks it rests on. It accuses nobody: a centre
may deserve every star.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import combinations

from huaxiao.shared.wire.scorecards import FairnessRules


class Source(StrEnum):
    """Where a mark was given."""

    HORIZONTAL = "horizontal"
    FINAL = "final"
    REVERSE = "reverse"
    DECISION = "decision"
    """Of a unit that decides appeals: what share of them it upheld."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What one unit gave another, in points of 100, beside what it may be held against."""

    source: Source
    rater: str
    ratee: str
    """A centre, or a person of the rater's own."""
    period: int
    at: datetime
    points: Fraction
    reference: Fraction | None
    """What was measured of the same pair and month, or what others gave; None where nothing is."""

    @property
    def excess(self) -> Fraction | None:
        """How far the mark lies above its reference."""
        return None if self.reference is None else self.points - self.reference


@dataclass(frozen=True, slots=True)
class AppealWon:
    """An appeal that a ratee won against its rater."""

    winner: str
    loser: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Bias:
    """A rater's marks of a ratee lie to one side of what was measured, month after month."""

    rater: str
    ratee: str
    marks: tuple[Mark, ...]
    mean: Fraction


@dataclass(frozen=True, slots=True)
class Favour:
    """Two units' marks of each other both lie above their references."""

    one: str
    other: str
    given: tuple[Mark, ...]
    """By ``one``."""
    got: tuple[Mark, ...]
    given_mean: Fraction
    got_mean: Fraction


@dataclass(frozen=True, slots=True)
class Retaliation:
    """A low mark came soon after a low mark by its ratee, or after an appeal its ratee won."""

    mark: Mark
    after: Mark | AppealWon

    @property
    def days(self) -> int:
        """Whole days between the two."""
        return (self.mark.at - self.after.at).days


def biases(marks: Sequence[Mark], rules: FairnessRules) -> list[Bias]:
    """Return the pairs of which enough months lie to one side, on average far enough."""
    pairs = defaultdict[tuple[str, str], list[Mark]](list)
    for one in marks:
        if one.source is Source.HORIZONTAL and one.excess is not None:
            pairs[one.rater, one.ratee].append(one)
    found = []
    for (rater, ratee), given in sorted(pairs.items()):
        excesses = [one.excess for one in given if one.excess is not None]
        one_sided = all(each > 0 for each in excesses) or all(each < 0 for each in excesses)
        mean = _mean(excesses)
        enough = len({one.period for one in given}) >= rules.bias_months
        if one_sided and enough and abs(mean) >= rules.bias_points:
            found.append(Bias(rater, ratee, tuple(given), mean))
    return found


def favours(marks: Sequence[Mark], rules: FairnessRules) -> list[Favour]:
    """Return the pairs that rate each other high beyond the references, over all kinds of marks."""
    known = [one for one in marks if one.excess is not None]
    units = sorted({one.rater for one in known} | {one.ratee for one in known})
    found = []
    for one, other in combinations(units, 2):
        given = tuple(each for each in known if (each.rater, each.ratee) == (one, other))
        got = tuple(each for each in known if (each.rater, each.ratee) == (other, one))
        if min(len(given), len(got)) < rules.favour_marks:
            continue
        given_mean, got_mean = _excess(given), _excess(got)
        if min(given_mean, got_mean) >= rules.favour_points:
            found.append(Favour(one, other, given, got, given_mean, got_mean))
    return found


def retaliations(
    marks: Sequence[Mark], won: Sequence[AppealWon], rules: FairnessRules
) -> Iterator[Retaliation]:
    """Yield each low mark with the nearest thing before it that may have called for it."""
    within = timedelta(days=rules.retaliation_days)
    low = sorted(
        (
            one
            for one in marks
            if one.points <= rules.low_points and one.source is not Source.DECISION
        ),
        key=lambda one: one.at,
    )
    for mark in low:
        causes: list[Mark | AppealWon] = [
            one for one in low if (one.rater, one.ratee) == (mark.ratee, mark.rater)
        ]
        causes += [one for one in won if (one.winner, one.loser) == (mark.ratee, mark.rater)]
        before = [one for one in causes if timedelta() < mark.at - one.at <= within]
        if before:
            yield Retaliation(mark, max(before, key=lambda one: one.at))


def _mean(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def _excess(marks: Sequence[Mark]) -> Fraction:
    return _mean([one.excess for one in marks if one.excess is not None])
