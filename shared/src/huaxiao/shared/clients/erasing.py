"""What every service that keeps personal data can be asked about its erasure."""

from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.wire.personal import Erasure, ErasureIn


class ErasingClient(ServiceClient):
    """A client of a service that keeps personal data of customers."""

    async def ask_for_erasure(self, branch_id: int, given: ErasureIn) -> Erasure:
        """Ask for a customer's personal data to be erased."""
        asked: Erasure = await self._post(Erasure, f"/v1/branches/{branch_id}/erasures", given)
        return asked

    async def erasures(self, branch_id: int) -> list[Erasure]:
        """List the erasures of a branch."""
        return await self._all(Erasure, f"/v1/branches/{branch_id}/erasures")

    async def confirm_erasure(self, branch_id: int, erasure_id: str) -> Erasure:
        """Have done what somebody else has asked to be erased."""
        done: Erasure = await self._post(
            Erasure, f"/v1/branches/{branch_id}/erasures/{erasure_id}/confirm", None
        )
        return done
