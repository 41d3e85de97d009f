"""Disputes: raised and answered by centres, decided by two people, one appeal; then it posts itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import Counties, County
from huaxiao.attribution.disputes import store
from huaxiao.attribution.domain import disputes
from huaxiao.attribution.domain.books import Known
from huaxiao.attribution.domain.disputes import Actor, Parties, Step, in_days
from huaxiao.attribution.domain.rulings import faults as ruling_faults
from huaxiao.attribution.explanations.store import closed_at
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.intake.taking import decide_again
from huaxiao.attribution.rulings import handlers as rulings
from huaxiao.attribution.rulings.handlers import RulingNotPossible
from huaxiao.attribution.tables import feed
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.feed import NewFact
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.periods import LAST_PERIOD, Period, business_day
from huaxiao.shared.problems import Conflict, Fault, NotFound, Problem
from huaxiao.shared.wire.attribution import (
    DISPUTE_ENDED,
    DISPUTE_RAISED,
    Dispute,
    DisputeDecision,
    DisputeDecisionIn,
    DisputeEnded,
    DisputeIn,
    DisputeLimits,
    DisputeMark,
    DisputeRaised,
    DisputeState,
    DisputeStep,
    DisputeStepName,
    DocumentReference,
    PleaIn,
    RulingIn,
)

_COUNTY = {Role.COUNTY_MANAGER, Role.COUNTY_FINANCE, Role.SUPPORT_CENTRE}


class DisputeNotPossible(Problem):
    """A dispute is between two centres, about a line and months that are there."""

    code = "dispute-not-possible"
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    title = "This dispute cannot be raised"
    title_zh = "该争议不能受理"


class AlreadyDisputed(Problem):
    """A line has one open dispute at a time."""

    code = "already-disputed"
    status = HTTPStatus.CONFLICT
    title = "The line is under dispute already"
    title_zh = "该用户已有未结争议"


class AlreadyDecided(Problem):
    """What a dispute has decided is appealed, not contested again."""

    code = "already-decided"
    status = HTTPStatus.CONFLICT
    title = "A dispute has decided on these months already"
    title_zh = "该账期的归属已由争议裁决"


class TooLate(Problem):
    """A month is contested within days of its closing, or of the decision if that came later."""

    code = "too-late"
    status = HTTPStatus.CONFLICT
    title = "The time to contest this month has passed"
    title_zh = "该账期的争议期限已过"


@dataclass(frozen=True, slots=True)
class _Open:
    """A branch whose bookings are kept for this transaction."""

    county: County
    closed_through: Period | None
    now: datetime


async def _open(
    connection: AsyncConnection, counties: Counties, branch_id: int, now: datetime
) -> _Open:
    county = await counties.county(connection, branch_id)
    locked = await intake.lock(connection, branch_id)
    if county is None or locked is None:
        raise NotFound
    return _Open(county, locked.closed_through, now)


def _actor(principal: Principal) -> Actor:
    """Return who acts; a token without centres speaks for the county only with a role there."""
    centre_ids = principal.centre_ids
    if centre_ids is None and not principal.roles & _COUNTY:
        centre_ids = frozenset()
    return Actor(principal.subject, centre_ids, Role.COUNTY_MANAGER in principal.roles)


async def set_limits(
    connection: AsyncConnection, branch_id: int, given: DisputeLimits, *, by: str, now: datetime
) -> DisputeLimits:
    """Set how long the steps of a dispute may take.

    Raises:
        NotFound: the branch is not known.

    """
    if await intake.lock(connection, branch_id) is None:
        raise NotFound
    if await store.limits(connection, branch_id) != given:
        await store.set_limits(connection, branch_id, given, by=by, now=now)
    return given


# --- raising ------------------------------------------------------------------------------------


async def raise_dispute(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    dispute_id: str,
    given: DisputeIn,
    *,
    principal: Principal,
    now: datetime,
) -> Dispute:
    """Let a centre contest whose a line is; the line is frozen from now on.

    Raises:
        NotFound: the branch is not known.
        NotAParty: the caller does not speak for the claimant.
        Conflict: the identifier stands for another dispute.
        DisputeNotPossible: what it names is not there, or the two centres are not two.
        TooLate: the time to contest the first month has passed.
        AlreadyDisputed: the line is under dispute.
        AlreadyDecided: a dispute has decided on these months.

    """
    branch = await _open(connection, counties, branch_id, now)
    limits = await store.limits(connection, branch_id)
    step = Step(DisputeStepName.RAISE, _actor(principal), now, given.text)
    pool = branch.county.organisation.default_centre_id
    owner = await store.owned(connection, branch_id, given.subscription_id, given.from_period)
    other = given.centre_id
    if owner is not None and given.claimant_centre_id == given.centre_id:
        other = owner.centre_id
    parties = Parties(given.claimant_centre_id, other, pool)
    dispute = disputes.raised(parties, step, limits)
    found = await store.one(connection, branch_id, dispute_id)
    if found is not None:
        return await _same(connection, branch_id, found, given, now=now)
    owner = await _require_possible(connection, branch, branch_id, given, owner)
    await _require_contestable(connection, branch_id, given, owner, limits, now=now)
    await store.raise_(connection, branch_id, dispute_id, given, dispute, owner, now=now)
    await store.add_step(
        connection,
        branch_id,
        dispute_id,
        step=step.name,
        by=step.by.subject,
        at=now,
        text=given.text,
        documents=given.documents,
    )
    fact = DisputeRaised(
        dispute_id=dispute_id,
        subscription_id=given.subscription_id,
        claimant_centre_id=parties.claimant,
        respondent_centre_id=parties.respondent,
        from_period=given.from_period,
        to_period=given.to_period,
    )
    await feed.append(connection, branch_id, [NewFact(DISPUTE_RAISED, dispute_id, fact)], now=now)
    return await _show(connection, branch_id, dispute_id, now=now)


async def _same(
    connection: AsyncConnection, branch_id: int, found: Row[Any], given: DisputeIn, *, now: datetime
) -> Dispute:
    """Return a dispute that was raised before, if it was this one."""
    shown = await _rendered(connection, branch_id, [found], now=now)
    first = shown[0].steps[0]
    before = shown[0].model_dump() | {"text": first.text, "documents": first.documents}
    named = {name: before[name] for name in DisputeIn.model_fields}
    if DisputeIn.model_validate(named) != given:
        raise Conflict
    return shown[0]


async def _require_possible(
    connection: AsyncConnection,
    branch: _Open,
    branch_id: int,
    given: DisputeIn,
    owner: store.Owned | None,
) -> store.Owned:
    """Return the present owner of what can be contested."""
    known = Known()
    await intake.load_lines(
        connection, branch_id, known, subscription_ids=[given.subscription_id], dependents=False
    )
    claim = RulingIn(
        subscription_ids=[given.subscription_id],
        centre_id=given.centre_id,
        field_id=given.field_id,
        from_period=given.from_period,
        to_period=given.to_period,
        reason=given.text,
    )
    found = [
        Fault(
            one.pointer.replace("/subscription_ids/0", "/subscription_id"),
            one.code,
            one.message,
            one.message_zh,
        )
        for one in ruling_faults(claim, known.register(), branch.county.organisation)
    ]
    if owner is not None:
        found += _party_faults(given, owner)
    if given.entry_number is not None:
        entry = await store.entry_of(connection, branch_id, given.entry_number)
        last = given.to_period or LAST_PERIOD
        if (
            entry is None
            or entry[0] != given.subscription_id
            or not given.from_period <= entry[1] <= last
        ):
            message = "no entry of the subscription and the contested months"
            found.append(Fault("/entry_number", "unknown", message, "该用户争议账期内无此分录"))
    if found or owner is None:
        raise DisputeNotPossible(faults=found)
    return owner


def _party_faults(given: DisputeIn, owner: store.Owned) -> list[Fault]:
    if given.centre_id == owner.centre_id:
        message = "the line belongs to this centre already; inside a centre a ruling moves it"
        return [Fault("/centre_id", "same-centre", message, "该用户已属该中心；中心内部以裁定调整")]
    if given.claimant_centre_id not in {given.centre_id, owner.centre_id}:
        message = "neither the present owner nor the centre it should belong to"
        return [
            Fault("/claimant_centre_id", "not-a-party", message, "既非现归属中心，也非主张中心")
        ]
    return []


async def _require_contestable(
    connection: AsyncConnection,
    branch_id: int,
    given: DisputeIn,
    owner: store.Owned,
    limits: DisputeLimits,
    *,
    now: datetime,
) -> None:
    line = given.subscription_id
    if other := (await store.frozen(connection, branch_id, [line])).get(line):
        raise AlreadyDisputed(dispute_id=other)
    last = given.to_period or LAST_PERIOD
    if other := await store.decided_on(connection, branch_id, line, given.from_period, last):
        raise AlreadyDecided(dispute_id=other)
    closed = await closed_at(connection, branch_id, given.from_period)
    if closed is None:
        return
    until = in_days(max(closed, owner.since), limits.raise_days)
    if now >= until:
        raise TooLate(until=until.isoformat())


# --- what is done about it ----------------------------------------------------------------------


async def speak(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    dispute_id: str,
    name: DisputeStepName,
    plea: PleaIn | None,
    *,
    principal: Principal,
    now: datetime,
) -> Dispute:
    """Let a party reply, appeal, withdraw, or end what nobody has decided in time.

    Raises:
        NotFound: there is no such dispute, or none that the caller's centre is party to.
        StepNotAllowed: the state or the time forbids it.
        NotAParty: the caller does not speak for the party whose step it is.
        AlreadyDisputed: on appeal, another dispute has frozen the line meanwhile.

    """
    branch = await _open(connection, counties, branch_id, now)
    row = await _visible(connection, branch_id, dispute_id, principal)
    text = None if plea is None else plea.text
    step = Step(name, _actor(principal), now, text)
    limits = await store.limits(connection, branch_id)
    after = disputes.take(store.progress(row), step, limits)
    if after.frozen and not row.frozen:
        line = row.subscription_id
        if other := (await store.frozen(connection, branch_id, [line])).get(line):
            raise AlreadyDisputed(dispute_id=other)
    # What is proposed and not confirmed before an appeal or an end is proposed no longer.
    await store.go_on(connection, branch_id, dispute_id, after, ruling_id=row.ruling_id, now=now)
    documents = [] if plea is None else plea.documents
    await _record(connection, branch_id, dispute_id, step, documents=documents)
    if row.frozen and not after.frozen:
        await decide_again(
            connection, branch.county, branch_id, now=now, subscription_ids=[row.subscription_id]
        )
        await _publish_end(connection, branch_id, row, after.state, None, now=now)
    return await _show(connection, branch_id, dispute_id, now=now)


async def propose(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    dispute_id: str,
    given: DisputeDecisionIn,
    *,
    principal: Principal,
    now: datetime,
) -> Dispute:
    """Propose a decision; it is drafted as a ruling, in place of one proposed before.

    Raises:
        NotFound: there is no such dispute.
        StepNotAllowed: the state or the time forbids it.
        NotImpartial: the caller has a part in the dispute, or decided it before.
        RulingNotPossible: the decision cannot stand.
        AmendmentNeeded: it takes the line off a locked list.

    """
    branch = await _open(connection, counties, branch_id, now)
    row = await _visible(connection, branch_id, dispute_id, principal)
    step = Step(DisputeStepName.PROPOSE, _actor(principal), now, given.reason)
    limits = await store.limits(connection, branch_id)
    after = disputes.take(store.progress(row), step, limits)
    last = given.to_period or row.to_period
    if row.to_period is not None and last > row.to_period:
        message = f"the dispute is about months up to {row.to_period}"
        beyond = Fault("/to_period", "beyond-dispute", message, f"争议账期至 {row.to_period} 止")
        raise RulingNotPossible(faults=[beyond])
    ruling_id = str(new_id())
    await rulings.propose(
        connection,
        branch.county,
        branch_id,
        ruling_id,
        RulingIn(
            subscription_ids=[row.subscription_id],
            centre_id=given.centre_id,
            field_id=given.field_id,
            from_period=row.from_period,
            to_period=last,
            reason=given.reason,
            amendment_id=given.amendment_id,
            restate=True,
        ),
        closed_through=branch.closed_through,
        by=principal.subject,
        now=now,
        dispute_id=dispute_id,
    )
    await store.go_on(
        connection,
        branch_id,
        dispute_id,
        after,
        ruling_id=row.ruling_id,
        proposal_id=ruling_id,
        now=now,
    )
    await _record(connection, branch_id, dispute_id, step, ruling_id=ruling_id)
    return await _show(connection, branch_id, dispute_id, now=now)


async def confirm(
    connection: AsyncConnection,
    counties: Counties,
    branch_id: int,
    dispute_id: str,
    *,
    principal: Principal,
    now: datetime,
) -> Dispute:
    """Confirm what somebody else has proposed: its ruling is in force, and the line decided again.

    Raises:
        NotFound: there is no such dispute.
        StepNotAllowed: nothing is proposed.
        NotImpartial: the caller has a part in the dispute.
        TwoPeople: the caller has proposed it.
        RulingNotPossible: by what is known now, the decision cannot stand.
        AmendmentNeeded: by what is known now, it takes the line off a locked list.

    """
    branch = await _open(connection, counties, branch_id, now)
    row = await _visible(connection, branch_id, dispute_id, principal)
    step = Step(DisputeStepName.CONFIRM, _actor(principal), now)
    limits = await store.limits(connection, branch_id)
    after = disputes.take(store.progress(row), step, limits)
    ruling_id = row.proposal_id
    await store.go_on(connection, branch_id, dispute_id, after, ruling_id=ruling_id, now=now)
    await _record(connection, branch_id, dispute_id, step, ruling_id=ruling_id)
    await rulings.put_in_force(
        connection,
        branch.county,
        branch_id,
        await rulings.show(connection, branch_id, ruling_id),
        closed_through=branch.closed_through,
        by=principal.subject,
        now=now,
    )
    await _publish_end(connection, branch_id, row, after.state, ruling_id, now=now)
    return await _show(connection, branch_id, dispute_id, now=now)


async def _record(
    connection: AsyncConnection,
    branch_id: int,
    dispute_id: str,
    step: Step,
    *,
    documents: Sequence[DocumentReference] = (),
    ruling_id: str | None = None,
) -> None:
    await store.add_step(
        connection,
        branch_id,
        dispute_id,
        step=step.name,
        by=step.by.subject,
        at=step.at,
        text=step.reason,
        documents=documents,
        ruling_id=ruling_id,
    )


async def _publish_end(
    connection: AsyncConnection,
    branch_id: int,
    row: Row[Any],
    state: DisputeState,
    ruling_id: str | None,
    *,
    now: datetime,
) -> None:
    fact = DisputeEnded(
        dispute_id=row.dispute_id,
        subscription_id=row.subscription_id,
        state=state,
        ruling_id=ruling_id,
    )
    await feed.append(
        connection, branch_id, [NewFact(DISPUTE_ENDED, row.dispute_id, fact)], now=now
    )


# --- what is shown ------------------------------------------------------------------------------


async def show(
    connection: AsyncConnection,
    branch_id: int,
    dispute_id: str,
    *,
    principal: Principal,
    now: datetime,
) -> Dispute:
    """Return a dispute.

    Raises:
        NotFound: there is none, or none that the caller's centre is party to.

    """
    row = await _visible(connection, branch_id, dispute_id, principal)
    return (await _rendered(connection, branch_id, [row], now=now))[0]


async def page(
    connection: AsyncConnection,
    branch_id: int,
    *,
    state: DisputeState | None,
    frozen: bool | None,
    subscription_id: str | None,
    principal: Principal,
    after: str,
    limit: int,
    now: datetime,
) -> list[Dispute]:
    """Return disputes that the caller may see."""
    rows = await store.page(
        connection,
        branch_id,
        state=state,
        frozen=frozen,
        subscription_id=subscription_id,
        centre_ids=principal.centre_ids,
        after=after,
        limit=limit,
    )
    return await _rendered(connection, branch_id, rows, now=now)


def mark(row: Row[Any], *, now: datetime) -> DisputeMark:
    """Return a dispute as an explanation shows it."""
    found = store.progress(row)
    return DisputeMark(
        dispute_id=row.dispute_id,
        state=found.state,
        frozen=found.frozen,
        claimant_centre_id=row.claimant_centre_id,
        centre_id=row.centre_id,
        due_at=found.due(now),
        overdue=found.overdue(now),
    )


async def _visible(
    connection: AsyncConnection, branch_id: int, dispute_id: str, principal: Principal
) -> Row[Any]:
    row = await store.one(connection, branch_id, dispute_id)
    if row is None:
        raise NotFound
    if not any(
        principal.may_see(one) for one in (row.claimant_centre_id, row.respondent_centre_id)
    ):
        raise NotFound
    return row


async def _show(
    connection: AsyncConnection, branch_id: int, dispute_id: str, *, now: datetime
) -> Dispute:
    row = await store.one(connection, branch_id, dispute_id)
    assert row is not None  # noqa: S101 - it was written just now
    return (await _rendered(connection, branch_id, [row], now=now))[0]


async def _rendered(
    connection: AsyncConnection, branch_id: int, rows: Sequence[Row[Any]], *, now: datetime
) -> list[Dispute]:
    steps = await store.steps(connection, branch_id, [row.dispute_id for row in rows])
    decisions = await store.decisions_of(connection, branch_id, rows)
    return [_dispute(row, steps[row.dispute_id], decisions, now=now) for row in rows]


def _dispute(
    row: Row[Any],
    steps: list[DisputeStep],
    decisions: Mapping[str, DisputeDecision],
    *,
    now: datetime,
) -> Dispute:
    found = store.progress(row)
    until = business_day(row.ended_at or now)
    values = dict(row._mapping) | {  # noqa: SLF001 - SQLAlchemy's name
        "due_at": found.due(now),
        "overdue": found.overdue(now),
        "age_days": max((until - business_day(row.raised_at)).days, 0),
        "revenue_fen": int(row.revenue_fen),
        "decision": decisions.get(row.ruling_id),
        "proposal": decisions.get(row.proposal_id),
        "steps": steps,
    }
    return Dispute.model_validate(values)
