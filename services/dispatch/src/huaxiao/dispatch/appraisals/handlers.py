"""Appraisals: load, decide, record."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from http import HTTPStatus
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.appraisals import store
from huaxiao.dispatch.domain.calendar import is_confirmed, silence_confirms_at
from huaxiao.dispatch.domain.measuring import REPEAT_WITHIN, Record, measure
from huaxiao.dispatch.domain.scorecard import (
    Card,
    final_score,
    horizontal_card,
    mean,
    person_card,
    rounded,
)
from huaxiao.dispatch.orders.store import centre_kind
from huaxiao.dispatch.tables import feed
from huaxiao.shared.auth import Principal
from huaxiao.shared.feed import NewFact
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.periods import Period, ends_at, starts_at
from huaxiao.shared.problems import Conflict, NotFound, Problem
from huaxiao.shared.wire.contracts import CentreKind
from huaxiao.shared.wire.dispatch import (
    APPRAISAL_PUBLISHED,
    Appraisal,
    AppraisalKind,
    AppraisalPublished,
    CustomerClass,
    Evidence,
    FinalIn,
    HorizontalIn,
    OrderKind,
    OrderState,
)

_REGIONAL = {CentreKind.TOWN, CentreKind.TOWNSHIP, CentreKind.OWN_HALL}


class NotRatable(Problem):
    """An enterprise centre rates a regional one; no centre rates itself (R26)."""

    code = "not-ratable"
    status = HTTPStatus.CONFLICT
    title = "This centre may not rate that one"
    title_zh = "该中心不得考核此对象"


class HorizontalNotConfirmed(Problem):
    """The final appraisal rests on the confirmed horizontal one (R27)."""

    code = "horizontal-not-confirmed"
    status = HTTPStatus.CONFLICT
    title = "The centre's horizontal appraisal is not confirmed"
    title_zh = "中心横向考核尚未确认"


class PeriodNotOver(Problem):
    """A period is appraised when it is over: its evidence may still change."""

    code = "period-not-over"
    status = HTTPStatus.CONFLICT
    title = "The period is not over"
    title_zh = "账期尚未结束"


def render(row: RowMapping | dict[str, Any], *, now: datetime) -> Appraisal:
    """Return an appraisal as the wire has it at a moment."""
    hundredths = row["score_hundredths"]
    score = None if hundredths is None else Decimal(hundredths).scaleb(-2)
    confirmed = is_confirmed(
        Period(row["period"]),
        submitted_at=row["made_at"],
        confirmed_at=row["confirmed_at"],
        now=now,
    )
    return Appraisal.model_validate(dict(row) | {"score": score, "confirmed": confirmed})


async def appraise_horizontal(
    connection: AsyncConnection,
    branch_id: int,
    given: HorizontalIn,
    *,
    principal: Principal,
    now: datetime,
) -> Appraisal:
    """Compute and store the card F1 of a regional centre."""
    principal.require_centre(given.rater_centre_id)
    rater = await centre_kind(connection, branch_id, given.rater_centre_id)
    ratee = await centre_kind(connection, branch_id, given.ratee_centre_id)
    if rater is None or ratee is None:
        raise NotFound
    if rater != CentreKind.ENTERPRISE or ratee not in _REGIONAL:
        raise NotRatable(
            f"{given.rater_centre_id} ({rater}) may not rate {given.ratee_centre_id} ({ratee}).",
            f"{given.rater_centre_id}（{rater}）不得考核 {given.ratee_centre_id}（{ratee}）。",
            rater_centre_id=given.rater_centre_id,
            ratee_centre_id=given.ratee_centre_id,
        )
    _require_over(given.period, now)
    records = await _records(
        connection, branch_id, given.period, given.rater_centre_id, given.ratee_centre_id
    )
    measures = measure(records, since=starts_at(Period(given.period)), until=_end(given.period))
    card = horizontal_card(measures, stars=given.cooperation_stars, reason=given.reason)
    return await keep(
        connection,
        branch_id,
        {
            "kind": AppraisalKind.HORIZONTAL,
            "period": given.period,
            "rater_centre_id": given.rater_centre_id,
            "ratee_centre_id": given.ratee_centre_id,
            "score_hundredths": None if card.score is None else int(rounded(card.score) * 100),
            "made_at": now,
            "given": given.model_dump(mode="json"),
            "explanation": {"form": "F1", "reason": given.reason} | _explained(card, records),
        },
    )


async def confirm(
    connection: AsyncConnection,
    branch_id: int,
    appraisal_id: str,
    *,
    principal: Principal,
    now: datetime,
) -> Appraisal:
    """Let the ratee confirm; again changes nothing."""
    row = await store.load(connection, branch_id, appraisal_id)
    if row is None or row["kind"] != AppraisalKind.HORIZONTAL:
        raise NotFound
    principal.require_centre(row["ratee_centre_id"])
    if row["confirmed_at"] is not None:
        return render(row, now=now)
    await store.confirm(connection, branch_id, appraisal_id, now)
    confirmed = await store.load(connection, branch_id, appraisal_id)
    if confirmed is None:
        raise NotFound
    return await publish(connection, branch_id, render(confirmed, now=now), now)


async def appraise_final(
    connection: AsyncConnection,
    branch_id: int,
    given: FinalIn,
    *,
    principal: Principal,
    now: datetime,
) -> Appraisal:
    """Compute, store and publish the card F2 of a person."""
    centre_id = await store.centre_of(connection, branch_id, given.person_id)
    if centre_id is None:
        raise NotFound
    principal.require_centre(centre_id)
    if principal.person_id == given.person_id:
        raise NotRatable(
            f"{given.person_id} may not appraise themselves.",
            f"{given.person_id} 不得考核本人。",
            person_id=given.person_id,
        )
    _require_over(given.period, now)
    horizontals = await store.horizontals_of(connection, branch_id, given.period, centre_id)
    if not horizontals:
        raise HorizontalNotConfirmed(
            f"{centre_id} has no horizontal appraisal of {given.period}.",
            f"{centre_id} 在 {given.period} 没有横向考核。",
            ratee_centre_id=centre_id,
            period=given.period,
        )
    for row in horizontals:
        if row["confirmed_at"] is None:
            await _confirm_by_silence(connection, branch_id, row, now)
    exact = [row["explanation"]["exact_score"] for row in horizontals]
    centre_score = mean([Fraction(score) for score in exact if score is not None])
    records: list[Record] = []
    for row in horizontals:
        records += await _records(
            connection, branch_id, given.period, row["rater_centre_id"], centre_id
        )
    person = person_card(
        measure(
            records,
            since=starts_at(Period(given.period)),
            until=_end(given.period),
            mine=lambda one: one.engineer_id == given.person_id,
        )
    )
    final = final_score(
        own=Decimal(given.own_score),
        centre_score=centre_score,
        person_score=person.score,
        adjustment=Decimal(given.adjustment),
        reason=given.reason,
    )
    explanation = {
        "form": "F2",
        "formula": "(1 - horizontal_weight) * own + horizontal_weight * horizontal + adjustment",
        "own_score": str(final.own),
        "horizontal_weight": str(final.horizontal_weight),
        "horizontal": None if final.horizontal is None else str(final.horizontal),
        "centre_score": None if centre_score is None else str(centre_score),
        "horizontal_appraisal_ids": [row["appraisal_id"] for row in horizontals],
        "person_items": _explained(person, records),
        "adjustment": str(final.adjustment),
        "reason": given.reason,
    }
    made = await keep(
        connection,
        branch_id,
        {
            "kind": AppraisalKind.FINAL,
            "period": given.period,
            "rater_centre_id": centre_id,
            "ratee_centre_id": centre_id,
            "person_id": given.person_id,
            "score_hundredths": int(final.score * 100),
            "grade": final.grade,
            "made_at": now,
            "confirmed_at": now,
            "given": given.model_dump(mode="json"),
            "explanation": explanation,
        },
    )
    return await publish(connection, branch_id, made, now)


async def _confirm_by_silence(
    connection: AsyncConnection, branch_id: int, row: RowMapping, now: datetime
) -> None:
    """Take silence for consent once the ratee's time is over."""
    deadline = silence_confirms_at(Period(row["period"]), row["made_at"])
    if not is_confirmed(
        Period(row["period"]), submitted_at=row["made_at"], confirmed_at=None, now=now
    ):
        raise HorizontalNotConfirmed(
            f"{row['ratee_centre_id']} has not confirmed {row['appraisal_id']} of {row['period']};"
            f" silence will on {deadline.isoformat()}.",
            f"{row['ratee_centre_id']} 尚未确认 {row['period']} 的横向考核 {row['appraisal_id']}，"
            f"{deadline.isoformat()} 起视为同意。",
            appraisal_id=row["appraisal_id"],
            silence_confirms_at=deadline.isoformat(),
        )
    await store.confirm(connection, branch_id, row["appraisal_id"], deadline)
    confirmed = render(dict(row) | {"confirmed_at": deadline}, now=now)
    await publish(connection, branch_id, confirmed, now)


def _end(period: int) -> datetime:
    return ends_at(Period(period))


def _require_over(period: int, now: datetime) -> None:
    if now < _end(period):
        raise PeriodNotOver(
            f"{period} ends at {_end(period).isoformat()}.",
            f"账期 {period} 至 {_end(period).isoformat()} 结束。",
            period=period,
        )


async def keep(connection: AsyncConnection, branch_id: int, appraisal: dict[str, Any]) -> Appraisal:
    """Store an appraisal; there is one of a kind for the same parties and period."""
    appraisal_id = str(new_id())
    row = appraisal | {"branch_id": branch_id, "appraisal_id": appraisal_id}
    if not await store.add(connection, row):
        whom = appraisal.get("person_id") or appraisal["ratee_centre_id"]
        raise Conflict(
            f"The {appraisal['kind']} appraisal of {whom} for {appraisal['period']} is there.",
            f"{whom} 在 {appraisal['period']} 的考核（{appraisal['kind']}）已存在。",
            kind=appraisal["kind"],
            period=appraisal["period"],
            ratee=whom,
        )
    made = await store.load(connection, branch_id, appraisal_id)
    if made is None:
        raise NotFound
    return render(made, now=row["made_at"])


async def publish(
    connection: AsyncConnection, branch_id: int, made: Appraisal, now: datetime
) -> Appraisal:
    """Tell that an appraisal stands."""
    fact = AppraisalPublished.model_validate(made.model_dump())
    await feed.append(
        connection, branch_id, [NewFact(APPRAISAL_PUBLISHED, made.appraisal_id, fact)], now=now
    )
    return made


async def _records(
    connection: AsyncConnection, branch_id: int, period: int, rater: str, ratee: str
) -> list[Record]:
    rows = await store.served_orders(
        connection,
        branch_id,
        rater_centre_id=rater,
        ratee_centre_id=ratee,
        since=starts_at(Period(period)) - REPEAT_WITHIN,
        until=_end(period),
    )
    return [record_of(row) for row in rows]


def record_of(row: RowMapping) -> Record:
    """Return what an order's row shows of how the work went."""
    evidence = Evidence.model_validate(row["evidence"])
    line = row["subscription_id"] or f"{row['customer_id']}@{row['standard_address']}"
    return Record(
        kind=OrderKind(row["kind"]),
        customer_class=CustomerClass(row["customer_class"]),
        line=line,
        state=OrderState(row["state"]),
        engineer_id=row["engineer_id"],
        requested_at=row["requested_at"],
        dispatched_at=row["dispatched_at"],
        due_at=row["due_at"],
        finished_at=row["finished_at"],
        rural=row["rural"],
        suspended_at=row["suspended_at"],
        level_version=row["version"],
        contact_due_at=row["first_contact_due_at"],
        late_for_others=row["late_because_of_centre_id"] not in {None, row["performer_centre_id"]},
        onu_online=evidence.onu_online,
        photo=evidence.photo,
        first_contact_at=evidence.first_contact_at,
        appointment_kept=evidence.appointment_kept,
        satisfaction=evidence.satisfaction,
    )


def _explained(card: Card, records: Sequence[Record]) -> dict[str, Any]:
    items: Sequence[dict[str, Any]] = [
        {
            "item": one.item,
            "weight": one.weight,
            "orders": one.count,
            "value": None if one.value is None else str(one.value),
            "share": None if one.share is None else str(one.share),
        }
        for one in card.items
    ]
    return {
        "exact_score": None if card.score is None else str(card.score),
        "rated": card.score is not None,
        "service_levels": sorted(
            {one.level_version for one in records if one.level_version is not None}
        ),
        "items": list(items),
    }
