"""Rulings: drafted by one person, approved by another, in force from an open period."""

from datetime import datetime
from http import HTTPStatus

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import Counties, County
from huaxiao.attribution.domain.books import Known
from huaxiao.attribution.domain.evidence import gather
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.intake.taking import decide_again
from huaxiao.attribution.ledger.handlers import TwoPeople
from huaxiao.attribution.rule_sets.handlers import PeriodIsClosed
from huaxiao.attribution.rulings import store
from huaxiao.shared.periods import Period
from huaxiao.shared.problems import Conflict, Fault, NotFound, Problem
from huaxiao.shared.wire.attribution import Ruling, RulingIn


class RulingNotPossible(Problem):
    """A ruling names a subscription, a centre and a field that are there, and a term that runs on."""

    code = "ruling-not-possible"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "This ruling cannot stand"
    title_zh = "该裁定不能成立"


class AmendmentNeeded(Problem):
    """A locked list is changed by an amendment of its contract, not by a ruling alone (R21)."""

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
        RulingNotPossible: what it names is not there.
        AmendmentNeeded: the subscription is on a locked list.

    """
    county = await counties.county(connection, branch_id)
    if county is None or await intake.lock(connection, branch_id) is None:
        raise NotFound
    found = await store.one(connection, branch_id, ruling_id)
    if found is not None:
        if RulingIn.model_validate(found.model_dump(include=set(RulingIn.model_fields))) != given:
            raise Conflict
        return found
    await _require_possible(connection, county, branch_id, given)
    await store.draft(connection, branch_id, ruling_id, given, by=by, now=now)
    return await show(connection, branch_id, ruling_id)


async def _require_possible(
    connection: AsyncConnection, county: County, branch_id: int, given: RulingIn
) -> None:
    known = Known()
    await intake.load_lines(
        connection,
        branch_id,
        known,
        subscription_ids=[given.subscription_id],
        dependents=False,
    )
    organisation = county.organisation
    field = None if given.field_id is None else organisation.field(given.field_id)
    faults = []
    if given.subscription_id not in known.lines:
        faults.append(Fault("/subscription_id", "unknown", "no such subscription", "无此用户"))
    if given.centre_id not in organisation.centres:
        faults.append(Fault("/centre_id", "unknown", "no such centre", "无此中心"))
    if given.field_id is not None and (field is None or field.centre_id != given.centre_id):
        faults.append(
            Fault("/field_id", "unknown", "no sealed field of that centre", "该中心无此责任田")
        )
    if given.to_period is not None and given.to_period < given.from_period:
        faults.append(Fault("/to_period", "order", "it ends before it begins", "止期早于起期"))
    if faults:
        raise RulingNotPossible(faults=faults)
    evidence = gather(
        given.subscription_id, Period(given.from_period), known.register(), organisation
    )
    if evidence.subject.listed is not None and given.amendment_id is None:
        raise AmendmentNeeded


async def approve(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    ruling_id: str,
    *,
    by: str,
    now: datetime,
) -> Ruling:
    """Put a ruling in force, and decide its subscription again; once approved it stays so.

    Raises:
        NotFound: there is no such ruling.
        TwoPeople: the one who drafted it may not approve it.
        PeriodIsClosed: it would begin in a closed period.

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
    await store.approve(connection, branch_id, ruling_id, by=by, now=now)
    await decide_again(
        connection, county, branch_id, now=now, subscription_ids=[found.subscription_id]
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
