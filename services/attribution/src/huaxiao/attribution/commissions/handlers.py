"""Commissions: terms drafted by one person and approved by another, and who sees which earnings."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.commissions import store
from huaxiao.attribution.county.counties import Counties
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.intake.taking import earn_again
from huaxiao.attribution.rule_sets.handlers import PeriodIsClosed
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.periods import Period, first_day
from huaxiao.shared.problems import Conflict, NotFound, TwoPeople
from huaxiao.shared.wire.attribution import CommissionTerms, CommissionTermsIn


def centres_of(principal: Principal) -> frozenset[str] | None:
    """Return the centres whose commissions a caller sees beside their own; an engineer sees none."""
    return frozenset() if principal.roles == {Role.ENGINEER} else principal.centre_ids


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    terms_id: str,
    given: CommissionTermsIn,
    *,
    by: str,
    now: datetime,
) -> CommissionTerms:
    """Propose terms; nothing is earned by them before somebody else approves them.

    Raises:
        NotFound: the branch is not known.
        Conflict: the identifier stands for other terms.

    """
    if await intake.lock(connection, branch_id) is None:
        raise NotFound
    found = await store.terms(connection, branch_id, terms_id)
    if found is None:
        await store.draft(connection, branch_id, terms_id, given, by=by, now=now)
        return await show(connection, branch_id, terms_id)
    if CommissionTermsIn(**found.model_dump(include=set(CommissionTermsIn.model_fields))) != given:
        raise Conflict
    return found


async def approve(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    terms_id: str,
    *,
    by: str,
    now: datetime,
) -> CommissionTerms:
    """Put terms in force, and book what they change of earlier commissions; once approved they stay.

    Raises:
        NotFound: there are no such terms.
        TwoPeople: the one who drafted them may not approve them.
        PeriodIsClosed: they would begin in a closed period.

    """
    locked = await intake.lock(connection, branch_id)
    county = await counties.county(connection, branch_id)
    found = await store.terms(connection, branch_id, terms_id)
    if county is None or locked is None or found is None:
        raise NotFound
    if found.approved_at is not None:
        return found
    if found.drafted_by == by:
        raise TwoPeople
    if locked.closed_through is not None and found.from_period <= locked.closed_through:
        raise PeriodIsClosed
    now = locked.not_before(now)
    now = max(now, await store.after_approvals(connection, branch_id) or now)
    await store.approve(connection, branch_id, terms_id, by=by, now=now)
    begins = first_day(Period(found.from_period))
    lines = await store.lines_of_leads(connection, branch_id, approved_from=begins)
    await earn_again(connection, county, branch_id, now=now, subscription_ids=lines)
    return await show(connection, branch_id, terms_id)


async def show(connection: AsyncConnection, branch_id: int, terms_id: str) -> CommissionTerms:
    """Return terms.

    Raises:
        NotFound: there are none of this identifier.

    """
    found = await store.terms(connection, branch_id, terms_id)
    if found is None:
        raise NotFound
    return found
