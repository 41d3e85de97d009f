"""Payroll: load, decide, record."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.domain.headcount import NotPayable, Pay, headcount, pay_faults
from huaxiao.contracts.payroll import store
from huaxiao.contracts.tables import feed
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import Period, first_day, last_day
from huaxiao.shared.problems import Conflict
from huaxiao.shared.wire.contracts import PAYROLL_RECORDED, CentrePay, PayIn, PayrollRecorded


async def record(
    connection: AsyncConnection, branch_id: int, given: Sequence[PayIn], *, now: datetime
) -> list[CentrePay]:
    """Record pay that is new, and publish each centre's pay of the period as it then stands.

    Raises:
        Conflict: a person's pay of a period is recorded already, and is another.
        NotPayable: not all are own staff of the centre named.

    """
    # One payroll of a branch at a time: a centre's total must hold what the one before added.
    await branch(connection, branch_id, lock=True)
    wanted = [Pay(one.person_id, one.centre_id, Period(one.period), one.pay_fen) for one in given]
    placements = await store.placements_of(connection, branch_id)
    faults = list(pay_faults(wanted, placements))
    if faults:
        raise NotPayable(faults=faults)
    held = {
        (pay.person_id, pay.period): pay
        for pay in await store.recorded(connection, branch_id, {pay.period for pay in wanted})
    }
    new: dict[tuple[str, Period], Pay] = {}
    different: set[str] = set()
    for pay in wanted:
        key = (pay.person_id, pay.period)
        if key not in held:
            held[key] = new[key] = pay
        elif held[key] != pay:
            different.add(pay.person_id)
    if different:
        raise Conflict(person_ids=sorted(different))
    await store.add(connection, branch_id, list(new.values()), now=now)
    standing = [
        CentrePay(
            centre_id=centre_id,
            period=period,
            pay_fen=sum(
                pay.pay_fen
                for pay in held.values()
                if (pay.centre_id, pay.period) == (centre_id, period)
            ),
            headcount_start=headcount(placements, centre_id, first_day(period)),
            headcount_end=headcount(placements, centre_id, last_day(period)),
        )
        for centre_id, period in sorted({(pay.centre_id, pay.period) for pay in wanted})
    ]
    changed = {(pay.centre_id, pay.period) for pay in new.values()}
    facts = [
        NewFact(
            PAYROLL_RECORDED,
            f"{one.centre_id}/{one.period}",
            PayrollRecorded.model_validate(one.model_dump()),
        )
        for one in standing
        if (one.centre_id, one.period) in changed
    ]
    await feed.append(connection, branch_id, facts, now=now)
    return standing
