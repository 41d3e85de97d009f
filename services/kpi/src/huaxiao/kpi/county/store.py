"""The county in the database: what its contracts and its closed months say."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    ScalarSelect,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert
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


@dataclass(frozen=True, slots=True)
class Facts:
    """What the feeds told of a branch beside its measures."""

    name_zh: str
    """Of the branch."""
    centres: Mapping[str, tuple[str, str]]
    """For each centre the English and the Chinese name it was registered by."""
    changes: Sequence["_CentreChange"]
    """By centre and day, the one that prevails last."""
    terms: Sequence[Term]
    base: Mapping[str, Mapping[Period, BaseMonth]]
    """By contract."""
    places: Sequence[Place]
    reorganised_on: Sequence[date]
    """The days from which plans placed people and channels anew."""
    closed_through: int
    """The last closed period, 0 when none is: closing one ends all before it, too."""

    def named(self, period: Period) -> Named:
        """Return what the branch and its centres are called on the last day of a period."""
        called = dict(self.centres)
        closed: set[str] = set()
        for centre_id, from_day, name, name_zh, is_open in self.changes:
            if from_day > last_day(period):
                continue
            called[centre_id] = (name, name_zh)
            if not is_open and from_day <= first_day(period):
                closed.add(centre_id)
            else:
                closed.discard(centre_id)
        return Named(self.name_zh, called, closed)


_CentreChange = tuple[str, date, str, str, bool]
"""Centre, the day it holds from, its two names, whether the centre is open."""


class _Told(msgspec.Struct):
    """The rows of all tables, as one statement returns them."""

    name_zh: str | None
    centres: list[tuple[str, str, str]] | None
    changes: list[_CentreChange] | None
    terms: list[tuple[str, str | None, int, int]] | None
    base: list[tuple[str, int, int, int, int, int, int, int]] | None
    places: list[tuple[str, date, str, bool]] | None
    reorganised_on: list[date] | None
    closed_through: int | None


_told = msgspec.json.Decoder(_Told)
_BRANCH = bindparam("of_branch", type_=Integer)
_KNOWN_AT = bindparam("known_at", type_=DateTime(timezone=True))


def _of(table: Table) -> ColumnElement[bool]:
    known = or_(_KNOWN_AT.is_(None), table.c.known_at <= _KNOWN_AT)
    return and_(table.c.branch_id == _BRANCH, known)


def _rows(table: Table, *names: str, order_by: Sequence[str]) -> ScalarSelect[Any]:
    """Return a table's rows as one value; later ones prevail in the order that is named."""
    row = func.json_build_array(*(table.c[one] for one in names))
    ordered = aggregate_order_by(row, *(table.c[one] for one in order_by))
    return select(func.json_agg(ordered)).where(_of(table)).scalar_subquery()


_BASE = [
    "contract_id",
    "period",
    *("revenue_fen", "market_cost_fen", "cash_in_fen", "cash_out_fen", "pay_fen", "headcount"),
]
# One statement for all: as many as there are tables would take longer to ask than to answer.
_FACTS = select(
    cast(
        func.json_build_object(
            "name_zh",
            select(branches.c.name_zh)
            .where(_of(branches))
            .order_by(branches.c.position.desc())
            .limit(1)
            .scalar_subquery(),
            "centres",
            _rows(centres, "centre_id", "name", "name_zh", order_by=["centre_id", "position"]),
            "changes",
            _rows(
                centre_changes,
                *("centre_id", "from_day", "name", "name_zh", "open"),
                order_by=["centre_id", "from_day", "position"],
            ),
            "terms",
            _rows(
                contracts,
                *("contract_id", "centre_id", "term_from", "term_to"),
                order_by=["contract_id"],
            ),
            "base",
            _rows(base_months, *_BASE, order_by=["contract_id", "period"]),
            "places",
            _rows(
                places,
                *("person_id", "from_day", "centre_id", "own_staff"),
                order_by=["person_id", "from_day", "position"],
            ),
            "reorganised_on",
            select(func.json_agg(reorganisations.c.from_day))
            .where(_of(reorganisations))
            .scalar_subquery(),
            "closed_through",
            select(func.max(closed_periods.c.period)).where(_of(closed_periods)).scalar_subquery(),
        ),
        Text,
    )
)


async def facts(
    connection: AsyncConnection, branch_id: int, known_at: datetime | None = None
) -> Facts:
    """Return all that was told of a branch beside its measures, by a moment if one is given.

    Raises:
        NotFound: no fact has told of the branch.

    """
    text = await connection.scalar(_FACTS, {"of_branch": branch_id, "known_at": known_at})
    told = _told.decode(text or "")
    if told.name_zh is None:
        raise NotFound
    base: dict[str, dict[Period, BaseMonth]] = {}
    for contract_id, number, *amounts in told.base or ():
        period = Period(number)
        base.setdefault(contract_id, {})[period] = BaseMonth(period, *amounts)
    # Of a person's places from one day the one that was told last holds.
    held = {(place[0], place[1]): Place(*place) for place in told.places or ()}
    return Facts(
        name_zh=told.name_zh,
        centres={one: (name, name_zh) for one, name, name_zh in told.centres or ()},
        changes=told.changes or (),
        terms=[
            Term(contract_id, centre_id, Period(term_from), Period(term_to))
            for contract_id, centre_id, term_from, term_to in told.terms or ()
        ],
        base=base,
        places=list(held.values()),
        reorganised_on=told.reorganised_on or (),
        closed_through=told.closed_through or 0,
    )


async def names(
    connection: AsyncConnection, branch_id: int, period: Period, known_at: datetime | None = None
) -> Named:
    """Return what a branch and its centres are called on the last day of a period.

    Raises:
        NotFound: no fact has told of the branch.

    """
    return (await facts(connection, branch_id, known_at)).named(period)


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
