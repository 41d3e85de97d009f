"""How a county makes appointments, as it stands."""

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appointments import store
from huaxiao.shared.wire.appointments import AppointmentRules, AppointmentRulesIn


async def rules(connection: AsyncConnection, branch_id: int) -> AppointmentRules:
    """Return how the county makes appointments."""
    row = await store.rules(connection, branch_id)
    if row is None:
        own = AppointmentRulesIn().model_dump()
        return AppointmentRules(**own, number=0, set_by=None, set_at=None)
    return AppointmentRules.model_validate(dict(row) | dict(row["given"]))
