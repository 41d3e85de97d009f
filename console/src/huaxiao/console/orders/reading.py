"""Orders that somebody has yet to do something about."""

import asyncio

from huaxiao.console.orders.views import OPEN
from huaxiao.console.page import Page
from huaxiao.shared.wire.dispatch import Order


async def open_orders(page: Page, centre_id: str | None) -> list[Order]:
    """Return the open orders of a centre, or of all that the visitor may see."""
    pages = await asyncio.gather(
        *(
            page.peers.dispatch.orders(page.branch, state=state, centre_id=centre_id, limit=500)
            for state in OPEN
        )
    )
    return [order for one in pages for order in one.items]
