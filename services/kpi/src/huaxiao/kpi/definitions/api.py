"""Routes of definitions."""

from typing import Annotated

from huaxiao.kpi.county.store import require_branch
from huaxiao.kpi.definitions.rendering import definitions
from huaxiao.kpi.readers import READERS
from huaxiao.shared import web
from huaxiao.shared.auth import Principal
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.kpi import Definitions

router = web.router(tags=["definitions"])


@router.get("/definitions")
async def read_definitions(
    branch_id: BranchId,
    connection: ReadTx,
    principal: Annotated[Principal, READERS],  # noqa: ARG001 - admits the caller
) -> Definitions:
    """Tell what the figures mean: formulas, closed lists, and what their absence means."""
    await require_branch(connection, branch_id)
    return definitions()
