"""Rows of commissions, and of the terms they follow."""

from collections.abc import Set as AbstractSet
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, lateral, or_, select, true
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.commissions import Terms, TermsBook
from huaxiao.attribution.explanations.store import standing
from huaxiao.attribution.tables import (
    commission_terms,
    commission_terms_approvals,
    commissions,
    decisions,
    leads,
)
from huaxiao.shared.database import within
from huaxiao.shared.wire.attribution import (
    Commission,
    CommissionTerms,
    CommissionTermsIn,
    CommissionTotal,
)

# --- terms --------------------------------------------------------------------------------------


def _terms() -> Select[Any]:
    approvals = commission_terms_approvals
    same = and_(
        approvals.c.branch_id == commission_terms.c.branch_id,
        approvals.c.terms_id == commission_terms.c.terms_id,
    )
    return select(commission_terms, approvals.c.approved_at, approvals.c.approved_by).outerjoin(
        approvals, same
    )


async def terms(
    connection: AsyncConnection, branch_id: int, terms_id: str
) -> CommissionTerms | None:
    """Return terms, approved or not."""
    table = commission_terms
    query = _terms().where(table.c.branch_id == branch_id, table.c.terms_id == terms_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _of(row)


async def terms_page(
    connection: AsyncConnection, branch_id: int, *, after: str, limit: int
) -> list[CommissionTerms]:
    """Return a branch's terms by identifier."""
    table = commission_terms
    rows = await connection.execute(
        _terms()
        .where(table.c.branch_id == branch_id, table.c.terms_id > after)
        .order_by(table.c.terms_id)
        .limit(limit)
    )
    return [_of(row) for row in rows]


def _of(row: Row[Any]) -> CommissionTerms:
    return CommissionTerms.model_validate(row._mapping)  # noqa: SLF001 - SQLAlchemy's name


async def terms_book(connection: AsyncConnection, branch_id: int) -> TermsBook:
    """Return the approved terms of a branch, in the order in which they stand."""
    table, approvals = commission_terms, commission_terms_approvals
    rows = await connection.execute(
        _terms()
        .where(table.c.branch_id == branch_id, approvals.c.approved_at.is_not(None))
        .order_by(table.c.from_period, approvals.c.approved_at, table.c.terms_id)
    )
    return TermsBook(
        tuple((row.from_period, Terms(row.rate_basis_points, row.months)) for row in rows)
    )


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    terms_id: str,
    given: CommissionTermsIn,
    *,
    by: str,
    now: datetime,
) -> None:
    """Record terms that somebody proposes."""
    await connection.execute(
        insert(commission_terms).values(
            branch_id=branch_id,
            terms_id=terms_id,
            drafted_by=by,
            drafted_at=now,
            **given.model_dump(),
        )
    )


async def approve(
    connection: AsyncConnection, branch_id: int, terms_id: str, *, by: str, now: datetime
) -> None:
    """Record who approves terms."""
    await connection.execute(
        insert(commission_terms_approvals).values(
            branch_id=branch_id, terms_id=terms_id, approved_by=by, approved_at=now
        )
    )


async def after_approvals(connection: AsyncConnection, branch_id: int) -> datetime | None:
    """Return the first moment after every approval of terms; None before the first."""
    newest: datetime | None = await connection.scalar(
        select(func.max(commission_terms_approvals.c.approved_at)).where(
            commission_terms_approvals.c.branch_id == branch_id
        )
    )
    return None if newest is None else newest + datetime.resolution


async def lines_of_leads(
    connection: AsyncConnection, branch_id: int, *, approved_from: date
) -> list[str]:
    """Return the subscriptions that leads are said to have become that were approved from a day on."""
    rows = await connection.scalars(
        select(leads.c.subscription_id)
        .where(leads.c.branch_id == branch_id, leads.c.approved_on >= approved_from)
        .distinct()
    )
    return list(rows)


# --- commissions --------------------------------------------------------------------------------


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: int,
    person_id: str | None,
    centre_ids: AbstractSet[str] | None,
    own_id: str | None,
    after: int,
    limit: int,
) -> list[Commission]:
    """Return a month's commissions in the order they were booked."""
    table = commissions
    owner = _owner()
    query = (
        select(table, leads.c.project_id, owner.c.centre_id)
        .join(
            leads,
            and_(
                leads.c.branch_id == table.c.branch_id,
                leads.c.subscription_id == table.c.subscription_id,
                leads.c.lead_id == table.c.lead_id,
            ),
        )
        .join(owner, true())
        .where(
            table.c.branch_id == branch_id,
            table.c.period == period,
            table.c.number > after,
            _visible(owner.c.centre_id, centre_ids, own_id),
        )
        .order_by(table.c.number)
        .limit(limit)
    )
    if person_id is not None:
        query = query.where(table.c.person_id == person_id)
    rows = await connection.execute(query)
    return [Commission.model_validate(row._mapping) for row in rows]  # noqa: SLF001 - its name


async def totals(
    connection: AsyncConnection,
    branch_id: int,
    *,
    period: int,
    centre_ids: AbstractSet[str] | None,
    own_id: str | None,
    after: str,
    limit: int,
) -> list[CommissionTotal]:
    """Return a month's commissions by person."""
    table = commissions
    owner = _owner()
    rows = await connection.execute(
        select(
            table.c.person_id,
            func.count().label("commissions"),
            func.sum(table.c.amount_fen).label("amount_fen"),
        )
        .join(owner, true())
        .where(
            table.c.branch_id == branch_id,
            table.c.period == period,
            table.c.person_id > after,
            _visible(owner.c.centre_id, centre_ids, own_id),
        )
        .group_by(table.c.person_id)
        .order_by(table.c.person_id)
        .limit(limit)
    )
    return [
        CommissionTotal(
            person_id=row.person_id,
            period=period,
            commissions=row.commissions,
            amount_fen=int(row.amount_fen),
        )
        for row in rows
    ]


def _owner() -> Any:
    """Select whose the line of a commission is in the event's month."""
    table = commissions
    return lateral(
        standing(
            table.c.branch_id, table.c.subscription_id, table.c.owner_period, decisions.c.centre_id
        )
    ).alias("owner")


def _visible(
    centre_id: ColumnElement[str], centre_ids: AbstractSet[str] | None, own_id: str | None
) -> ColumnElement[bool]:
    """Say of a commission that it is of one of these centres, or a person's own."""
    return or_(within(centre_id, centre_ids), commissions.c.person_id == own_id)
