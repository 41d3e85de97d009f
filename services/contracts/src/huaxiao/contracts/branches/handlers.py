"""Branches and divisions: load, decide, record."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches import store
from huaxiao.contracts.domain.divisions import (
    DivisionCodes,
    TwoParents,
    UnitCodes,
    division_faults,
    unit_faults,
)
from huaxiao.contracts.domain.references import require_known
from huaxiao.contracts.tables import feed
from huaxiao.shared.feed import NewFact
from huaxiao.shared.problems import Conflict, Malformed
from huaxiao.shared.wire.contracts import (
    BRANCH_REGISTERED,
    AddressUnitIn,
    AddressUnitsAdded,
    Branch,
    BranchIn,
    BranchRegistered,
    DivisionIn,
    DivisionLevel,
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


async def add_units(
    connection: AsyncConnection, branch_id: int, given: Sequence[AddressUnitIn]
) -> AddressUnitsAdded:
    """Add address units that are not there yet; each below a village or unit that is known.

    Raises:
        Malformed: a code does not begin with its parent's.
        UnknownReference: a parent is neither known nor among what is given.
        TwoParents: a unit is known, or given twice, under different parents.

    """
    await store.branch(connection, branch_id)
    faults = list(unit_faults([UnitCodes(one.code, one.parent_code) for one in given]))
    if faults:
        raise Malformed(faults=faults)
    wanted = {one.code: one for one in given}
    parents = sorted({one.parent_code for one in given} - wanted.keys())
    villages = await store.known_divisions(connection, branch_id, parents)
    units = await store.known_units(connection, branch_id, [*parents, *wanted])
    known = {row["code"] for row in villages if row["level"] == DivisionLevel.VILLAGE} | {
        row["code"] for row in units
    }
    require_known(
        [(f"/{index}/parent_code", one.parent_code) for index, one in enumerate(given)],
        known | wanted.keys(),
    )
    held = {row["code"]: AddressUnitIn.model_validate(_members(row)) for row in units}
    torn = {
        one.code
        for one in given
        if one.parent_code != held.get(one.code, wanted[one.code]).parent_code
    }
    if torn:
        raise TwoParents(codes=sorted(torn))
    different = sorted({one.code for one in given if held.get(one.code, wanted[one.code]) != one})
    if different:
        raise Conflict(codes=different)
    new = [one.model_dump() for code, one in sorted(wanted.items()) if code not in held]
    added = await store.add_units(connection, branch_id, new) if new else 0
    return AddressUnitsAdded(added=added, unchanged=len(wanted) - added)


def _members(row: RowMapping) -> dict[str, str]:
    return {name: row[name] for name in AddressUnitIn.model_fields}
