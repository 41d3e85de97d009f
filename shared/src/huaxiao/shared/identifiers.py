"""Identifiers the suite makes itself: UUIDv7, so that keys arrive in index order.

No identifier is an order or a cursor: where order matters, a counter per branch says so.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field
from uuid_utils.compat import uuid7

IDENTIFIER_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._:\-]{0,63}$"
"""What an identifier given by a county or its BSS looks like: readable, safe in a path."""

BRANCH_MIN = 110_000
BRANCH_MAX = 659_999

Identifier = Annotated[str, Field(pattern=IDENTIFIER_PATTERN, examples=["C1"])]
BranchId = Annotated[
    int,
    Field(ge=BRANCH_MIN, le=BRANCH_MAX, examples=[130123], description="六位县级行政区划代码"),
]


def new_id() -> UUID:
    """Return a new time-ordered identifier (RFC 9562, version 7)."""
    return uuid7()
