"""Long work in pieces, so that others of the process get their turn in between."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

_AT_ONCE = 25

T = TypeVar("T")


async def by_turns(items: Sequence[T]) -> AsyncIterator[Sequence[T]]:
    """Yield a few items at a time, and let others run before the next."""
    for start in range(0, len(items), _AT_ONCE):
        if start:
            await asyncio.sleep(0)
        yield items[start : start + _AT_ONCE]
