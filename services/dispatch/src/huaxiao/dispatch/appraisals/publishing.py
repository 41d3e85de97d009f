"""Cards kept, published and restated: every score is a revision, and none is ever changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals import showing, store
from huaxiao.dispatch.appraisals.computing import (
    Basis,
    Computed,
    basis_of,
    coefficient_of,
    computed,
)
from huaxiao.dispatch.tables import feed
from huaxiao.shared.feed import NewFact
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.problems import Conflict, NotFound
from huaxiao.shared.wire.appraisals import (
    APPRAISAL_RESTATED,
    AppraisalRestated,
    RevisionCause,
)
from huaxiao.shared.wire.dispatch import (
    APPRAISAL_PUBLISHED,
    Appraisal,
    AppraisalKind,
    AppraisalPublished,
)

CALENDAR = "calendar"
"""Who did what the calendar brought about."""


async def keep(
    connection: AsyncConnection,
    branch_id: int,
    card: dict[str, Any],
    made: Computed,
    *,
    cause: RevisionCause,
    by: str,
    now: datetime,
) -> RowMapping:
    """Store a card with its first revision; there is one of a kind for the same parties and month.

    Raises:
        Conflict: it is there already.

    """
    appraisal_id = str(new_id())
    row = (
        {
            "branch_id": branch_id,
            "appraisal_id": appraisal_id,
            "score_hundredths": made.hundredths,
            "grade": made.grade,
            "explanation": made.explanation,
        }
        | card
        | {"revision": 1}
    )
    if not await store.add(connection, row):
        whom = card.get("person_id") or card["ratee_centre_id"]
        raise there_already(card["kind"], whom, card["period"])
    await _revise(connection, row, made, cause=cause, by=by, at=card["made_at"], now=now)
    return await reloaded(connection, branch_id, appraisal_id)


def there_already(kind: str, ratee: str, period: int) -> Conflict:
    """Return the refusal of a card that was made before."""
    return Conflict(
        f"The {kind} appraisal of {ratee} for {period} is there.",
        f"{ratee} 在 {period} 的考核（{kind}）已存在。",
        kind=kind,
        period=period,
        ratee=ratee,
    )


async def reloaded(connection: AsyncConnection, branch_id: int, appraisal_id: str) -> RowMapping:
    """Return a card as it is now."""
    row = await store.load(connection, branch_id, appraisal_id)
    if row is None:
        raise NotFound
    return row


async def publish(
    connection: AsyncConnection,
    row: RowMapping,
    *,
    at: datetime,
    now: datetime,
) -> Appraisal:
    """Tell that a card stands; its score is told of once, and restated from then on."""
    branch_id, appraisal_id = row["branch_id"], row["appraisal_id"]
    values: dict[str, Any] = {"published_at": at, "told_at": now}
    if row["kind"] != AppraisalKind.FINAL:
        # A final card that its month's days no longer hold is published while it may be appealed.
        values["confirmed_at"] = row["confirmed_at"] or at
    await store.change(connection, branch_id, appraisal_id, values)
    told = await reloaded(connection, branch_id, appraisal_id)
    shown = await showing.render(connection, told, now=now)
    fact = AppraisalPublished.model_validate(shown.model_dump())
    await feed.append(
        connection, branch_id, [NewFact(APPRAISAL_PUBLISHED, appraisal_id, fact)], now=now
    )
    return shown


async def publish_final(
    connection: AsyncConnection, row: RowMapping, basis: Basis, *, at: datetime, now: datetime
) -> Appraisal:
    """Bind a final card to its horizontal ones, all of which stand, and publish it."""
    made = await computed(connection, row, basis, bound=True)
    await _score(connection, row, made, basis)
    if row["explanation"] != made.explanation:
        await _revise(
            connection,
            dict(row) | {"revision": row["revision"] + 1},
            made,
            cause=RevisionCause.PUBLISHED,
            by=CALENDAR,
            at=at,
            now=now,
        )
        await store.change(
            connection, row["branch_id"], row["appraisal_id"], {"revision": row["revision"] + 1}
        )
    return await publish(
        connection,
        await reloaded(connection, row["branch_id"], row["appraisal_id"]),
        at=at,
        now=now,
    )


async def restate(
    connection: AsyncConnection,
    row: RowMapping,
    *,
    cause: RevisionCause,
    by: str,
    at: datetime,
    now: datetime,
    corrected_in: int | None = None,
) -> None:
    """Compute a card again and keep it as its next revision; what is bound to it follows.

    Of a published card everybody is told the score that takes the place of the one before.
    """
    branch_id, period = row["branch_id"], row["period"]
    basis = await basis_of(connection, branch_id, period)
    published = row["published_at"] is not None
    made = await computed(connection, row, basis, bound=published)
    number = row["revision"] + 1
    await _score(connection, row, made, basis, revision=number, known=published)
    await _revise(
        connection,
        dict(row) | {"revision": number},
        made,
        cause=cause,
        by=by,
        at=at,
        now=now,
        corrected_in=corrected_in,
    )
    if published:
        await _tell_restated(connection, row, cause=cause, now=now, corrected_in=corrected_in)
    if row["kind"] != AppraisalKind.HORIZONTAL:
        return
    for final in await store.cards(
        connection,
        branch_id,
        AppraisalKind.FINAL,
        period=period,
        ratee_centre_id=row["ratee_centre_id"],
    ):
        # One that is not published yet takes the horizontal score as it is when it is.
        if final["published_at"] is not None:
            await restate(
                connection,
                final,
                cause=RevisionCause.HORIZONTAL_RESTATED,
                by=by,
                at=at,
                now=now,
                corrected_in=corrected_in,
            )


async def _tell_restated(
    connection: AsyncConnection,
    before: RowMapping,
    *,
    cause: RevisionCause,
    now: datetime,
    corrected_in: int | None,
) -> None:
    branch_id, appraisal_id = before["branch_id"], before["appraisal_id"]
    after = await showing.render(
        connection, await reloaded(connection, branch_id, appraisal_id), now=now
    )
    fact = AppraisalRestated.model_validate(
        after.model_dump()
        | {
            "previous_score": showing.points(before["score_hundredths"]),
            "previous_coefficient": before["coefficient"],
            "cause": cause,
            "corrected_in": corrected_in,
        }
    )
    await feed.append(
        connection, branch_id, [NewFact(APPRAISAL_RESTATED, appraisal_id, fact)], now=now
    )


async def _score(
    connection: AsyncConnection,
    row: RowMapping,
    made: Computed,
    basis: Basis,
    *,
    revision: int | None = None,
    known: bool = True,
) -> None:
    """Give a card's row its score, and a final one its coefficient."""
    values: dict[str, Any] = {
        "score_hundredths": made.hundredths,
        "grade": made.grade,
        "explanation": made.explanation,
    }
    if revision is not None:
        values["revision"] = revision
    if row["kind"] == AppraisalKind.FINAL and known:
        person = await store.person(connection, row["branch_id"], row["person_id"])
        kind, factor = coefficient_of(
            basis.rules, None if person is None else person["engagement"], made.exact
        )
        values |= {
            "coefficient_kind": kind,
            "coefficient": None if factor is None else str(factor),
        }
    await store.change(connection, row["branch_id"], row["appraisal_id"], values)


async def _revise(
    connection: AsyncConnection,
    row: Any,
    made: Computed,
    *,
    cause: RevisionCause,
    by: str,
    at: datetime,
    now: datetime,
    corrected_in: int | None = None,
) -> None:
    await store.add_revision(
        connection,
        {
            "branch_id": row["branch_id"],
            "appraisal_id": row["appraisal_id"],
            "number": row["revision"],
            "cause": cause,
            "score_hundredths": made.hundredths,
            "exact_score": None if made.exact is None else str(made.exact),
            "grade": made.grade,
            "explanation": made.explanation,
            "corrected_in": corrected_in,
            "by": by,
            "at": at,
            "recorded_at": now,
        },
    )
