"""The county in the database: what its contracts and its closed months say."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.domain.figures import BaseMonth, Place, Term
from huaxiao.kpi.tables import (
    base_months,
    branches,
    centre_changes,
    centres,
    closed_periods,
    contracts,
    places,
)
from huaxiao.shared.periods import Period, first_day, last_day
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.contracts import (
    BranchRegistered,
    Centre,
    ContractSigned,
    Engagement,
    PersonAssigned,
)
from huaxiao.shared.wire.organisation import CentreChanged, PersonLeft


async def put_branch(connection: AsyncConnection, branch_id: int, branch: BranchRegistered) -> None:
    """Keep a branch."""
    row = {"name_zh": branch.name_zh, "default_centre_id": branch.default_centre_id}
    await connection.execute(
        insert(branches)
        .values(branch_id=branch_id, **row)
        .on_conflict_do_update(index_elements=["branch_id"], set_=row)
    )


async def put_centre(connection: AsyncConnection, branch_id: int, centre: Centre) -> None:
    """Keep a centre."""
    row = {"name": centre.name, "name_zh": centre.name_zh}
    await connection.execute(
        insert(centres)
        .values(branch_id=branch_id, centre_id=centre.centre_id, **row)
        .on_conflict_do_update(index_elements=["branch_id", "centre_id"], set_=row)
    )


async def put_centre_change(
    connection: AsyncConnection, branch_id: int, fact: CentreChanged
) -> None:
    """Keep what a centre is called from a day on, or that it is closed."""
    row = {"name": fact.name, "name_zh": fact.name_zh, "open": fact.open}
    await connection.execute(
        insert(centre_changes)
        .values(branch_id=branch_id, centre_id=fact.centre_id, from_day=fact.from_day, **row)
        .on_conflict_do_update(index_elements=["branch_id", "centre_id", "from_day"], set_=row)
    )


async def end_place(connection: AsyncConnection, branch_id: int, fact: PersonLeft) -> None:
    """Keep that a person left: from that day on they are nobody's own staff."""
    row = {"centre_id": fact.centre_id, "own_staff": False}
    await connection.execute(
        insert(places)
        .values(branch_id=branch_id, person_id=fact.person_id, from_day=fact.from_day, **row)
        .on_conflict_do_update(index_elements=["branch_id", "person_id", "from_day"], set_=row)
    )


async def put_place(connection: AsyncConnection, branch_id: int, fact: PersonAssigned) -> None:
    """Keep a person's primary place; a concurrent one counts no head."""
    if not fact.assignment.primary:
        return
    row = {
        "centre_id": fact.assignment.centre_id,
        "own_staff": fact.person.engagement is Engagement.OWN,
    }
    await connection.execute(
        insert(places)
        .values(
            branch_id=branch_id,
            person_id=fact.person.person_id,
            from_day=fact.assignment.from_day,
            **row,
        )
        .on_conflict_do_update(index_elements=["branch_id", "person_id", "from_day"], set_=row)
    )


async def put_contract(connection: AsyncConnection, branch_id: int, fact: ContractSigned) -> None:
    """Keep a signed contract and its base; signed contracts do not change."""
    await connection.execute(
        insert(contracts)
        .values(
            branch_id=branch_id,
            contract_id=fact.contract_id,
            centre_id=fact.centre_id,
            term_from=fact.term_from,
            term_to=fact.term_to,
        )
        .on_conflict_do_nothing()
    )
    if fact.base:
        await connection.execute(
            insert(base_months).on_conflict_do_nothing(),
            [
                {"branch_id": branch_id, "contract_id": fact.contract_id} | month.model_dump()
                for month in fact.base
            ],
        )


async def close_period(connection: AsyncConnection, branch_id: int, period: int) -> None:
    """Keep that a period takes no more entries."""
    await connection.execute(
        insert(closed_periods).values(branch_id=branch_id, period=period).on_conflict_do_nothing()
    )


async def require_branch(connection: AsyncConnection, branch_id: int) -> None:
    """Raise NotFound for a branch that no fact has told of."""
    found = await connection.scalar(
        select(branches.c.branch_id).where(branches.c.branch_id == branch_id)
    )
    if found is None:
        raise NotFound


@dataclass(frozen=True, slots=True)
class Named:
    """What a branch and its centres are called in a period."""

    name_zh: str
    """Of the branch."""
    centres: Mapping[str, tuple[str, str]]
    """For each centre its English and its Chinese name."""
    closed: AbstractSet[str]
    """The centres that had closed before it."""


async def names(connection: AsyncConnection, branch_id: int, period: Period) -> Named:
    """Return what a branch and its centres are called on the last day of a period."""
    name_zh = await connection.scalar(
        select(branches.c.name_zh).where(branches.c.branch_id == branch_id)
    )
    rows = await connection.execute(select(centres).where(centres.c.branch_id == branch_id))
    called = {row.centre_id: (row.name, row.name_zh) for row in rows}
    changed = await connection.execute(
        select(centre_changes)
        .where(
            centre_changes.c.branch_id == branch_id, centre_changes.c.from_day <= last_day(period)
        )
        .ext(distinct_on(centre_changes.c.centre_id))
        .order_by(centre_changes.c.centre_id, centre_changes.c.from_day.desc())
    )
    closed: set[str] = set()
    for row in changed:
        called[row.centre_id] = (row.name, row.name_zh)
        if not row.open and row.from_day <= first_day(period):
            closed.add(row.centre_id)
    return Named(name_zh or "", called, closed)


async def terms(
    connection: AsyncConnection,
    branch_id: int,
    period: int,
    *,
    centre_ids: frozenset[str] | None,
) -> list[Term]:
    """Return the contracts in force in a period: the county's, and those of some centres."""
    query = select(contracts).where(
        contracts.c.branch_id == branch_id,
        contracts.c.term_from <= period,
        contracts.c.term_to >= period,
    )
    if centre_ids is not None:
        own = contracts.c.centre_id.in_(sorted(centre_ids))
        query = query.where(or_(contracts.c.centre_id.is_(None), own))
    return [
        Term(row.contract_id, row.centre_id, Period(row.term_from), Period(row.term_to))
        for row in await connection.execute(query)
    ]


async def base_of(
    connection: AsyncConnection,
    branch_id: int,
    contract_ids: Sequence[str],
    *,
    first: int,
    last: int,
) -> dict[str, dict[Period, BaseMonth]]:
    """Return the base months of contracts, between two periods of the year before."""
    rows = await connection.execute(
        select(base_months).where(
            base_months.c.branch_id == branch_id,
            base_months.c.contract_id.in_(list(contract_ids)),
            base_months.c.period.between(first, last),
        )
    )
    found: dict[str, dict[Period, BaseMonth]] = {}
    for row in rows:
        period = Period(row.period)
        found.setdefault(row.contract_id, {})[period] = BaseMonth(
            period,
            row.revenue_fen,
            row.market_cost_fen,
            row.cash_in_fen,
            row.cash_out_fen,
            row.pay_fen,
            row.headcount,
        )
    return found


async def all_places(connection: AsyncConnection, branch_id: int) -> list[Place]:
    """Return everybody's primary places."""
    rows = await connection.execute(select(places).where(places.c.branch_id == branch_id))
    return [Place(row.person_id, row.from_day, row.centre_id, row.own_staff) for row in rows]


async def closed_through(connection: AsyncConnection, branch_id: int) -> int:
    """Return the last closed period, 0 when none is: closing one ends all before it, too."""
    found: int | None = await connection.scalar(
        select(func.max(closed_periods.c.period)).where(closed_periods.c.branch_id == branch_id)
    )
    return found or 0
