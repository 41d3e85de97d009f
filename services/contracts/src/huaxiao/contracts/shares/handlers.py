"""The share register: load, decide, record."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.domain.headcount import placed_on
from huaxiao.contracts.domain.references import require_known, require_working_here
from huaxiao.contracts.domain.shares import (
    Movement,
    fractions,
    holdings_on,
    movement_faults,
    require_enough,
    require_mirror,
    to_buy_back,
    without_shares,
)
from huaxiao.contracts.organisation.store import known_people
from huaxiao.contracts.payroll.store import placements_of
from huaxiao.contracts.shares import store
from huaxiao.contracts.tables import feed
from huaxiao.shared.feed import NewFact
from huaxiao.shared.problems import Conflict, Malformed, NotFound
from huaxiao.shared.wire.shares import (
    SHARES_MOVED,
    CapTable,
    Company,
    CompanyIn,
    Holding,
    ShareMovement,
    ShareMovementIn,
    ShareMovementKind,
    SharesMoved,
)


async def register(
    connection: AsyncConnection, branch_id: int, given: CompanyIn
) -> tuple[Company, bool]:
    """Register the operating company; say whether it is new."""
    await branch(connection, branch_id)
    wanted = Company(**given.model_dump())
    if not await store.add_company(connection, wanted.model_dump() | {"branch_id": branch_id}):
        if await company(connection, branch_id) != wanted:
            raise Conflict
        return wanted, False
    return wanted, True


async def company(connection: AsyncConnection, branch_id: int) -> Company:
    """Return a branch's company."""
    row = await store.company(connection, branch_id)
    if row is None:
        raise NotFound
    return Company.model_validate(dict(row))


def _movements(rows: Iterable[RowMapping]) -> list[Movement]:
    return [
        Movement(
            kind=ShareMovementKind(row["kind"]),
            day=row["day"],
            from_person=row["from_person"],
            to_person=row["to_person"],
            shares=row["shares"],
            number=row["number"],
            corrects=row["corrects"],
        )
        for row in rows
    ]


async def move(
    connection: AsyncConnection,
    branch_id: int,
    given: ShareMovementIn,
    *,
    recorded_by: str,
    now: datetime,
) -> ShareMovement:
    """Record a movement under the register's next number.

    Raises:
        UnknownReference: one of the sides never worked here.
        NotWorkingHere: who would get them does not work here on that day.
        MirrorsNothing: a correction is no mirror of a movement.
        NotEnoughShares: a side would hold fewer than none, then or later.

    """
    # One movement of a register at a time: each must see what the one before has left.
    held_by = await store.company(connection, branch_id, lock=True)
    if held_by is None:
        raise NotFound
    wanted = Movement(
        kind=given.kind,
        day=given.day,
        from_person=given.from_person,
        to_person=given.to_person,
        shares=given.shares,
        corrects=given.corrects,
    )
    faults = list(movement_faults(wanted))
    if faults:
        raise Malformed(faults=faults)
    sides = [
        (f"/{name}", person)
        for name, person in (("from_person", given.from_person), ("to_person", given.to_person))
        if person is not None
    ]
    known = await known_people(connection, branch_id, {person for _, person in sides})
    require_known(sides, known)
    if given.to_person is not None and given.corrects is None:
        # Who works here may be given shares; who has left still has them, and gives them back.
        placed = placed_on(await placements_of(connection, branch_id), given.day)
        require_working_here([("/to_person", given.to_person)], placed.keys(), given.day)
    held = _movements(await store.movements(connection, branch_id))
    require_mirror(wanted, held)
    require_enough(wanted, held, held_by["authorised_shares"])
    made = ShareMovement(
        **given.model_dump(), number=len(held) + 1, recorded_by=recorded_by, recorded_at=now
    )
    await store.add(connection, made.model_dump() | {"branch_id": branch_id})
    fact = NewFact(SHARES_MOVED, str(made.number), SharesMoved(movement=made))
    await feed.append(connection, branch_id, [fact], now=now)
    return made


async def list_movements(
    connection: AsyncConnection,
    branch_id: int,
    person_id: str | None,
    *,
    after: int,
    limit: int,
) -> list[ShareMovement]:
    """Return movements behind a number, all or those of a person."""
    rows = await store.movements(
        connection, branch_id, person_id=person_id, after=after, limit=limit
    )
    return [ShareMovement.model_validate(dict(row)) for row in rows]


async def cap_table(connection: AsyncConnection, branch_id: int, on: date) -> CapTable:
    """Return who holds the company on a day, and who should and does not."""
    held_by = await company(connection, branch_id)
    holdings = holdings_on(_movements(await store.movements(connection, branch_id)), on)
    placed = placed_on(await placements_of(connection, branch_id), on)
    own = {person for person, place in placed.items() if place.own}
    missing = without_shares(holdings, own)
    part = fractions(holdings)
    return CapTable(
        on=on,
        authorised_shares=held_by.authorised_shares,
        issued_shares=sum(holdings.values()),
        holdings=[
            Holding(
                person_id=person,
                shares=shares,
                fraction=part[person],
                works_here=person in placed,
            )
            for person, shares in holdings.items()
        ],
        everybody_holds=not missing,
        without_shares=missing,
        to_buy_back=to_buy_back(holdings, placed.keys()),
    )
