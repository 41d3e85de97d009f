"""Money: whole fen (分, 1/100 yuan) in an ``int``, never a float.

Amounts are named ``amount_fen`` wherever they stand, so that the unit is never guessed.
"""

import re
from collections.abc import Sequence

FEN_PER_YUAN = 100
_YUAN = re.compile(
    r"(-?)([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+|(?=\.))(?:\.([0-9]{1,2})0*)?",
)
MAX_AMOUNT_FEN = 10**15
"""Ten trillion yuan: beyond any county's books, far inside a ``bigint``, so sums cannot overflow."""


def split_fen(total_fen: int, weights: Sequence[int]) -> list[int]:
    """Split an amount by weights so that the parts add up to it exactly.

    Largest remainder: each part is within one fen of its exact share; ties go to the earlier
    weight. A negative total mirrors the positive one.

    Raises:
        ValueError: a weight is negative, or none is positive.

    """
    weight_sum = sum(weights)
    if weight_sum <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights must be non-negative and not all zero")
    if total_fen < 0:
        return [-part for part in split_fen(-total_fen, weights)]
    parts = [total_fen * weight // weight_sum for weight in weights]
    remainders = [total_fen * weight % weight_sum for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: -remainders[index])
    for index in by_remainder[: total_fen - sum(parts)]:
        parts[index] += 1
    return parts


def fen_of_yuan(text: str) -> int:
    """Return an amount in yuan as whole fen: ``-12,345.67`` is ``-1234567``.

    Commas only group thousands, and nothing is rounded. ``.35`` is what Oracle writes for ``0.35``.

    Raises:
        ValueError: it is no such amount, or finer than a fen.

    """
    found = _YUAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not an amount in yuan with at most two decimals")
    sign, whole, fraction = found.groups(default="")
    amount_fen = int(whole.replace(",", "") or 0) * FEN_PER_YUAN + int(fraction.ljust(2, "0") or 0)
    return -amount_fen if sign else amount_fen


def yuan(amount_fen: int) -> str:
    """Render an amount for people: ``-1234567`` is ``-12,345.67``."""
    whole, fen = divmod(abs(amount_fen), FEN_PER_YUAN)
    sign = "-" if amount_fen < 0 else ""
    return f"{sign}{whole:,}.{fen:02d}"
