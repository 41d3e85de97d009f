"""Fields as a whole: a list of them leaves their scopes out."""

import asyncio
from collections.abc import Iterable

from huaxiao.console.page import Page
from huaxiao.shared.wire.contracts import FieldSummary, ResponsibilityField

_AT_ONCE = 8
"""How many fields are asked for at a time."""


async def whole(page: Page, fields: Iterable[FieldSummary]) -> list[ResponsibilityField]:
    """Return fields with what they cover, in the order in which they are given."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(field_id: str) -> ResponsibilityField:
        async with places:
            return await page.peers.contracts.field(page.branch, field_id)

    return await asyncio.gather(*(one(each.field_id) for each in fields))
