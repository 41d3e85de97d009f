"""The county in the database: what its contracts and its closed months say."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, func, or_, select, true
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
    decisions,
    places,
    reorganisations,
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
from huaxiao.shared.wire.feed import FeedEntry
from huaxiao.shared.wire.organisation import CentreChanged, PersonLeft, ReorganisationApplied


@dataclass(frozen=True, slots=True)
class Told:
    """Where a fact stands in its feed, and when it was known there."""

    position: int
    known_at: datetime

    @classmethod
    def by(cls, entry: FeedEntry) -> "Told":
        """Say it of a feed's entry."""
        return cls(entry.position, entry.time)


async def put_branch(
    connection: AsyncConnection, branch_id: int, branch: BranchRegistered, told: Told
) -> None:
    """Keep a branch."""
    row = {"name_zh": branch.name_zh, "default_centre_id": branch.default_centre_id}
    await _keep(connection, branches, branch_id, row, told)


async def put_centre(
    connection: AsyncConnection, branch_id: int, centre: Centre, told: Told
) -> None:
    """Keep a centre."""
    row = {"centre_id": centre.centre_id, "name": centre.name, "name_zh": centre.name_zh}
    await _keep(connection, centres, branch_id, row, told)


async def put_centre_change(
    connection: AsyncConnection, branch_id: int, fact: CentreChanged, told: Told
) -> None:
    """Keep what a centre is called from a day on, or that it is closed."""
    await _keep(connection, centre_changes, branch_id, fact.model_dump(), told)


async def end_place(
    connection: AsyncConnection, branch_id: int, fact: PersonLeft, told: Told
) -> None:
    """Keep that a person left: from that day on they are nobody's own staff."""
    await _keep(connection, places, branch_id, fact.model_dump() | {"own_staff": False}, told)


async def put_place(
    connection: AsyncConnection, branch_id: int, fact: PersonAssigned, told: Told
) -> None:
    """Keep a person's primary place; a concurrent one counts no head."""
    if not fact.assignment.primary:
        return
    row = {
        "person_id": fact.person.person_id,
        "from_day": fact.assignment.from_day,
        "centre_id": fact.assignment.centre_id,
        "own_staff": fact.person.engagement is Engagement.OWN,
    }
    await _keep(connection, places, branch_id, row, told)


async def put_contract(
    connection: AsyncConnection, branch_id: int, fact: ContractSigned, told: Told
) -> None:
    """Keep a signed contract and its base; signed contracts do not change."""
    row = fact.model_dump(include={"contract_id", "centre_id", "term_from", "term_to"})
    await _keep(connection, contracts, branch_id, row, told)
    for month in fact.base:
        named = {"contract_id": fact.contract_id} | month.model_dump()
        await _keep(connection, base_months, branch_id, named, told)


async def put_reorganisation(
    connection: AsyncConnection, branch_id: int, fact: ReorganisationApplied, told: Told
) -> None:
    """Keep that people and channels were placed anew from a day on (R20)."""
    row = {"plan_id": fact.plan_id, "from_day": fact.from_day}
    await _keep(connection, reorganisations, branch_id, row, told)


async def close_period(
    connection: AsyncConnection, branch_id: int, period: int, told: Told
) -> None:
    """Keep that a period takes no more entries."""
    await _keep(connection, closed_periods, branch_id, {"period": period}, told)


async def _keep(
    connection: AsyncConnection, table: Table, branch_id: int, row: Mapping[str, Any], told: Told
) -> None:
    """Append what a fact told; where it cannot be told anew, the first time counts."""
    await connection.execute(
        insert(table)
        .values(branch_id=branch_id, position=told.position, known_at=told.known_at, **row)
        .on_conflict_do_nothing()
    )


def _known(table: Table, known_at: datetime | None) -> ColumnElement[bool]:
    """Return the condition that a row was known at a moment; None is now."""
    return true() if known_at is None else table.c.known_at <= known_at


async def require_branch(
    connection: AsyncConnection, branch_id: int, known_at: datetime | None = None
) -> None:
    """Raise NotFound for a branch that no fact has told of, by a moment if one is given."""
    found = await connection.scalar(
        select(branches.c.branch_id)
        .where(branches.c.branch_id == branch_id, _known(branches, known_at))
        .limit(1)
    )
    if found is None:
        raise NotFound


async def decide_alone(connection: AsyncConnection, branch_id: int) -> None:
    """Let nobody else decide in the branch until this transaction ends."""
    row = insert(decisions).values(branch_id=branch_id, count=1)
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=["branch_id"], set_={"count": decisions.c.count + 1}
        )
    )


@dataclass(frozen=True, slots=True)
class Named:
    """What a branch and its centres are called in a period."""

    name_zh: str
    """Of the branch."""
    centres: Mapping[str, tuple[str, str]]
    """For each centre its English and its Chinese name."""
    closed: AbstractSet[str]
    """The centres that closed before the period."""


async def names(
    connection: AsyncConnection, branch_id: int, period: Period, known_at: datetime | None = None
) -> Named:
    """Return what a branch and its centres are called on the last day of a period."""
    name_zh = await connection.scalar(
        select(branches.c.name_zh)
        .where(branches.c.branch_id == branch_id, _known(branches, known_at))
        .order_by(branches.c.position.desc())
        .limit(1)
    )
    rows = await connection.execute(
        select(centres)
        .where(centres.c.branch_id == branch_id, _known(centres, known_at))
        .order_by(centres.c.centre_id, centres.c.position)
    )
    called = {row.centre_id: (row.name, row.name_zh) for row in rows}
    changed = await connection.execute(
        select(centre_changes)
        .where(
            centre_changes.c.branch_id == branch_id,
            centre_changes.c.from_day <= last_day(period),
            _known(centre_changes, known_at),
        )
        .ext(distinct_on(centre_changes.c.centre_id))
        .order_by(
            centre_changes.c.centre_id,
            centre_changes.c.from_day.desc(),
            centre_changes.c.position.desc(),
        )
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
    known_at: datetime | None = None,
) -> list[Term]:
    """Return the contracts of a period and before: the county's, and those of some centres."""
    query = select(contracts).where(
        contracts.c.branch_id == branch_id,
        contracts.c.term_from <= period,
        _known(contracts, known_at),
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


async def all_places(
    connection: AsyncConnection, branch_id: int, known_at: datetime | None = None
) -> list[Place]:
    """Return everybody's primary places."""
    rows = await connection.execute(
        select(places)
        .where(places.c.branch_id == branch_id, _known(places, known_at))
        .ext(distinct_on(places.c.person_id, places.c.from_day))
        .order_by(places.c.person_id, places.c.from_day, places.c.position.desc())
    )
    return [Place(row.person_id, row.from_day, row.centre_id, row.own_staff) for row in rows]


async def closed_through(
    connection: AsyncConnection, branch_id: int, known_at: datetime | None = None
) -> int:
    """Return the last closed period, 0 when none is: closing one ends all before it, too."""
    found: int | None = await connection.scalar(
        select(func.max(closed_periods.c.period)).where(
            closed_periods.c.branch_id == branch_id, _known(closed_periods, known_at)
        )
    )
    return found or 0


async def reorganised_on(
    connection: AsyncConnection, branch_id: int, known_at: datetime | None = None
) -> list[date]:
    """Return the days from which plans of the branch placed people and channels anew."""
    rows = await connection.scalars(
        select(reorganisations.c.from_day).where(
            reorganisations.c.branch_id == branch_id, _known(reorganisations, known_at)
        )
    )
    return list(rows)
