"""Rulings: drafted by one person, approved by another, in force from an open period."""

from datetime import datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import Counties, County
from huaxiao.attribution.domain import rulings
from huaxiao.attribution.domain.books import Known
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.intake.taking import decide_again
from huaxiao.attribution.ledger.handlers import TwoPeople
from huaxiao.attribution.rule_sets.handlers import PeriodIsClosed
from huaxiao.attribution.rulings import store
from huaxiao.shared.problems import Conflict, NotFound, Problem
from huaxiao.shared.wire.attribution import Ruling, RulingIn


class RulingNotPossible(Problem):
    """A ruling names subscriptions, a centre and a field that are there, within the field's term."""

    code = "ruling-not-possible"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "This ruling cannot stand"
    title_zh = "该裁定不能成立"


class AmendmentNeeded(Problem):
    """A customer leaves a locked list by an amendment of its contract, not by a ruling alone (R21)."""

    code = "amendment-needed"
    status = HTTPStatus.CONFLICT
    title = "The customer is on a locked list: name the contract amendment"
    title_zh = "该客户在锁定清单中：须注明合同变更编号"


async def draft(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    ruling_id: str,
    given: RulingIn,
    *,
    by: str,
    now: datetime,
) -> Ruling:
    """Propose a ruling; nothing moves before somebody else approves it.

    Raises:
        NotFound: the branch is not known.
        Conflict: the identifier stands for another ruling.
        RulingNotPossible: what it names is not there, or its term does not fit.
        AmendmentNeeded: it takes a subscription off a locked list.

    """
    county = await counties.county(connection, branch_id)
    if county is None or await intake.lock(connection, branch_id) is None:
        raise NotFound
    found = await store.one(connection, branch_id, ruling_id)
    if found is not None:
        if _given(found) != given:
            raise Conflict
        return found
    await _require_possible(connection, county, branch_id, given)
    await store.draft(connection, branch_id, ruling_id, given, by=by, now=now)
    return await show(connection, branch_id, ruling_id)


def _given(ruling: Ruling) -> RulingIn:
    return RulingIn.model_validate(ruling.model_dump(include=set(RulingIn.model_fields)))


async def _require_possible(
    connection: AsyncConnection, county: County, branch_id: int, given: RulingIn
) -> None:
    known = Known()
    await intake.load_lines(
        connection,
        branch_id,
        known,
        subscription_ids=given.subscription_ids,
        dependents=False,
    )
    register, organisation = known.register(), county.organisation
    if faults := list(rulings.faults(given, register, organisation)):
        raise RulingNotPossible(faults=faults)
    taken = rulings.taken_off_lists(given, register, organisation)
    if taken and given.amendment_id is None:
        raise AmendmentNeeded(subscription_ids=taken)


async def approve(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    ruling_id: str,
    *,
    by: str,
    now: datetime,
) -> Ruling:
    """Put a ruling in force, and decide its subscriptions again; once approved it stays so.

    Raises:
        NotFound: there is no such ruling.
        TwoPeople: the one who drafted it may not approve it.
        PeriodIsClosed: it would begin in a closed period.
        RulingNotPossible: by what is known now, its term does not fit.
        AmendmentNeeded: by what is known now, it takes a subscription off a locked list.

    """
    county = await counties.county(connection, branch_id)
    locked = await intake.lock(connection, branch_id)
    found = await store.one(connection, branch_id, ruling_id)
    if county is None or locked is None or found is None:
        raise NotFound
    if found.approved_at is not None:
        return found
    if found.drafted_by == by:
        raise TwoPeople
    if locked.closed_through is not None and found.from_period <= locked.closed_through:
        raise PeriodIsClosed
    await _require_possible(connection, county, branch_id, _given(found))
    await store.approve(connection, branch_id, ruling_id, by=by, now=now)
    await decide_again(
        connection, county, branch_id, now=now, subscription_ids=found.subscription_ids
    )
    return await show(connection, branch_id, ruling_id)


async def show(connection: AsyncConnection, branch_id: int, ruling_id: str) -> Ruling:
    """Return a ruling.

    Raises:
        NotFound: there is no such ruling.

    """
    found = await store.one(connection, branch_id, ruling_id)
    if found is None:
        raise NotFound
    return found
