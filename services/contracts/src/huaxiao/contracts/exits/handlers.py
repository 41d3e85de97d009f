"""Early exits: drafted with their ground, approved by a second person."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.contracts import store as contract_store
from huaxiao.contracts.domain.standing import TooLate, require_ground
from huaxiao.contracts.exits import store
from huaxiao.contracts.settlements import store as statement_store
from huaxiao.contracts.settlements.documents import read_question
from huaxiao.contracts.tables import feed
from huaxiao.contracts.violations import store as violation_store
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import Period, periods_from, shift
from huaxiao.shared.problems import Conflict, Fault, Malformed, NotFound, TwoPeople
from huaxiao.shared.wire.negative_list import Severity
from huaxiao.shared.wire.supplements import CONTRACT_EXITED, ContractExited, Exit, ExitIn
from huaxiao.shared.wire.terms import ContractTerms, TargetMeasure


async def show(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    centre_ids: AbstractSet[str] | None,
) -> Exit:
    """Return the early exit of a contract that the caller may see."""
    if await contract_store.load(connection, branch_id, contract_id, centre_ids) is None:
        raise NotFound
    row = await store.load(connection, branch_id, contract_id)
    if row is None:
        raise NotFound
    return Exit.model_validate(dict(row))


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    given: ExitIn,
    *,
    drafted_by: str,
    now: datetime,
) -> Exit:
    """Draft an exit, or rewrite it until it is approved.

    Raises:
        NoGround: the terms do not let the contract end so.
        TooLate: the last period has been settled as one that others follow.
        Conflict: another exit is approved.

    """
    await contract_store.lock(connection, branch_id, contract_id)
    contract = await contract_store.load(connection, branch_id, contract_id, None)
    if contract is None or contract["digest"] is None:
        raise NotFound
    held = await store.load(connection, branch_id, contract_id)
    if held is not None and held["approved_at"] is not None:
        raise Conflict("The contract has ended.", "合同已终止。")
    await _check(connection, contract, given, now)
    row = given.model_dump() | {
        "branch_id": branch_id,
        "contract_id": contract_id,
        "drafted_by": drafted_by,
        "drafted_at": now,
    }
    await store.put(connection, row)
    return await show(connection, branch_id, contract_id, None)


async def _check(
    connection: AsyncConnection, contract: RowMapping, given: ExitIn, now: datetime
) -> None:
    branch_id, contract_id = contract["branch_id"], contract["contract_id"]
    last = Period(given.last_period)
    if not contract["term_from"] <= last < contract["term_to"]:
        fault = Fault(
            "/last_period", "outside-term", "it lies before the term's last", "须早于承包期止"
        )
        raise Malformed(faults=[fault])
    settled = await statement_store.closed_through(connection, branch_id, contract_id)
    if settled is not None and last <= settled:
        raise TooLate(settled_through=settled)
    terms = ContractTerms.model_validate(contract["terms"])
    violations = await violation_store.standing(
        connection, branch_id, known_at=now, centre_ids=[contract["centre_id"] or ""]
    )
    require_ground(
        given.ground,
        terms.exit,
        noticed_on=given.noticed_on,
        last=last,
        red_line_stands=any(
            one["number"] == given.violation and one["counted_as"] == Severity.A
            for one in violations
        ),
        shortfalls=await _shortfalls(connection, contract, terms, given.quarters),
    )


async def _shortfalls(
    connection: AsyncConnection,
    contract: RowMapping,
    terms: ContractTerms,
    quarters: Sequence[int],
) -> list[Period]:
    """Return those quarters whose gross profit, as settled, fell short of its target."""
    row = await statement_store.latest_closed(
        connection, contract["branch_id"], contract["contract_id"]
    )
    months = () if row is None else read_question(row["question"]).months
    profits = {one.period: one.gross_profit_fen for one in months}
    targets = {
        (one.period_from, one.period_to): one.amount_fen
        for one in terms.targets
        if one.measure is TargetMeasure.GROSS_PROFIT
    }
    short: list[Period] = []
    for first in sorted(set(quarters)):
        end = shift(Period(first), 2)
        target = targets.get((first, end))
        known = [profits.get(month) for month in periods_from(Period(first), end)]
        settled = [one for one in known if one is not None]
        is_known = target is not None and len(settled) == len(known)
        if is_known and sum(settled) < terms.exit.shortfall_below * (target or 0):
            short.append(Period(first))
    return short


async def approve(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    *,
    approved_by: str,
    now: datetime,
) -> Exit:
    """Approve an exit as a second person; again changes nothing."""
    await contract_store.lock(connection, branch_id, contract_id)
    held = await show(connection, branch_id, contract_id, None)
    if held.approved_by is not None:
        return held
    if held.drafted_by == approved_by:
        raise TwoPeople
    contract = await contract_store.load(connection, branch_id, contract_id, None)
    assert contract is not None  # noqa: S101 - an exit refers to it
    # What was so when it was drafted may have changed: a period settled, a violation dismissed.
    given = ExitIn.model_validate(held.model_dump(include=set(ExitIn.model_fields)))
    await _check(connection, contract, given, now)
    await store.approve(
        connection,
        {
            "branch_id": branch_id,
            "contract_id": contract_id,
            "approved_by": approved_by,
            "approved_at": now,
        },
    )
    approved = await show(connection, branch_id, contract_id, None)
    fact = ContractExited(
        contract_id=contract_id,
        centre_id=contract["centre_id"],
        ground=approved.ground,
        last_period=approved.last_period,
    )
    await feed.append(connection, branch_id, [NewFact(CONTRACT_EXITED, contract_id, fact)], now=now)
    return approved
