"""What is done about a dispute: spoken by its parties, decided by two people, one appeal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.counties import Counties
from huaxiao.attribution.disputes import contested, store
from huaxiao.attribution.disputes.opening import actor, open_branch
from huaxiao.attribution.disputes.raising import require_undisputed
from huaxiao.attribution.disputes.showing import as_written, visible
from huaxiao.attribution.domain import disputes
from huaxiao.attribution.domain.contests import Term
from huaxiao.attribution.domain.disputes import Step, StepNotAllowed
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.intake.taking import decide_again
from huaxiao.attribution.rulings import handlers as rulings
from huaxiao.attribution.rulings.handlers import RulingNotPossible
from huaxiao.attribution.tables import feed
from huaxiao.shared.auth import Principal
from huaxiao.shared.feed import NewFact
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.periods import LAST_PERIOD
from huaxiao.shared.problems import Fault, NotFound
from huaxiao.shared.wire.attribution import (
    DISPUTE_ENDED,
    Dispute,
    DisputeDecisionIn,
    DisputeEnded,
    DisputeLimits,
    DisputeState,
    DisputeStepName,
    DocumentReference,
    PleaIn,
    RulingIn,
)


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
        AlreadyDisputed: on appeal, another dispute about the line has been raised meanwhile.

    """
    branch = await open_branch(connection, counties, branch_id)
    row = await visible(connection, branch_id, dispute_id, principal)
    text = None if plea is None else plea.text
    step = Step(name, actor(principal), now, text)
    limits = await store.limits(connection, branch_id)
    before = store.progress(row)
    after = disputes.take(before, step, limits)
    own = None
    if after.open and not before.open:
        own = await _own_months(connection, branch_id, row)
        await require_undisputed(
            connection, branch_id, row.subscription_id, given_away=before.given_away
        )
    # What is proposed and not confirmed before an appeal or an end is proposed no longer.
    await store.go_on(connection, branch_id, dispute_id, after, ruling_id=row.ruling_id, now=now)
    if own is not None:
        await store.narrow(connection, branch_id, row, own)
    documents = [] if plea is None else plea.documents
    await _record(connection, branch_id, dispute_id, step, documents=documents)
    if before.frozen and not after.frozen:
        await decide_again(
            connection, branch.county, branch_id, now=now, subscription_ids=[row.subscription_id]
        )
    if before.open and not after.open:
        await _publish_end(connection, branch_id, row, after.state, None, now=now)
    return await as_written(connection, branch_id, dispute_id, now=now)


async def _own_months(connection: AsyncConnection, branch_id: int, row: Row[Any]) -> Term:
    """Return the months in which a decision still stands: an appeal is about those alone.

    Whoever has the others by a later ruling is no party, and would not be heard.
    """
    record = await contested.record(connection, branch_id, row.subscription_id)
    found = next(one for one in record.disputes if one.dispute_id == row.dispute_id)
    own = record.own(found)
    if not own:
        raise StepNotAllowed(
            "A ruling has taken the decision's place since: contest that.",
            "其后的裁定已取代该裁决，应另行提出争议。",
        )
    # No ruling divides what may be appealed; of a decision that was divided before, the latest months.
    return own[-1]


async def _require_heard(
    connection: AsyncConnection,
    branch_id: int,
    row: Row[Any],
    centre_id: str,
    term: Term,
) -> None:
    """Refuse a decision that takes months from a centre that is no party, and so was not heard."""
    heard = {row.claimant_centre_id, row.respondent_centre_id, row.default_centre_id, centre_id}
    if row.ruling_id is not None:
        heard.add((await rulings.show(connection, branch_id, row.ruling_id)).centre_id)
    history = await contested.history(connection, branch_id, row.subscription_id)
    for period, one in history.within(term.first, term.last):
        if one.centre_id not in heard:
            message = f"from {period} on it belongs to {one.centre_id}, which is no party"
            message_zh = f"自 {period} 起该用户归非当事方 {one.centre_id}"
            fault = Fault("/to_period", "another-owner", message, message_zh)
            raise RulingNotPossible(faults=[fault])


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
        AmendmentUnknown: it names a supplement that is not known to be signed.

    """
    branch = await open_branch(connection, counties, branch_id)
    row = await visible(connection, branch_id, dispute_id, principal)
    step = Step(DisputeStepName.PROPOSE, actor(principal), now, given.reason)
    limits = await store.limits(connection, branch_id)
    after = disputes.take(store.progress(row), step, limits)
    last = given.to_period or row.to_period
    if row.to_period is not None and last > row.to_period:
        message = f"the dispute is about months up to {row.to_period}"
        beyond = Fault("/to_period", "beyond-dispute", message, f"争议账期至 {row.to_period} 止")
        raise RulingNotPossible(faults=[beyond])
    months = Term(row.from_period, last or LAST_PERIOD)
    await _require_heard(connection, branch_id, row, given.centre_id, months)
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
    return await as_written(connection, branch_id, dispute_id, now=now)


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
        AmendmentUnknown: it names a supplement that is not known to be signed.

    """
    branch = await open_branch(connection, counties, branch_id)
    row = await visible(connection, branch_id, dispute_id, principal)
    now = await rulings.moment_of_approval(connection, branch_id, branch.intake, now)
    step = Step(DisputeStepName.CONFIRM, actor(principal), now)
    limits = await store.limits(connection, branch_id)
    after = disputes.take(store.progress(row), step, limits)
    ruling_id = row.proposal_id
    ruling = await rulings.show(connection, branch_id, ruling_id)
    months = Term(ruling.from_period, ruling.to_period or LAST_PERIOD)
    await _require_heard(connection, branch_id, row, ruling.centre_id, months)
    await store.go_on(connection, branch_id, dispute_id, after, ruling_id=ruling_id, now=now)
    await _record(connection, branch_id, dispute_id, step, ruling_id=ruling_id)
    await rulings.put_in_force(
        connection,
        branch.county,
        branch_id,
        ruling,
        closed_through=branch.closed_through,
        by=principal.subject,
        now=now,
    )
    await _publish_end(connection, branch_id, row, after.state, ruling_id, now=now)
    return await as_written(connection, branch_id, dispute_id, now=now)


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
