"""Branches and divisions: load, decide, record."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches import store
from huaxiao.contracts.domain.divisions import DivisionCodes, division_faults
from huaxiao.contracts.tables import feed
from huaxiao.shared.feed import NewFact
from huaxiao.shared.problems import Conflict, Malformed
from huaxiao.shared.wire.contracts import (
    BRANCH_REGISTERED,
    Branch,
    BranchIn,
    BranchRegistered,
    DivisionIn,
    DivisionsAdded,
)


async def register(
    connection: AsyncConnection, branch_id: int, given: BranchIn, *, now: datetime
) -> tuple[Branch, bool]:
    """Register a branch; say whether it is new."""
    wanted = Branch(branch_id=branch_id, **given.model_dump())
    if not await store.add_branch(connection, wanted.model_dump()):
        known = await store.branch(connection, branch_id)
        if Branch.model_validate(dict(known)) != wanted:
            raise Conflict
        return wanted, False
    fact = BranchRegistered(
        branch_id=branch_id, name_zh=given.name_zh, default_centre_id=given.default_centre_id
    )
    await feed.append(
        connection, branch_id, [NewFact(BRANCH_REGISTERED, str(branch_id), fact)], now=now
    )
    return wanted, True


async def add_divisions(
    connection: AsyncConnection, branch_id: int, given: Sequence[DivisionIn]
) -> DivisionsAdded:
    """Add divisions that are not there yet."""
    await store.branch(connection, branch_id)
    faults = [
        fault
        for index, one in enumerate(given)
        for fault in division_faults(
            branch_id, DivisionCodes(one.code, one.level, one.parent_code), f"/{index}"
        )
    ]
    if faults:
        raise Malformed(faults=faults)
    wanted = {one.code: one for one in given}
    added = await store.add_divisions(
        connection, branch_id, [one.model_dump(mode="json") for _, one in sorted(wanted.items())]
    )
    known = {
        row["code"]: DivisionIn(
            code=row["code"],
            name=row["name"],
            level=row["level"],
            parent_code=row["parent_code"],
        )
        for row in await store.known_divisions(connection, branch_id, list(wanted))
    }
    different = sorted({one.code for one in given if known[one.code] != one})
    if different:
        raise Conflict(codes=different)
    return DivisionsAdded(added=added, unchanged=len(wanted) - added)
