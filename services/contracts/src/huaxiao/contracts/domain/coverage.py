"""Coverage: whether every village lies under exactly one regional field (R8)."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile


@dataclass(frozen=True, slots=True)
class Claim:
    """A regional field's claim on the addresses under a prefix."""

    prefix: str
    field_id: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """A village in which some address is claimed more than once, and by which fields."""

    code: str
    field_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """What the claims leave open, and what they take twice."""

    gaps: tuple[str, ...]
    partial: tuple[str, ...]
    overlaps: tuple[Overlap, ...]


def coverage(villages: Iterable[str], claims: Iterable[Claim]) -> Covered:
    """Compare claims with villages, all in the order of codes.

    Two prefixes meet only where one begins with the other, so a village is claimed whole by its own
    prefixes, or in part by codes that continue its own.
    """
    ordered = sorted(set(claims), key=lambda claim: (claim.prefix, claim.field_id))
    prefixes = [claim.prefix for claim in ordered]
    gaps: list[str] = []
    partial: list[str] = []
    overlaps: list[Overlap] = []
    for village in sorted(set(villages)):
        whole = [
            claim
            for digits in range(1, len(village) + 1)
            for claim in _exactly(ordered, prefixes, village[:digits])
        ]
        parts = _below(ordered, prefixes, village)
        if not whole:
            (partial if parts else gaps).append(village)
        twice = _twice(whole, parts)
        if twice:
            overlaps.append(Overlap(village, tuple(sorted(twice))))
    return Covered(tuple(gaps), tuple(partial), tuple(overlaps))


def _exactly(ordered: Sequence[Claim], prefixes: Sequence[str], prefix: str) -> list[Claim]:
    start = bisect_left(prefixes, prefix)
    return list(takewhile(lambda claim: claim.prefix == prefix, ordered[start:]))


def _below(ordered: Sequence[Claim], prefixes: Sequence[str], village: str) -> list[Claim]:
    start = bisect_left(prefixes, village + "0")
    return list(takewhile(lambda claim: claim.prefix.startswith(village), ordered[start:]))


def _twice(whole: Sequence[Claim], parts: Sequence[Claim]) -> set[str]:
    claimants = {claim.field_id for claim in whole}
    if claimants:
        claimants |= {claim.field_id for claim in parts}
        return claimants if len(claimants) > 1 else set()
    met: set[str] = set()
    above: list[Claim] = []
    for claim in parts:
        above = [one for one in above if claim.prefix.startswith(one.prefix)]
        others = {one.field_id for one in above} - {claim.field_id}
        if others:
            met |= others | {claim.field_id}
        above.append(claim)
    return met
