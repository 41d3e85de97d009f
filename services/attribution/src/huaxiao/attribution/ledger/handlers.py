"""The ledger: reconcile a period, and state what was known of it."""

from datetime import datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.domain.postings import NET_REVENUE
from huaxiao.attribution.intake.store import closed_through
from huaxiao.attribution.ledger import store
from huaxiao.shared.problems import NotFound, Problem
from huaxiao.shared.wire.attribution import PeriodBooks, Reconciliation, Statement


class MomentToCome(Problem):
    """What will be known at a moment is certain only when it has passed."""

    code = "moment-to-come"
    status = HTTPStatus.CONFLICT
    title = "This moment is still to come"
    title_zh = "该时点尚未到来"


async def reconcile(connection: AsyncConnection, branch_id: int, period: int) -> Reconciliation:
    """Hold a period's documents, entries and balances against each other."""
    found = await store.books(connection, branch_id, period=period)
    books = found[0] if found else await _nothing_booked(connection, branch_id, period)
    return Reconciliation(
        **books.model_dump(),
        entered_fen=await store.entered(connection, branch_id, period),
        revenue_by_centre=await store.revenue_by_centre(connection, branch_id, period),
        held=await store.held_by_code(connection, branch_id),
    )


async def _nothing_booked(connection: AsyncConnection, branch_id: int, period: int) -> PeriodBooks:
    closed = await closed_through(connection, branch_id)
    return PeriodBooks(
        period=period,
        closed=closed is not None and period <= closed,
        billed_fen=0,
        booked_fen=0,
        difference_fen=0,
        attributed_fen=0,
        unresolved_fen=0,
        ledger_sum_fen=0,
    )


async def settle(
    connection: AsyncConnection, branch_id: int, known_at: datetime | None, *, now: datetime
) -> datetime:
    """Make a moment one of which nothing more is booked; without one, the last that can be.

    Raises:
        NotFound: the branch is not known.
        MomentToCome: bookings of that moment may still be made.

    """
    until = await store.settled_until(connection, branch_id)
    latest = now if until is None else max(now, until)
    moment = known_at or latest
    if moment > latest:
        raise MomentToCome(latest=latest.isoformat())
    await store.settle(connection, branch_id, moment)
    return moment


async def statement(
    connection: AsyncConnection,
    branch_id: int,
    centre_id: str,
    period: int,
    *,
    known_at: datetime,
) -> Statement:
    """Return a centre's period as it was known at a settled moment: the same for ever.

    Raises:
        NotFound: there is no such centre.

    """
    if not await store.is_centre(connection, branch_id, centre_id):
        raise NotFound
    lines = await store.statement_lines(connection, branch_id, centre_id, period, known_at)
    digest, count = await store.digest(
        connection, branch_id, period, centre_id=centre_id, known_at=known_at
    )
    return Statement(
        centre_id=centre_id,
        period=period,
        known_at=known_at,
        entries=count,
        lines=lines,
        net_revenue_fen=-sum(one.amount_fen for one in lines if one.account in NET_REVENUE),
        digest=digest,
    )
