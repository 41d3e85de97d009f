"""Coverage: whether everything lies under exactly one field, and what does not (R8, R12, R15)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from huaxiao.shared.problems import Problem


class CoverageIncomplete(Problem):
    """Something lies under no sealed field, or under two: the division does not cover everything once."""

    code = "coverage-incomplete"
    status = HTTPStatus.CONFLICT
    title = "The sealed fields do not cover everything exactly once"
    title_zh = "已锁定责任田未做到全覆盖且无重叠"


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """A field's claim on what begins with a prefix: addresses, or resources."""

    prefix: str
    field_id: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """Something that more than one field claims, at least in part, and which fields."""

    code: str
    field_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clash:
    """Two fields' prefixes one of which begins with the other, whether anything lies there or not."""

    inner: Claim
    outer: Claim


@dataclass(frozen=True, slots=True)
class Covered:
    """What the claims leave open, and what they take twice."""

    gaps: tuple[str, ...]
    """Villages, and units of villages taken in part, under no claim."""
    partial: tuple[str, ...]
    """Villages only parts of which are claimed: a new building there may have no field."""
    open_villages: tuple[str, ...]
    """Those of them of which no units are known, so that nothing proves they are covered."""
    overlaps: tuple[Overlap, ...]
    clashes: tuple[Clash, ...]

    @property
    def is_complete(self) -> bool:
        """Say whether every unit known lies under exactly one field."""
        return not (self.gaps or self.open_villages or self.overlaps or self.clashes)


def coverage(
    villages: Iterable[str], claims: Iterable[Claim], units: Iterable[str] = ()
) -> Covered:
    """Compare claims with villages and with the units known below them.

    Two prefixes meet only where one begins with the other. So one pass over both in the order of
    codes is enough: it holds the claims that the present code lies under.
    """
    ordered = sorted(set(claims))
    gaps: list[str] = []
    partial: list[str] = []
    overlaps: list[Overlap] = []
    for village, whole, parts in _swept(sorted(set(villages)), ordered):
        if not whole:
            (partial if parts else gaps).append(village)
        twice = _twice(whole, parts)
        if twice:
            overlaps.append(Overlap(village, tuple(sorted(twice))))
    in_part, known = set(partial), set[str]()
    for unit, whole, _ in _swept(sorted(set(units)), ordered):
        parent = next((unit[:end] for end in range(len(unit)) if unit[:end] in in_part), None)
        if parent is not None:
            known.add(parent)
            if not whole:
                gaps.append(unit)
    return Covered(
        gaps=tuple(sorted(gaps)),
        partial=tuple(partial),
        open_villages=tuple(village for village in partial if village not in known),
        overlaps=tuple(overlaps),
        clashes=tuple(clashes(ordered)),
    )


def _swept(
    codes: Sequence[str], ordered: Sequence[Claim]
) -> Iterator[tuple[str, list[Claim], list[Claim]]]:
    """Yield each code with the claims that hold all of it, and those that hold a part of it."""
    above: list[Claim] = []
    passed = 0
    for code in codes:
        while passed < len(ordered) and ordered[passed].prefix <= code:
            _descend(above, ordered[passed].prefix)
            above.append(ordered[passed])
            passed += 1
        _descend(above, code)
        below = passed
        while below < len(ordered) and ordered[below].prefix.startswith(code):
            below += 1
        yield code, list(above), list(ordered[passed:below])


def _descend(above: list[Claim], code: str) -> None:
    while above and not code.startswith(above[-1].prefix):
        above.pop()


def clashes(ordered: Sequence[Claim]) -> Iterator[Clash]:
    """Yield the claims that meet another field's, of claims in their order."""
    above: list[Claim] = []
    for claim in ordered:
        _descend(above, claim.prefix)
        for other in above:
            if other.field_id != claim.field_id:
                yield Clash(claim, other)
        above.append(claim)


def _twice(whole: Sequence[Claim], parts: Sequence[Claim]) -> set[str]:
    claimants = {claim.field_id for claim in whole}
    if claimants:
        claimants |= {claim.field_id for claim in parts}
        return claimants if len(claimants) > 1 else set()
    return {
        field_id
        for clash in clashes(parts)
        for field_id in (clash.inner.field_id, clash.outer.field_id)
    }


def listed_twice(listed: Iterable[tuple[str, str]]) -> list[Overlap]:
    """Return what stands on more than one field's list, of (what is listed, the field)."""
    fields: dict[str, set[str]] = defaultdict(set)
    for code, field_id in listed:
        fields[code].add(field_id)
    return [
        Overlap(code, tuple(sorted(of_code)))
        for code, of_code in sorted(fields.items())
        if len(of_code) > 1
    ]
