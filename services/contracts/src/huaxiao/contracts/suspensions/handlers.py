"""Suspensions: load, decide, record."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.contracts import store as contract_store
from huaxiao.contracts.contracts.handlers import lock_signed
from huaxiao.contracts.domain.standing import TooLate, suspension_faults
from huaxiao.contracts.exits import store as exit_store
from huaxiao.contracts.settlements import store as statement_store
from huaxiao.contracts.suspensions import store
from huaxiao.contracts.suspensions.reading import of_contracts, stretch_of
from huaxiao.contracts.tables import feed
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Conflict, Malformed, NotFound, TwoPeople
from huaxiao.shared.wire.signing import (
    Suspension,
    SuspensionEndIn,
    SuspensionIn,
    SuspensionStepKind,
)
from huaxiao.shared.wire.supplements import CONTRACT_SUSPENDED, ContractSuspended

_APPROVES = {
    SuspensionStepKind.PROPOSED: SuspensionStepKind.APPROVED,
    SuspensionStepKind.END_PROPOSED: SuspensionStepKind.END_APPROVED,
}


async def list_suspensions(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    centre_ids: AbstractSet[str] | None,
    *,
    after: int,
) -> list[Suspension]:
    """Return the suspensions of a contract that the caller may see, behind a number."""
    if await contract_store.load(connection, branch_id, contract_id, centre_ids) is None:
        raise NotFound
    held = await of_contracts(connection, branch_id, [contract_id])
    return [one for one in held if one.number > after]


async def propose(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    given: SuspensionIn,
    *,
    proposed_by: str,
    now: datetime,
) -> Suspension:
    """Propose to suspend a signed contract from a period on.

    Raises:
        TooLate: the period is settled.
        Conflict: another proposal waits for its approval.

    """
    contract = await lock_signed(connection, branch_id, contract_id)
    held = await of_contracts(connection, branch_id, [contract_id])
    if any(not one.in_force for one in held):
        raise Conflict("Another suspension waits for its approval.", "另有中止待批准。")
    first = Period(given.from_period)
    await _check(connection, contract, first, None, held)
    return await _add(
        connection,
        contract,
        len(held) + 1,
        SuspensionStepKind.PROPOSED,
        by=proposed_by,
        now=now,
        period=first,
        reason=given.reason,
    )


async def propose_end(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    number: int,
    given: SuspensionEndIn,
    *,
    proposed_by: str,
    now: datetime,
) -> Suspension:
    """Propose the last period of a suspension.

    Raises:
        TooLate: the suspension has been settled for a later period.
        Conflict: it is not approved, or has an end, or one waits for its approval.

    """
    contract = await lock_signed(connection, branch_id, contract_id)
    held = await of_contracts(connection, branch_id, [contract_id])
    one = _numbered(held, number)
    if one.steps[-1].kind is not SuspensionStepKind.APPROVED:
        raise Conflict("The suspension is not one that goes on.", "该中止未在持续。")
    last = Period(given.last_period)
    await _check(connection, contract, Period(one.from_period), last, _others(held, one))
    return await _add(
        connection,
        contract,
        number,
        SuspensionStepKind.END_PROPOSED,
        by=proposed_by,
        now=now,
        period=last,
        reason=given.reason,
    )


async def approve(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    number: int,
    *,
    approved_by: str,
    now: datetime,
) -> Suspension:
    """Approve what waits for it as a second person; again changes nothing.

    Raises:
        TwoPeople: the caller has proposed it.
        TooLate: a period it reaches has been settled meanwhile.

    """
    contract = await lock_signed(connection, branch_id, contract_id)
    held = await of_contracts(connection, branch_id, [contract_id])
    one = _numbered(held, number)
    waiting = one.steps[-1]
    if waiting.kind not in _APPROVES:
        return one
    if waiting.by == approved_by:
        raise TwoPeople
    is_end = waiting.kind is SuspensionStepKind.END_PROPOSED
    last = Period(waiting.period) if is_end and waiting.period is not None else None
    await _check(connection, contract, Period(one.from_period), last, _others(held, one))
    approved = await _add(
        connection, contract, number, _APPROVES[waiting.kind], by=approved_by, now=now
    )
    fact = ContractSuspended.model_validate(
        approved.model_dump() | {"centre_id": contract["centre_id"]}
    )
    await feed.append(
        connection,
        branch_id,
        [NewFact(CONTRACT_SUSPENDED, f"{contract_id}/{number}", fact)],
        now=now,
    )
    return approved


def _numbered(held: Sequence[Suspension], number: int) -> Suspension:
    for one in held:
        if one.number == number:
            return one
    raise NotFound


def _others(held: Sequence[Suspension], but: Suspension) -> list[Suspension]:
    return [one for one in held if one.number != but.number]


async def _check(
    connection: AsyncConnection,
    contract: RowMapping,
    first: Period,
    last: Period | None,
    others: Sequence[Suspension],
) -> None:
    """Check that a suspension lies in the term, meets no other and reaches behind nothing settled."""
    branch_id, contract_id = contract["branch_id"], contract["contract_id"]
    ends = await exit_store.last_periods(connection, branch_id, [contract_id])
    term = (Period(contract["term_from"]), Period(ends.get(contract_id, contract["term_to"])))
    stretches = [stretch_of(one) for one in others if one.in_force]
    faults = list(suspension_faults(first, last, term, stretches))
    if faults:
        raise Malformed(faults=faults)
    settled = await statement_store.closed_through(connection, branch_id, contract_id)
    if settled is None:
        return
    # An end may name a settled month as the last one: that month was suspended, and stays so.
    if first <= settled if last is None else last < settled:
        raise TooLate(settled_through=settled)


async def _add(
    connection: AsyncConnection,
    contract: RowMapping,
    number: int,
    kind: SuspensionStepKind,
    *,
    by: str,
    now: datetime,
    period: Period | None = None,
    reason: str | None = None,
) -> Suspension:
    branch_id, contract_id = contract["branch_id"], contract["contract_id"]
    await store.add(
        connection,
        {
            "branch_id": branch_id,
            "contract_id": contract_id,
            "number": number,
            "kind": kind,
            "period": period,
            "reason": reason,
            "by": by,
            "at": now,
        },
    )
    return _numbered(await of_contracts(connection, branch_id, [contract_id]), number)
