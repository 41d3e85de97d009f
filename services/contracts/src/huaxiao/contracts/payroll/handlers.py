"""Payroll: load, decide, record."""

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.domain.headcount import NotPayable, Pay, Placement, headcount, pay_faults
from huaxiao.contracts.payroll import store
from huaxiao.contracts.tables import feed
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import Period, first_day, last_day, period_of_day
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
    told = {(pay.centre_id, pay.period) for pay in wanted}
    standing = _standing(held.values(), placements, told)
    changed = {(pay.centre_id, pay.period) for pay in new.values()}
    facts = [_fact(one) for one in standing if (one.centre_id, one.period) in changed]
    await feed.append(connection, branch_id, facts, now=now)
    return standing


async def restated_heads(
    connection: AsyncConnection, branch_id: int, placed: Placement
) -> list[NewFact]:
    """Return the payrolls to be told of again: those recorded before a place that changes their heads.

    Average pay is pay over heads (R4): whoever is moved with effect from a day in a month that is
    paid already is a head elsewhere in it.
    """
    paid = await store.recorded_since(connection, branch_id, period_of_day(placed.from_day))
    if not paid:
        return []
    placements = await store.placements_of(connection, branch_id)
    without = [one for one in placements if one != placed]
    told = {(pay.centre_id, pay.period) for pay in paid}
    before, now = _standing(paid, without, told), _standing(paid, placements, told)
    return [_fact(one) for was, one in zip(before, now, strict=True) if was != one]


def _standing(
    pays: Iterable[Pay], placements: Sequence[Placement], told: AbstractSet[tuple[str, Period]]
) -> list[CentrePay]:
    """Return what centres' payrolls of some months come to, and the heads that they are for."""
    sums = Counter[tuple[str, Period]]()
    for pay in pays:
        sums[pay.centre_id, pay.period] += pay.pay_fen
    return [
        CentrePay(
            centre_id=centre_id,
            period=period,
            pay_fen=sums[centre_id, period],
            headcount_start=headcount(placements, centre_id, first_day(period)),
            headcount_end=headcount(placements, centre_id, last_day(period)),
        )
        for centre_id, period in sorted(told)
    ]


def _fact(standing: CentrePay) -> NewFact:
    return NewFact(
        PAYROLL_RECORDED,
        f"{standing.centre_id}/{standing.period}",
        PayrollRecorded.model_validate(standing.model_dump()),
    )
