"""Contesting a line: who may, which line and months, until when, and once only."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import Counties
from huaxiao.attribution.disputes import contested, store
from huaxiao.attribution.disputes.opening import OpenBranch, actor, open_branch
from huaxiao.attribution.disputes.showing import as_written, rendered
from huaxiao.attribution.domain import disputes
from huaxiao.attribution.domain.books import Known
from huaxiao.attribution.domain.contests import TIMES_RAISED, Term
from huaxiao.attribution.domain.disputes import Parties, Step
from huaxiao.attribution.domain.rulings import faults as ruling_faults
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.tables import feed
from huaxiao.shared.auth import Principal
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import LAST_PERIOD, Period, period_of, shift
from huaxiao.shared.problems import Conflict, Fault, Problem
from huaxiao.shared.wire.attribution import (
    DISPUTE_RAISED,
    Dispute,
    DisputeIn,
    DisputeRaised,
    DisputeState,
    DisputeStepName,
    RulingIn,
)


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
    """What a centre was heard on and a dispute has decided is appealed, not contested again."""

    code = "already-decided"
    status = HTTPStatus.CONFLICT
    title = "A dispute has decided on these months already"
    title_zh = "该账期的归属已由争议裁决"


class AppealOpen(Problem):
    """While a decision on the line may be appealed, no other dispute takes that away from its parties."""

    code = "appeal-open"
    status = HTTPStatus.CONFLICT
    title = "A decision on the line may still be appealed: wait until then"
    title_zh = "该用户的裁决仍在申诉期内，请待期满后提出"


class WithdrawnTwice(Problem):
    """A claim that was withdrawn is raised once more and no oftener: each time it freezes the line."""

    code = "withdrawn-twice"
    status = HTTPStatus.CONFLICT
    title = "This claim has been raised and withdrawn twice"
    title_zh = "该主张已两次提出并撤回，不再受理"


class RaisedTwice(Problem):
    """A claim that lapsed undecided is raised once more and no oftener: what stands goes on standing."""

    code = "raised-twice"
    status = HTTPStatus.CONFLICT
    title = "This claim has been raised twice and has come to no decision"
    title_zh = "该主张已两次提出而未获裁决，不再受理"


class TooLate(Problem):
    """A month is contested within days of its closing, or of the decision if that came later."""

    code = "too-late"
    status = HTTPStatus.CONFLICT
    title = "The time to contest this month has passed"
    title_zh = "该账期的争议期限已过"


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
    """Let a centre contest whose a line is; the line of another is frozen from now on.

    Raises:
        NotFound: the branch is not known.
        NotAParty: the caller does not speak for the claimant.
        Conflict: the identifier stands for another dispute.
        DisputeNotPossible: what it names is not there, or the two centres are not two.
        TooLate: the time to contest some month has passed.
        AlreadyDisputed: the line is under dispute.
        AlreadyDecided: a dispute in which the claimant was heard has decided on these months.
        AppealOpen: a decision on the line may still be appealed.
        WithdrawnTwice: the claimant has raised and withdrawn this claim before, twice.
        RaisedTwice: it has raised it twice, and nobody has decided it either time.

    """
    branch = await open_branch(connection, counties, branch_id)
    limits = await store.limits(connection, branch_id)
    step = Step(DisputeStepName.RAISE, actor(principal), now, given.text)
    pool = branch.county.organisation.default_centre_id
    history = await contested.history(connection, branch_id, given.subscription_id)
    owner = history.at(given.from_period)
    given_away = given.claimant_centre_id != given.centre_id
    other = given.centre_id
    if owner is not None and not given_away:
        other = owner.centre_id
    parties = Parties(given.claimant_centre_id, other, pool)
    dispute = disputes.raised(parties, step, limits, given_away=given_away)
    found = await store.one(connection, branch_id, dispute_id)
    if found is not None:
        return await _same(connection, branch_id, found, given, now=now)
    owner = await _require_possible(connection, branch, branch_id, given, history, now=now)
    await _require_contestable(connection, branch_id, given, parties, history, now=now)
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
    return await as_written(connection, branch_id, dispute_id, now=now)


async def _same(
    connection: AsyncConnection, branch_id: int, found: Row[Any], given: DisputeIn, *, now: datetime
) -> Dispute:
    """Return a dispute that was raised before, if it was this one."""
    shown = await rendered(connection, branch_id, [found], now=now)
    first = shown[0].steps[0]
    before = shown[0].model_dump() | {"text": first.text, "documents": first.documents}
    if shown[0].raised_from_period is not None:
        before["from_period"] = shown[0].raised_from_period
        before["to_period"] = shown[0].raised_to_period
    named = {name: before[name] for name in DisputeIn.model_fields}
    if DisputeIn.model_validate(named) != given:
        raise Conflict
    return shown[0]


async def _require_possible(
    connection: AsyncConnection,
    branch: OpenBranch,
    branch_id: int,
    given: DisputeIn,
    history: contested.History,
    *,
    now: datetime,
) -> contested.Owned:
    """Return the present owner of what can be contested."""
    owner = history.at(given.from_period)
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
    found += await _month_faults(connection, branch_id, given, now=now)
    if owner is not None:
        found += _party_faults(given, owner)
        found += _unheard(given, owner, history, branch.county.organisation.default_centre_id)
    if given.entry_number is not None:
        entry = await contested.entry_of(connection, branch_id, given.entry_number)
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


async def _month_faults(
    connection: AsyncConnection, branch_id: int, given: DisputeIn, *, now: datetime
) -> list[Fault]:
    """Refuse to contest what there is not: months to come, and months past without a booking.

    Else a line could be frozen over one such month after the other.
    """
    running = period_of(now)
    if given.from_period > running:
        message = f"it begins after {running}, the month that is running"
        return [Fault("/from_period", "future", message, f"争议始于当前月份 {running} 之后")]
    if given.to_period is None or given.to_period >= running:
        return []
    term = Term(given.from_period, given.to_period)
    if await contested.booked_in(connection, branch_id, given.subscription_id, term):
        return []
    message = "nothing of the line is booked in these months"
    return [Fault("/to_period", "nothing-booked", message, "该用户在这些账期没有入账")]


def _party_faults(given: DisputeIn, owner: contested.Owned) -> list[Fault]:
    if given.centre_id == owner.centre_id:
        message = "the line belongs to this centre already; inside a centre a ruling moves it"
        return [Fault("/centre_id", "same-centre", message, "该用户已属该中心；中心内部以裁定调整")]
    if given.claimant_centre_id not in {given.centre_id, owner.centre_id}:
        message = "neither the present owner nor the centre it should belong to"
        return [
            Fault("/claimant_centre_id", "not-a-party", message, "既非现归属中心，也非主张中心")
        ]
    return []


def _unheard(
    given: DisputeIn, owner: contested.Owned, history: contested.History, pool: str
) -> list[Fault]:
    """Refuse to contest months of a centre that is no party, and so would not be heard."""
    heard = {given.claimant_centre_id, given.centre_id, owner.centre_id, pool}
    last = given.to_period or LAST_PERIOD
    for period, one in history.within(given.from_period, last):
        if one.centre_id not in heard:
            message = f"from {period} on it belongs to {one.centre_id}: contest that apart"
            message_zh = f"自 {period} 起该用户归 {one.centre_id}，应另行提出争议"
            return [Fault("/to_period", "another-owner", message, message_zh)]
    return []


async def require_undisputed(
    connection: AsyncConnection, branch_id: int, subscription_id: str, *, given_away: bool
) -> None:
    """Refuse to open a second dispute about a line; its owner's keeps nobody else from claiming it.

    Raises:
        AlreadyDisputed: it has an open dispute.

    """
    if given_away:
        found = await contested.open_on(connection, branch_id, subscription_id)
    else:
        frozen = await contested.frozen(connection, branch_id, [subscription_id])
        found = frozen.get(subscription_id)
    if found is not None:
        raise AlreadyDisputed(dispute_id=found)


async def _require_contestable(
    connection: AsyncConnection,
    branch_id: int,
    given: DisputeIn,
    parties: Parties,
    history: contested.History,
    *,
    now: datetime,
) -> None:
    line = given.subscription_id
    given_away = given.claimant_centre_id != given.centre_id
    await require_undisputed(connection, branch_id, line, given_away=given_away)
    last = given.to_period or LAST_PERIOD
    term, claimant = Term(given.from_period, last), parties.claimant
    record = await contested.record(connection, branch_id, line)
    if other := record.heard(claimant, term):
        raise AlreadyDecided(dispute_id=other)
    in_vain = record.in_vain(claimant, parties.respondent, term)
    if len(in_vain) >= TIMES_RAISED:
        raise RaisedTwice if DisputeState.UNDECIDED in in_vain else WithdrawnTwice
    if (waits := record.appealable(now)) is not None and waits.appeal_due is not None:
        raise AppealOpen(dispute_id=waits.dispute_id, until=waits.appeal_due.isoformat())
    begins, limits = given.from_period, await store.raise_limits(connection, branch_id)
    for through, closed in await contested.closings(connection, branch_id, begins):
        for period, owner in history.within(begins, min(through, last)):
            until = limits.ends(max(closed, owner.since))
            until = record.until(until, limits, claimant)
            if owner.centre_id != given.centre_id and now >= until:
                raise TooLate(period=period, until=until.isoformat())
        begins = shift(Period(through), 1)
