"""Risk deposits: recorded, and never more paid back than is there."""

from collections.abc import Set as AbstractSet
from datetime import datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.contracts import store as contract_store
from huaxiao.contracts.deposits import store
from huaxiao.contracts.domain.references import require_known
from huaxiao.contracts.organisation.store import known_people
from huaxiao.contracts.settlements import store as statement_store
from huaxiao.shared.problems import NotFound, Problem
from huaxiao.shared.wire.settlement import DepositMovement, DepositMovementIn


class DepositTooSmall(Problem):
    """More would be paid back than is deposited."""

    code = "deposit-too-small"
    status = HTTPStatus.CONFLICT
    title = "More would be paid back than is deposited"
    title_zh = "退还金额超过风险金余额"


async def record(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    given: DepositMovementIn,
    *,
    recorded_by: str,
    now: datetime,
) -> DepositMovement:
    """Record a movement under the contract's next number.

    Raises:
        UnknownReference: nobody of this code works here.
        DepositTooSmall: more would be paid back than is there.

    """
    if not await contract_store.lock(connection, branch_id, contract_id):
        raise NotFound
    known = await known_people(connection, branch_id, {given.person_id})
    require_known([("/person_id", given.person_id)], known)
    movements = await store.of_contracts(connection, branch_id, [contract_id])
    row = given.model_dump() | {
        "branch_id": branch_id,
        "contract_id": contract_id,
        "number": len(movements) + 1,
        "recorded_by": recorded_by,
        "recorded_at": now,
    }
    last = await statement_store.latest_closed(connection, branch_id, contract_id)
    counted = 0 if last is None else last["counted"]["movement"]
    held = 0 if last is None else last["answer"]["deposit_fen"]
    held += sum(store.signed_fen(one) for one in movements if one["number"] > counted)
    if held + store.signed_fen(row) < 0:
        raise DepositTooSmall(deposit_fen=held)
    await store.add(connection, row)
    return DepositMovement.model_validate(row)


async def list_movements(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    centre_ids: AbstractSet[str] | None,
    *,
    after: int,
    limit: int,
) -> list[DepositMovement]:
    """Return the movements of a contract's deposit that the caller may see, behind a number."""
    if await contract_store.load(connection, branch_id, contract_id, centre_ids) is None:
        raise NotFound
    rows = await store.of_contracts(connection, branch_id, [contract_id], after=after, limit=limit)
    return [DepositMovement.model_validate(dict(row)) for row in rows]
