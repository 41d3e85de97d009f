"""The share register: double entry, nobody below nothing, and whether everybody holds (R6)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from http import HTTPStatus

from huaxiao.shared.money import split_fen
from huaxiao.shared.problems import Fault, Problem
from huaxiao.shared.wire.shares import ShareMovementKind

_PARTS = 10**6


class NotEnoughShares(Problem):
    """A side would hold fewer than none, on the day or on a later one."""

    code = "not-enough-shares"
    status = HTTPStatus.CONFLICT
    title = "There are not so many shares to move"
    title_zh = "可变动的股份不足"


class MirrorsNothing(Problem):
    """A correction is the exact mirror of one movement that none has mirrored yet."""

    code = "mirrors-nothing"
    status = HTTPStatus.CONFLICT
    title = "A correction mirrors one earlier movement, once"
    title_zh = "更正须与一笔尚未更正的变动完全相反"


@dataclass(frozen=True, slots=True)
class Movement:
    """Shares that move from one side to another; None is the company."""

    kind: ShareMovementKind
    day: date
    from_person: str | None
    to_person: str | None
    shares: int
    number: int = 0
    corrects: int | None = None


_SIDES = {
    ShareMovementKind.ISSUE: (False, True),
    ShareMovementKind.TRANSFER: (True, True),
    ShareMovementKind.BUY_BACK: (True, False),
}
"""Whether each side is a person; a correction has the sides of what it mirrors."""


def movement_faults(given: Movement) -> Iterator[Fault]:
    """Yield what is wrong with a movement by itself."""
    if (given.kind is ShareMovementKind.CORRECTION) != (given.corrects is not None):
        yield Fault(
            "/corrects",
            "of-corrections-only",
            "a correction names what it mirrors",
            "更正须注明原变动编号",
        )
    wanted = _SIDES.get(given.kind)
    sides = (given.from_person is not None, given.to_person is not None)
    if wanted is not None and sides != wanted:
        yield Fault(
            "/from_person",
            "wrong-sides",
            "an issue goes to a person, a transfer between two, a buy-back from one",
            "增发至个人、转让于两人之间、回购自个人",
        )
    if given.from_person == given.to_person:
        yield Fault("/to_person", "same-side", "both sides are the same", "双方相同")


def require_mirror(given: Movement, held: Sequence[Movement]) -> None:
    """Check that a correction is the mirror of a movement, and the only one.

    Raises:
        MirrorsNothing: it is not.

    """
    if given.kind is not ShareMovementKind.CORRECTION:
        return
    original = next((one for one in held if one.number == given.corrects), None)
    mirrored = any(one.corrects == given.corrects for one in held)
    fits = original is not None and (
        (original.from_person, original.to_person, original.shares)
        == (given.to_person, given.from_person, given.shares)
        and original.kind is not ShareMovementKind.CORRECTION
        and given.day >= original.day
    )
    if mirrored or not fits:
        raise MirrorsNothing


def require_enough(given: Movement, held: Sequence[Movement], authorised: int) -> None:
    """Check that after a movement no side holds fewer than none on its day or any later one.

    Raises:
        NotEnoughShares: one would; the day and how many there are is named.

    """
    days = sorted({one.day for one in held if one.day > given.day} | {given.day})
    for day in days:
        holdings = holdings_on([*held, given], day)
        available = authorised - sum(holdings.values())
        lacking = [person for person, shares in holdings.items() if shares < 0]
        if lacking or available < 0:
            raise NotEnoughShares(
                day=day.isoformat(),
                person_ids=lacking,
                held={one: holdings_on(held, day).get(one, 0) for one in lacking},
            )


def holdings_on(movements: Iterable[Movement], day: date) -> dict[str, int]:
    """Return what each person holds at the end of a day; those who hold nothing are left out."""
    holdings: dict[str, int] = defaultdict(int)
    for one in movements:
        if one.day <= day:
            if one.from_person is not None:
                holdings[one.from_person] -= one.shares
            if one.to_person is not None:
                holdings[one.to_person] += one.shares
    return {person: shares for person, shares in sorted(holdings.items()) if shares}


def fractions(holdings: Mapping[str, int]) -> dict[str, Decimal]:
    """Return each holding's fraction at six decimals; together they are exactly 1."""
    if not holdings:
        return {}
    parts = split_fen(_PARTS, list(holdings.values()))
    return {person: Decimal(part).scaleb(-6) for person, part in zip(holdings, parts, strict=True)}


def without_shares(holdings: Mapping[str, int], own_staff: AbstractSet[str]) -> list[str]:
    """Return the own employees who hold none: everybody is to hold (R6)."""
    return sorted(own_staff - holdings.keys())


def to_buy_back(holdings: Mapping[str, int], here: AbstractSet[str]) -> list[str]:
    """Return the holders who do not work here any more."""
    return sorted(holdings.keys() - here)
