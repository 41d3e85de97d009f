"""Early exits: drafted with their ground, approved by a second person."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.contracts import store as contract_store
from huaxiao.contracts.contracts.handlers import lock_signed
from huaxiao.contracts.domain.agreements import COUNTY
from huaxiao.contracts.domain.locks import DigestMismatch
from huaxiao.contracts.domain.standing import CentresOutlive, TooLate, binding_in, require_ground
from huaxiao.contracts.exits import store
from huaxiao.contracts.settlements import store as statement_store
from huaxiao.contracts.settlements.documents import read_question
from huaxiao.contracts.supplements.reading import bound
from huaxiao.contracts.tables import feed
from huaxiao.contracts.violations.reading import standing
from huaxiao.shared.documents import digest
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import Period, business_day, first_day, periods_from, shift
from huaxiao.shared.problems import Conflict, Fault, Malformed, NotFound, TwoPeople
from huaxiao.shared.versions import require_version
from huaxiao.shared.wire.negative_list import Severity
from huaxiao.shared.wire.supplements import CONTRACT_EXITED, ContractExited, Exit, ExitIn
from huaxiao.shared.wire.terms import ContractTerms, Parties, TargetMeasure


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
    return _render(row)


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    given: ExitIn,
    *,
    if_match: str | None,
    drafted_by: str,
    now: datetime,
) -> Exit:
    """Draft an exit, or rewrite it until it is approved.

    Raises:
        StaleVersion: it is not the one the caller read.
        NoGround: the terms do not let the contract end so.
        TooLate: the last period has been settled as one that others follow.
        Conflict: another exit is approved.

    """
    contract = await lock_signed(connection, branch_id, contract_id)
    held = await store.load(connection, branch_id, contract_id)
    if held is not None and held["approved_at"] is not None:
        raise Conflict("The contract has ended.", "合同已终止。")
    require_version(if_match, None if held is None else _render(held))
    await _check(connection, contract, given, now)
    row = given.model_dump() | {
        "branch_id": branch_id,
        "contract_id": contract_id,
        "drafted_by": drafted_by,
        "drafted_at": now,
    }
    await store.put(connection, row)
    return await show(connection, branch_id, contract_id, None)


def _render(row: RowMapping) -> Exit:
    text = {name: row[name] for name in ExitIn.model_fields}
    document = ExitIn.model_validate(text).model_dump(mode="json")
    key = {"branch_id": row["branch_id"], "contract_id": row["contract_id"]}
    return Exit.model_validate(dict(row) | {"digest": digest(key | document)})


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
    _require_noticed(contract, given, now)
    if contract["level"] == COUNTY:
        await _require_no_centre_outlives(connection, contract, last)
    changed = (await bound(connection, branch_id, [contract]))[contract_id]
    terms = binding_in(
        last,
        ContractTerms.model_validate(contract["terms"]),
        Parties.model_validate(contract["parties"]),
        changed.amendments,
    ).terms
    violations = await standing(connection, branch_id, centre_ids=[contract["centre_id"] or ""])
    require_ground(
        given.ground,
        terms.exit,
        noticed_on=given.noticed_on,
        last=last,
        red_line_stands=any(
            one["number"] == given.violation
            and one["counted_as"] is Severity.A
            and contract["term_from"] <= one["period"] <= contract["term_to"]
            for one in violations
        ),
        shortfalls=await _shortfalls(connection, contract, terms, given.quarters),
    )


def _require_noticed(contract: RowMapping, given: ExitIn, now: datetime) -> None:
    bound_on = min(business_day(contract["signed_at"]), first_day(Period(contract["term_from"])))
    today = business_day(now)
    if not bound_on <= given.noticed_on <= today:
        fault = Fault(
            "/noticed_on",
            "not-then",
            f"the other side is told between {bound_on}, since when they are bound, and {today}",
            f"通知日须在合同约束之日 {bound_on} 至今日 {today} 之间",
        )
        raise Malformed(faults=[fault])


async def _require_no_centre_outlives(
    connection: AsyncConnection, contract: RowMapping, last: Period
) -> None:
    """Check that no centre's contract inside the county's goes on when that has ended (R7)."""
    branch_id = contract["branch_id"]
    rows = await contract_store.signed(connection, branch_id)
    ends = await store.last_periods(connection, branch_id, [row["contract_id"] for row in rows])
    outlive = [
        row["contract_id"]
        for row in rows
        if row["level"] != COUNTY
        and contract["term_from"] <= row["term_from"] <= contract["term_to"]
        and ends.get(row["contract_id"], row["term_to"]) > last
    ]
    if outlive:
        raise CentresOutlive(contract_ids=outlive)


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
    wanted: str,
    *,
    approved_by: str,
    now: datetime,
) -> Exit:
    """Approve an exit as a second person, as it was read; again changes nothing.

    Raises:
        DigestMismatch: it has been rewritten since.
        TwoPeople: the caller has drafted it.

    """
    await contract_store.lock(connection, branch_id, contract_id)
    held = await show(connection, branch_id, contract_id, None)
    if held.digest != wanted:
        raise DigestMismatch
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
