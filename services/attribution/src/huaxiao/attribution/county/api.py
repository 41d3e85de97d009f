"""Routes that say what has been learned of the county."""

from huaxiao.attribution.callers import BranchReader
from huaxiao.attribution.county import store
from huaxiao.shared import web
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.problems import Forbidden, NotFound
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.attribution import Standing

router = web.router(tags=["county"])


@router.get("/standing", responses=web.problem_responses(Forbidden))
async def get_standing(branch_id: BranchId, connection: ReadTx, _: BranchReader) -> Standing:
    """Show how far this service has followed contracts: what events can be attributed by now."""
    found = await store.standing(connection, branch_id)
    if found is None:
        raise NotFound
    return found
