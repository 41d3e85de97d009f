"""What a contractor is paid, held against what the team is."""

from collections.abc import Set as AbstractSet

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.contracts import store as contract_store
from huaxiao.contracts.domain.pay_limits import paid_so_far
from huaxiao.contracts.payroll import store
from huaxiao.contracts.settlements.handlers import NotInTerm, agreed
from huaxiao.contracts.supplements.reading import bound
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.contracts import PayComparison

_YEAR = 12


async def compare(
    connection: AsyncConnection,
    branch_id: int,
    contract_id: str,
    period: Period,
    centre_ids: AbstractSet[str] | None,
) -> PayComparison:
    """Return the contractor's pay of the contract year so far beside the members'.

    Raises:
        NotFound: the caller sees no such contract, or it is the county's, which no centre's team has.
        NotInTerm: it is not signed, or the month lies outside its term.

    """
    row = await contract_store.load(connection, branch_id, contract_id, centre_ids)
    if row is None or row["centre_id"] is None:
        raise NotFound
    contract = agreed(row, (await bound(connection, branch_id, [row]))[contract_id])
    months = contract.through(period)
    if row["digest"] is None or not contract.first <= period <= contract.last:
        raise NotInTerm
    year = months[(len(months) - 1) // _YEAR * _YEAR :]
    contractors = {
        month: contract.binding(month).parties.contracting.represented_by for month in year
    }
    pays = [
        one
        for one in await store.recorded(connection, branch_id, set(year))
        if one.centre_id == row["centre_id"]
    ]
    paid = paid_so_far(pays, contractors)
    limit = contract.binding(period).terms.pay_limit
    return PayComparison(
        contract_id=contract_id,
        period_from=year[0],
        period_to=period,
        contractor_id=contractors[period],
        contractor_fen=paid.contractor_fen,
        contractor_months=paid.contractor_months,
        members_fen=paid.members_fen,
        member_months=paid.member_months,
        most_times=None if limit is None else limit.most_times,
        most_fen=None if limit is None else paid.most_fen(limit.most_times),
        within=None if limit is None else paid.within(limit.most_times),
    )
