"""Standard addresses (标准地址): statistical codes and the carrier's own levels below them.

A code is digits only: 6 for the county, 9 for the township, 12 for the village or residents'
committee (GB/T 2260, GB/T 10114), then up to 6 of the carrier's own for compound, building and
unit. A code that is a prefix of another contains it, so every code is a half-open range of
18-digit numbers, and coverage and overlap are questions about ranges (R8, R22).
"""

from typing import Annotated

from pydantic import Field

CODE_PATTERN = r"^[1-6][0-9]{5,17}$"
CODE_DIGITS = 18
"""Digits of the longest code; ``10**18`` fits a ``bigint``."""

VILLAGE_DIGITS = 12
"""Digits of a village's or residents' committee's code; what lies below may be somebody's home."""

AddressCode = Annotated[
    str, Field(pattern=CODE_PATTERN, examples=["130123100201"], description="标准地址编码")
]


def address_range(code: str) -> tuple[int, int]:
    """Return the half-open range of 18-digit addresses under a code."""
    width = 10 ** (CODE_DIGITS - len(code))
    lower = int(code) * width
    return lower, lower + width


def contains(prefix: str, code: str) -> bool:
    """Say whether an address lies under a prefix, itself included."""
    return code.startswith(prefix)
