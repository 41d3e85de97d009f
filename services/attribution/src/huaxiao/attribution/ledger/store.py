"""Rows of the ledger: what is read of them, and what they come to."""

import hashlib
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from datetime import datetime

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    ScalarSelect,
    Subquery,
    and_,
    case,
    cast,
    false,
    func,
    lateral,
    or_,
    select,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.books import OWN_SOURCE
from huaxiao.attribution.domain.postings import NET_REVENUE
from huaxiao.attribution.tables import (
    balances,
    branches,
    centres,
    entries,
    held_events,
    intakes,
    period_totals,
    subscriptions,
)
from huaxiao.shared.database import within
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import NotFound
from huaxiao.shared.wire.attribution import (
    ADJUSTMENTS,
    REFUNDS,
    REVENUE,
    Balance,
    CentreRevenue,
    Entry,
    LinesOfField,
    PeriodBooks,
    StatementLine,
)

_AT_ONCE = 10_000
_DIGESTED = (
    *("number", "period", "origin_period", "owner_period", "centre_id", "field_id"),
    *("debit", "credit", "amount_fen", "subscription_id", "source", "event_id", "booked_at"),
)
"""What seals and statements bind of an entry, in this order for ever: a new column is not among them."""
BalanceKey = tuple[str, str, str]


def in_period(branch_id: int, number: int) -> ColumnElement[bool]:
    """Say of an entry that it is one of a period's, none of which lies beyond its first and last."""

    def bound(column: Column[int]) -> ScalarSelect[int]:
        totals = period_totals
        return (
            select(column)
            .where(totals.c.branch_id == branch_id, totals.c.period == number)
            .scalar_subquery()
        )

    return and_(
        entries.c.branch_id == branch_id,
        entries.c.number >= bound(period_totals.c.first_entry),
        entries.c.number <= bound(period_totals.c.last_entry),
        entries.c.period == number,
    )


async def balance_page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: int,
    centre_id: str | None,
    centre_ids: AbstractSet[str] | None,
    known_at: datetime | None,
    after: BalanceKey,
    limit: int,
) -> list[Balance]:
    """Return balances of a period by centre, field and account: now, or as known at a moment."""
    if known_at is None:
        table = _kept(branch_id, period)
    else:
        table = _summed(branch_id, period, entries.c.booked_at <= known_at)
    query = (
        select(table)
        .where(
            table.c.amount_fen != 0,
            tuple_(table.c.centre_id, table.c.field_id, table.c.account) > after,
            within(table.c.centre_id, centre_ids),
        )
        .order_by(table.c.centre_id, table.c.field_id, table.c.account)
        .limit(limit)
    )
    if centre_id is not None:
        query = query.where(table.c.centre_id == centre_id)
    return [
        Balance(
            centre_id=row.centre_id,
            field_id=row.field_id or None,
            account=row.account,
            period=period,
            amount_fen=row.amount_fen,
        )
        for row in await connection.execute(query)
    ]


async def entry_page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: int | None,
    centre_id: str | None,
    subscription_id: str | None,
    account: str | None,
    known_at: datetime | None,
    centre_ids: AbstractSet[str] | None,
    after: int,
    limit: int,
) -> list[Entry]:
    """Return ledger lines in the order they were booked."""
    table = entries
    query = select(table).where(
        table.c.branch_id == branch_id,
        table.c.number > after,
        within(table.c.centre_id, centre_ids),
    )
    if period is not None:
        query = query.where(in_period(branch_id, period))
    if centre_id is not None:
        query = query.where(table.c.centre_id == centre_id)
    if subscription_id is not None:
        query = query.where(table.c.subscription_id == subscription_id)
    if account is not None:
        query = query.where(or_(table.c.debit == account, table.c.credit == account))
    if known_at is not None:
        query = query.where(table.c.booked_at <= known_at)
    rows = await connection.execute(query.order_by(table.c.number).limit(limit))
    return [Entry.model_validate(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's name


async def revenue_by_centre(
    connection: AsyncConnection, branch_id: int, period: int
) -> list[CentreRevenue]:
    """Return net revenue by centre, from the balances."""
    table = balances
    rows = await connection.execute(
        select(table.c.centre_id, (-func.sum(table.c.amount_fen)).label("amount_fen"))
        .where(
            table.c.branch_id == branch_id,
            table.c.period == period,
            table.c.account.in_(NET_REVENUE),
        )
        .group_by(table.c.centre_id)
        .order_by(table.c.centre_id)
    )
    return [CentreRevenue(centre_id=row.centre_id, amount_fen=int(row.amount_fen)) for row in rows]


def net_revenue(
    credited: Collection[str] = NET_REVENUE, debited: Collection[str] = NET_REVENUE
) -> ColumnElement[int]:
    """Sum entries to net revenue, in fen: what its accounts were credited less what was debited."""
    table = entries
    signed = case(
        (table.c.credit.in_(credited), table.c.amount_fen),
        (table.c.debit.in_(debited), -table.c.amount_fen),
        else_=0,
    )
    return func.coalesce(func.sum(signed), 0)


async def revenue_by_subscription(
    connection: AsyncConnection, branch_id: int, first: int, last: int
) -> dict[str, dict[Period, int]]:
    """Return net revenue of the charges of months, and of what mirrors them, by subscription."""
    table = entries
    months = (
        select(
            table.c.subscription_id,
            table.c.owner_period,
            cast(net_revenue(), BigInteger).label("amount_fen"),
        )
        .where(
            table.c.branch_id == branch_id,
            table.c.owner_period.between(first, last),
            table.c.subscription_id.is_not(None),
        )
        .group_by(table.c.subscription_id, table.c.owner_period)
        .subquery()
    )
    # A row a subscription: a row a month would take longer to read than to sum.
    rows = await connection.execute(
        select(
            months.c.subscription_id,
            func.array_agg(months.c.owner_period),
            func.array_agg(months.c.amount_fen),
        ).group_by(months.c.subscription_id)
    )
    return {
        subscription_id: dict(zip(periods, amounts, strict=True))
        for subscription_id, periods, amounts in rows
    }


async def billed_lines(
    connection: AsyncConnection,
    branch_id: int,
    span: tuple[Period, Period],
    *,
    centre_ids: AbstractSet[str] | None,
    known_at: datetime,
) -> list[LinesOfField]:
    """Count the lines whose charges of a month come to more than nothing, as known at a moment.

    A charge counts in its own month, whenever it was booked.
    """
    table, totals = entries, period_totals
    place = (table.c.owner_period, table.c.centre_id, table.c.field_id)
    # A month's charges are booked in it or later, and what is taken back of them after they are:
    # none of it lies before the first entry of these months and of those that followed.
    first_entry = select(func.min(totals.c.first_entry)).where(
        totals.c.branch_id == branch_id, totals.c.period >= span[0]
    )
    earning = (
        select(*place, table.c.subscription_id)
        .where(
            table.c.branch_id == branch_id,
            table.c.number >= first_entry.scalar_subquery(),
            table.c.owner_period.between(*span),
            table.c.subscription_id.is_not(None),
            table.c.booked_at <= known_at,
            within(table.c.centre_id, centre_ids),
        )
        .group_by(*place, table.c.subscription_id)
        .having(net_revenue() > 0)
        .subquery()
    )
    key = (
        earning.c.owner_period.label("period"),
        *(earning.c.centre_id, earning.c.field_id, subscriptions.c.product),
    )
    rows = await connection.execute(
        select(*key, func.count().label("lines"))
        .join(
            subscriptions,
            and_(
                subscriptions.c.branch_id == branch_id,
                subscriptions.c.subscription_id == earning.c.subscription_id,
            ),
        )
        .group_by(*key)
        .order_by(*key)
    )
    return [LinesOfField.model_validate(dict(row)) for row in rows.mappings()]


async def books(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: int | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> list[PeriodBooks]:
    """Return what periods' documents and balances come to, the newest period first."""
    totals, kept = period_totals, balances
    closed_through = select(intakes.c.closed_through).where(intakes.c.branch_id == branch_id)
    pool = select(branches.c.default_centre_id).where(branches.c.branch_id == branch_id)
    revenue = kept.c.account.in_(NET_REVENUE)
    in_pool = kept.c.centre_id == pool.scalar_subquery()

    def total(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        amounts = func.sum(kept.c.amount_fen).filter(true(), *conditions)
        return cast(func.coalesce(amounts, 0), BigInteger)

    sums = lateral(
        select(
            (-total(revenue)).label("booked_fen"),
            (-total(revenue, in_pool)).label("unresolved_fen"),
            total().label("ledger_sum_fen"),
        ).where(kept.c.branch_id == totals.c.branch_id, kept.c.period == totals.c.period)
    ).alias("sums")
    query = (
        select(
            totals.c.period,
            totals.c.billed_fen,
            func.coalesce(totals.c.period <= closed_through.scalar_subquery(), false()).label(
                "closed"
            ),
            sums,
        )
        .join(sums, true())
        .where(totals.c.branch_id == branch_id)
        .order_by(totals.c.period.desc())
        .limit(limit)
    )
    if period is not None:
        query = query.where(totals.c.period == period)
    if before is not None:
        query = query.where(totals.c.period < before)
    return [
        PeriodBooks(
            period=row.period,
            closed=row.closed,
            billed_fen=row.billed_fen,
            booked_fen=row.booked_fen,
            difference_fen=row.billed_fen - row.booked_fen,
            attributed_fen=row.booked_fen - row.unresolved_fen,
            unresolved_fen=row.unresolved_fen,
            ledger_sum_fen=row.ledger_sum_fen,
        )
        for row in await connection.execute(query)
    ]


async def entered(connection: AsyncConnection, branch_id: int, period: int) -> int:
    """Return net revenue by the ledger's lines that events made, one by one."""
    found = await connection.scalar(
        select(net_revenue(credited=(REVENUE, ADJUSTMENTS), debited=(REFUNDS, ADJUSTMENTS))).where(
            in_period(branch_id, period), entries.c.source != OWN_SOURCE
        )
    )
    return int(found or 0)


async def held_by_code(connection: AsyncConnection, branch_id: int) -> dict[str, int]:
    """Count what is in quarantine by its reason."""
    table = held_events
    rows = await connection.execute(
        select(table.c.code, func.count())
        .where(table.c.branch_id == branch_id, table.c.resolved_at.is_(None))
        .group_by(table.c.code)
        .order_by(table.c.code)
    )
    return {row[0]: row[1] for row in rows}


async def digest(
    connection: AsyncConnection,
    branch_id: int,
    period_number: int,
    *,
    centre_id: str | None = None,
    known_at: datetime | None = None,
) -> tuple[str, int]:
    """Return the SHA-256 over a period's entries in order of number, and how many there are."""
    table = entries
    query = select(*(table.c[name] for name in _DIGESTED)).where(
        in_period(branch_id, period_number)
    )
    if centre_id is not None:
        query = query.where(table.c.centre_id == centre_id)
    if known_at is not None:
        query = query.where(table.c.booked_at <= known_at)
    hashed = hashlib.sha256()
    count, after = 0, 0
    while True:
        rows = (
            await connection.execute(
                query.where(table.c.number > after).order_by(table.c.number).limit(_AT_ONCE)
            )
        ).all()
        for row in rows:
            hashed.update(msgspec.json.encode(list(row)))
        count += len(rows)
        if len(rows) < _AT_ONCE:
            return hashed.hexdigest(), count
        after = rows[-1].number


async def settled_until(connection: AsyncConnection, branch_id: int) -> datetime | None:
    """Return the moment before which nothing more is booked; None while nothing has been.

    Raises:
        NotFound: the branch is not known.

    """
    rows = await connection.execute(
        select(intakes.c.settled_until).where(intakes.c.branch_id == branch_id)
    )
    row = rows.one_or_none()
    if row is None:
        raise NotFound
    moment: datetime | None = row.settled_until
    return moment


async def settle(connection: AsyncConnection, branch_id: int, known_at: datetime) -> None:
    """Let nothing more be booked at or before a moment; wait for the booking under way."""
    table = intakes
    await connection.execute(
        update(table)
        .where(
            table.c.branch_id == branch_id,
            table.c.settled_until.is_(None) | (table.c.settled_until <= known_at),
        )
        .values(settled_until=known_at + datetime.resolution)
    )


def _sides(*conditions: ColumnElement[bool]) -> Subquery:
    """Select each entry twice: once for the account it debits, once for the one it credits."""
    table = entries
    placed = (table.c.centre_id, table.c.field_id)
    debited = select(*placed, table.c.debit.label("account"), table.c.amount_fen)
    credited = select(*placed, table.c.credit, -table.c.amount_fen)
    return union_all(debited.where(*conditions), credited.where(*conditions)).subquery()


def _summed(branch_id: int, number: int, *conditions: ColumnElement[bool]) -> Subquery:
    """Sum a period's entries by centre, field and account, as the balances have them."""
    sides = _sides(in_period(branch_id, number), *conditions)
    key = (
        sides.c.centre_id,
        func.coalesce(sides.c.field_id, "").label("field_id"),
        sides.c.account,
    )
    # The sum of bigints is a numeric in PostgreSQL.
    amount = cast(func.sum(sides.c.amount_fen), BigInteger).label("amount_fen")
    return select(*key, amount).group_by(*key).subquery()


def _kept(branch_id: int, number: int) -> Subquery:
    """Select a period's balances as they are kept."""
    return (
        select(balances)
        .where(balances.c.branch_id == branch_id, balances.c.period == number)
        .subquery()
    )


async def unbalanced(connection: AsyncConnection, branch_id: int, number: int) -> list[str]:
    """Name the balances of a period that are not the sum of its entries."""
    summed, kept = _summed(branch_id, number), _kept(branch_id, number)
    same = (
        (kept.c.centre_id == summed.c.centre_id)
        & (kept.c.field_id == summed.c.field_id)
        & (kept.c.account == summed.c.account)
    )
    centre_id = func.coalesce(kept.c.centre_id, summed.c.centre_id).label("centre_id")
    account = func.coalesce(kept.c.account, summed.c.account).label("account")
    rows = await connection.execute(
        select(centre_id, account)
        .select_from(kept.outerjoin(summed, same, full=True))
        .where(func.coalesce(kept.c.amount_fen, 0) != func.coalesce(summed.c.amount_fen, 0))
        .order_by(centre_id, account)
        .limit(20)
    )
    return [f"{row.account} of {row.centre_id}" for row in rows]


async def misnumbered(connection: AsyncConnection, branch_id: int) -> list[str]:
    """Say where a branch's entries do not run from 1 to the last number given out.

    With no number given out twice, none is left for an entry outside its period's stretch.
    """
    of_branch = entries.c.branch_id == branch_id
    first, last = (
        await connection.execute(
            select(func.min(entries.c.number), func.max(entries.c.number)).where(of_branch)
        )
    ).one()
    given = await connection.scalar(
        select(intakes.c.entries).where(intakes.c.branch_id == branch_id)
    )
    if (first, last) == ((1, given) if given else (None, None)):
        return []
    return [f"entries run from number {first} to {last}, {given} were given out"]


async def is_centre(connection: AsyncConnection, branch_id: int, centre_id: str) -> bool:
    """Say whether a branch has a centre, or its pool this name."""
    known = select(centres.c.centre_id).where(
        centres.c.branch_id == branch_id, centres.c.centre_id == centre_id
    )
    pool = select(branches.c.default_centre_id).where(
        branches.c.branch_id == branch_id, branches.c.default_centre_id == centre_id
    )
    return await connection.scalar(union_all(known, pool).limit(1)) is not None


async def statement_lines(
    connection: AsyncConnection,
    branch_id: int,
    centre_id: str,
    number: int,
    known_at: datetime,
) -> list[StatementLine]:
    """Sum a centre's entries of a period that were booked by a moment, by field and account."""
    summed = _summed(
        branch_id, number, entries.c.centre_id == centre_id, entries.c.booked_at <= known_at
    )
    rows = await connection.execute(
        select(summed).where(summed.c.amount_fen != 0).order_by(summed.c.field_id, summed.c.account)
    )
    return [
        StatementLine(field_id=row.field_id or None, account=row.account, amount_fen=row.amount_fen)
        for row in rows
    ]
