"""The dispatch service as its peers see it."""

from collections.abc import Sequence

from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.pages import Page
from huaxiao.shared.wire.dispatch import (
    Appraisal,
    FinalIn,
    HorizontalIn,
    Order,
    OrderState,
    OrderStepIn,
    OrderWithSteps,
)
from huaxiao.shared.wire.feed import FeedEntry


class DispatchClient(ServiceClient):
    """Asks the dispatch service."""

    async def orders(
        self,
        branch_id: int,
        *,
        state: OrderState | None = None,
        centre_id: str | None = None,
        engineer_id: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Order]:
        """Return a page of orders by identifier."""
        params = {
            "state": state,
            "centre_id": centre_id,
            "engineer_id": engineer_id,
            "cursor": cursor,
            "limit": limit,
        }
        page: Page[Order] = await self._get(
            Page[Order], f"/v1/branches/{branch_id}/orders", params=params
        )
        return page

    async def order(self, branch_id: int, order_id: str) -> OrderWithSteps:
        """Return an order with its steps."""
        found: OrderWithSteps = await self._get(
            OrderWithSteps, f"/v1/branches/{branch_id}/orders/{order_id}"
        )
        return found

    async def step(self, branch_id: int, order_id: str, step: OrderStepIn) -> OrderWithSteps:
        """Take a step of an order."""
        moved: OrderWithSteps = await self._post(
            OrderWithSteps, f"/v1/branches/{branch_id}/orders/{order_id}/steps", step
        )
        return moved

    async def appraise_horizontal(self, branch_id: int, given: HorizontalIn) -> Appraisal:
        """Rate a regional centre as the enterprise centre."""
        made: Appraisal = await self._post(
            Appraisal, f"/v1/branches/{branch_id}/appraisals/horizontal", given
        )
        return made

    async def confirm_appraisal(self, branch_id: int, appraisal_id: str) -> Appraisal:
        """Confirm a horizontal appraisal as its ratee."""
        confirmed: Appraisal = await self._post(
            Appraisal, f"/v1/branches/{branch_id}/appraisals/{appraisal_id}/confirm", None
        )
        return confirmed

    async def appraise_final(self, branch_id: int, given: FinalIn) -> Appraisal:
        """Rate an engineer as the engineer's centre."""
        made: Appraisal = await self._post(
            Appraisal, f"/v1/branches/{branch_id}/appraisals/final", given
        )
        return made

    async def appraisals(
        self, branch_id: int, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Appraisal]:
        """Return a page of appraisals."""
        page: Page[Appraisal] = await self._get(
            Page[Appraisal],
            f"/v1/branches/{branch_id}/appraisals",
            params={"cursor": cursor, "limit": limit},
        )
        return page


class FakeDispatch:
    """Stands in for the dispatch service's feed: what a test says has happened, in order."""

    def __init__(self) -> None:
        """Start with nothing published."""
        self._entries: dict[int, list[FeedEntry]] = {}

    def publish(self, branch_id: int, entries: Sequence[FeedEntry]) -> None:
        """Give out entries at the branch's next positions."""
        held = self._entries.setdefault(branch_id, [])
        for entry in entries:
            held.append(entry.model_copy(update={"id": str(len(held) + 1), "branchid": branch_id}))

    async def feed(
        self, branch_id: int, *, after: int, limit: int = 500, wait_ms: int = 0
    ) -> list[FeedEntry]:
        """Return the entries behind a position; there is never news to wait for."""
        _ = wait_ms
        return self._entries.get(branch_id, [])[after : after + limit]
