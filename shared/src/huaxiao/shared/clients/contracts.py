"""Asks the contracts service, and reads its feed."""

from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.pages import Page
from huaxiao.shared.wire.contracts import BranchSummary


class ContractsClient(ServiceClient):
    """A typed connection to the contracts service."""

    async def branches(self) -> list[int]:
        """Return every branch the service knows, page by page."""
        known: list[int] = []
        cursor: str | None = None
        while True:
            page: Page[BranchSummary] = await self._get(
                Page[BranchSummary], "/v1/branches", params={"cursor": cursor}
            )
            known += [branch.branch_id for branch in page.items]
            if page.next_cursor is None:
                return known
            cursor = page.next_cursor
