"""What the calendar of appraisals brings about by itself, at moments that it alone gives."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals import computing, evidence, handlers, publishing, showing, store
from huaxiao.dispatch.appraisals.computing import Basis
from huaxiao.dispatch.domain.calendar import Deadlines, deadlines, settled_at
from huaxiao.dispatch.scorecards import handlers as scorecards
from huaxiao.dispatch.tables import feed
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import Period, ends_at
from huaxiao.shared.wire.appraisals import (
    RATER_LATE,
    AppraisalMonth,
    MonthEvent,
    RaterLate,
    RevisionCause,
)
from huaxiao.shared.wire.dispatch import AppraisalKind

_SUBMISSION_OVER, _PUBLISHED, _CLOSED = "submission_over", "published", "closed"


async def keep_calendar(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
    """Do the next thing that is due in the months of a branch; return how much was done.

    In the order of the calendar, so that a service that was down tells the same facts.
    """
    if frozen := await evidence.freeze_due(connection, branch_id, now):
        return frozen
    if await _next_event(connection, branch_id, now, [_SUBMISSION_OVER]):
        return 1
    if settled := await _settle(connection, branch_id, now):
        return settled
    return await _next_event(connection, branch_id, now, [_PUBLISHED, _CLOSED])


async def _next_event(
    connection: AsyncConnection, branch_id: int, now: datetime, names: Sequence[str]
) -> int:
    """Bring about the first of some events that is due in a month; return whether one was."""
    known_at = await store.known_at(connection, branch_id)
    months: dict[int, dict[str, RowMapping]] = {}
    for row in await store.events(connection, branch_id):
        months.setdefault(row["period"], {})[row["event"]] = row
    for period, events in sorted(months.items()):
        # Months that were over before the county came here have no days of their own.
        if _CLOSED in events or known_at is None or ends_at(Period(period)) <= known_at:
            continue
        version = events[evidence.FROZEN]["scorecard_version"]
        rules = await scorecards.show(connection, branch_id, version)
        due = deadlines(Period(period), rules.calendar)
        moments = {
            _SUBMISSION_OVER: due.submit_until,
            _PUBLISHED: due.publish_at,
            _CLOSED: due.close_at,
        }
        for name in names:
            if name not in events and now >= moments[name]:
                basis = await computing.basis_of(connection, branch_id, period)
                await _bring_about(connection, basis, name, moments[name], now)
                return 1
    return 0


async def _bring_about(
    connection: AsyncConnection, basis: Basis, event: str, at: datetime, now: datetime
) -> None:
    noted = {
        "branch_id": basis.branch_id,
        "period": basis.period,
        "event": event,
        "at": at,
        "recorded_at": now,
    }
    # The key keeps a second replica waiting here, and then from doing it again.
    if not await store.add_event(connection, noted):
        return
    if event == _SUBMISSION_OVER:
        await _stand_in(connection, basis, at, now)
    elif event == _PUBLISHED:
        for row in await store.cards(
            connection,
            basis.branch_id,
            AppraisalKind.FINAL,
            period=basis.period,
            unpublished=True,
        ):
            await publishing.publish_final(connection, row, basis, at=at, now=now)


# --- the fifth day ------------------------------------------------------------------------------


async def _stand_in(connection: AsyncConnection, basis: Basis, at: datetime, now: datetime) -> None:
    """Let what was measured stand alone where nobody submitted, and note who was late."""
    branch_id, period = basis.branch_id, basis.period
    kinds = await store.kinds(connection, branch_id)
    late: dict[str, list[str]] = {}
    horizontals = await store.cards(connection, branch_id, AppraisalKind.HORIZONTAL, period=period)
    given = {(row["rater_centre_id"], row["ratee_centre_id"]) for row in horizontals}
    for rater, ratee in sorted(handlers.rated_pairs(basis, kinds) - given):
        parties = {"rater_centre_id": rater, "ratee_centre_id": ratee, "person_id": None}
        made = computing.horizontal(basis, rater, ratee, {})
        late.setdefault(rater, []).append(ratee)
        await _keep(connection, basis, AppraisalKind.HORIZONTAL, parties, made, at, now)
    finals = await store.cards(connection, branch_id, AppraisalKind.FINAL, period=period)
    rated = {row["person_id"] for row in finals}
    for person_id, centre_id in sorted((await store.people_of(connection, branch_id)).items()):
        if person_id in rated or kinds.get(centre_id) not in handlers.REGIONAL:
            continue
        if not _worked(basis, centre_id, person_id):
            continue
        parties = {
            "rater_centre_id": centre_id,
            "ratee_centre_id": centre_id,
            "person_id": person_id,
        }
        made = computing.final(basis, centre_id, person_id, {}, bound=None)
        late.setdefault(centre_id, []).append(person_id)
        await _keep(connection, basis, AppraisalKind.FINAL, parties, made, at, now)
    await _note_late(connection, basis, late, at, now)


def _worked(basis: Basis, centre_id: str, person_id: str) -> bool:
    return any(
        one.is_of(person_id)
        and one.finished_at is not None
        and basis.since <= one.finished_at < basis.until
        for one in basis.performed(centre_id)
    )


async def _keep(
    connection: AsyncConnection,
    basis: Basis,
    kind: AppraisalKind,
    parties: dict[str, str | None],
    made: computing.Computed,
    at: datetime,
    now: datetime,
) -> None:
    await publishing.keep(
        connection,
        basis.branch_id,
        {
            "kind": kind,
            "period": basis.period,
            "made_at": at,
            "given": {},
            "evidence_only": True,
            "scorecard_version": basis.rules.version,
        }
        | parties,
        made,
        cause=RevisionCause.EVIDENCE_ONLY,
        by=publishing.CALENDAR,
        now=now,
    )


async def _note_late(
    connection: AsyncConnection,
    basis: Basis,
    late: dict[str, list[str]],
    at: datetime,
    now: datetime,
) -> None:
    """Take its points from each centre that was late as a rater, on its own cards of the month."""
    for centre_id, cards in sorted(late.items()):
        points = basis.rules.late_rater_points
        await store.add_late_rater(
            connection,
            {
                "branch_id": basis.branch_id,
                "period": basis.period,
                "centre_id": centre_id,
                "points": points,
                "cards": cards,
                "at": at,
            },
        )
        fact = RaterLate(period=basis.period, centre_id=centre_id, points=points, at=at)
        subject = f"{centre_id}/{basis.period}"
        await feed.append(
            connection, basis.branch_id, [NewFact(RATER_LATE, subject, fact)], now=now
        )
        for row in await store.cards(
            connection,
            basis.branch_id,
            AppraisalKind.HORIZONTAL,
            period=basis.period,
            ratee_centre_id=centre_id,
        ):
            await publishing.restate(
                connection,
                row,
                cause=RevisionCause.LATE_RATER,
                by=publishing.CALENDAR,
                at=at,
                now=now,
            )


# --- the eighth and the tenth day ---------------------------------------------------------------


async def _settle(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
    """Publish the horizontal cards that stand by now: nobody answered, or all is decided."""
    count = 0
    for row in await store.cards(connection, branch_id, AppraisalKind.HORIZONTAL, unpublished=True):
        due = await showing.deadlines_of(connection, row)
        appeals = await store.appeals(connection, branch_id, [row["appraisal_id"]])
        settled = settled_at(
            due, confirmed_at=row["confirmed_at"], appeals=showing.appealed(appeals), now=now
        )
        if settled is not None:
            await publishing.publish(connection, row, at=settled, now=now)
            count += 1
    return count


async def show_month(connection: AsyncConnection, branch_id: int, period: int) -> AppraisalMonth:
    """Show a month's calendar, and how far it has come."""
    rules = await scorecards.of_period(connection, branch_id, period)
    due: Deadlines = deadlines(Period(period), rules.calendar)
    events = await store.events(connection, branch_id, period)
    return AppraisalMonth(
        period=period,
        kept=await evidence.has_days(connection, branch_id, period),
        scorecard_version=rules.version,
        freeze_at=due.freeze_at,
        submit_until=due.submit_until,
        answer_until=due.answer_until,
        decide_until=due.decide_until,
        publish_at=due.publish_at,
        close_at=due.close_at,
        events=[MonthEvent.model_validate(dict(one)) for one in events],
        evidence=await evidence.state(connection, branch_id, period),
        late_raters=sorted(await store.late_points(connection, branch_id, period)),
    )
