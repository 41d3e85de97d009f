"""Corrections: drafted by one, approved by another, counted once."""

from collections.abc import Set as AbstractSet
from datetime import datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.contracts import store as contract_store
from huaxiao.contracts.corrections import store
from huaxiao.contracts.settlements import store as statement_store
from huaxiao.shared.problems import NotFound, Problem, TwoPeople
from huaxiao.shared.wire.settlement import Correction, CorrectionIn


class StatementNotClosed(Problem):
    """A draft is drafted anew; only what is closed needs a correction."""

    code = "statement-not-closed"
    status = HTTPStatus.CONFLICT
    title = "Only a closed statement is corrected; draft this one anew"
    title_zh = "仅已关闭的结算单需要更正，请重新起草"


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    given: CorrectionIn,
    *,
    drafted_by: str,
    now: datetime,
) -> Correction:
    """Draft a correction of a closed statement.

    Raises:
        StatementNotClosed: the statement is open, or there is none.

    """
    if not await contract_store.lock(connection, branch_id, contract_id):
        raise NotFound
    statement = await statement_store.load(
        connection, branch_id, contract_id, given.of_period, None
    )
    if statement is None or statement["closed_at"] is None:
        raise StatementNotClosed
    number = await store.add(
        connection,
        given.model_dump()
        | {
            "branch_id": branch_id,
            "contract_id": contract_id,
            "drafted_by": drafted_by,
            "drafted_at": now,
        },
    )
    return await show(connection, branch_id, contract_id, number)


async def approve(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    number: int,
    *,
    approved_by: str,
    now: datetime,
) -> Correction:
    """Approve a correction as a second person; again changes nothing."""
    if not await contract_store.lock(connection, branch_id, contract_id):
        raise NotFound
    held = await show(connection, branch_id, contract_id, number)
    if held.approved_by is not None:
        return held
    if held.drafted_by == approved_by:
        raise TwoPeople
    await store.approve(
        connection,
        {
            "branch_id": branch_id,
            "contract_id": contract_id,
            "number": number,
            "approved_by": approved_by,
            "approved_at": now,
        },
    )
    return await show(connection, branch_id, contract_id, number)


async def show(
    connection: AsyncConnection, branch_id: int, contract_id: str, number: int
) -> Correction:
    """Return a correction."""
    row = await store.load(connection, branch_id, contract_id, number)
    if row is None:
        raise NotFound
    return Correction.model_validate(dict(row))


async def list_corrections(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    centre_ids: AbstractSet[str] | None,
    *,
    after: int,
    limit: int,
) -> list[Correction]:
    """Return the corrections of a contract that the caller may see, behind a number."""
    if await contract_store.load(connection, branch_id, contract_id, centre_ids) is None:
        raise NotFound
    rows = await store.of_contracts(connection, branch_id, [contract_id], after=after, limit=limit)
    return [Correction.model_validate(dict(row)) for row in rows]
