"""Orders: load, decide, record."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.attachments import store as attachments_store
from huaxiao.dispatch.domain.order_parts import (
    require_photo,
    require_predecessors_done,
    require_tasks_done,
)
from huaxiao.dispatch.domain.order_states import (
    ENGINEERS_OWN,
    OrderProgress,
    Span,
    Step,
    take,
)
from huaxiao.dispatch.domain.service_level import due_at
from huaxiao.dispatch.orders import store
from huaxiao.dispatch.orders.assigning import check_assignee, check_receiving_centre
from huaxiao.dispatch.orders.placing import Asked, Clock, Place, find_place, record_place
from huaxiao.dispatch.orders.showing import progress_of, show
from huaxiao.dispatch.parts import store as parts_store
from huaxiao.dispatch.tables import feed
from huaxiao.shared.auth import Principal, Role
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import period_of
from huaxiao.shared.problems import Forbidden, NotFound
from huaxiao.shared.versions import require_version
from huaxiao.shared.wire.attribution import WorkRequestedFact
from huaxiao.shared.wire.dispatch import (
    ORDER_FINISHED,
    ORDER_REOPENED,
    CustomerClass,
    OrderFinished,
    OrderKind,
    OrderReopened,
    OrderState,
    OrderStepIn,
    StepName,
)
from huaxiao.shared.wire.orders import AttachmentKind, OrderDetail

_PLACING = {StepName.REASSIGN, StepName.HAND_OVER}
_EITHER_SIDE = {StepName.CANCEL, StepName.APPOINT}
_REQUESTERS = {StepName.CONFIRM, StepName.REWORK}
_HANDING_OVER = {Role.COUNTY_MANAGER, Role.CONTRACTOR}


async def create(
    connection: AsyncConnection, branch_id: int, asked: WorkRequestedFact, *, seen_at: datetime
) -> None:
    """Make an order of requested work and give it to an engineer; known ids change nothing.

    A kind or class nobody knows is kept and flagged: requested work is never dropped.
    """
    await store.place_alone(connection, branch_id)
    flags = []
    try:
        kind = OrderKind(asked.kind)
    except ValueError:
        kind = OrderKind.CHECK
        flags.append("unknown_kind")
    try:
        customer_class = CustomerClass(asked.customer_class)
    except ValueError:
        customer_class = CustomerClass.PUBLIC
        flags.append("unknown_customer_class")
    place = await find_place(
        connection,
        branch_id,
        Asked(kind, customer_class, asked.standard_address, asked.requested_at),
    )
    await add(
        connection,
        branch_id,
        {
            "order_id": asked.order_id,
            "customer_id": asked.customer_id,
            "subscription_id": asked.subscription_id,
            "flags": flags,
        },
        place,
        at=min(asked.requested_at, seen_at),
    )


async def add(
    connection: AsyncConnection,
    branch_id: int,
    order: Mapping[str, Any],
    place: Place,
    *,
    at: datetime,
) -> bool:
    """Add an order where it belongs, with its first step; False when its id is known."""
    asked = place.asked
    row = {
        "branch_id": branch_id,
        "kind": asked.kind,
        "customer_class": asked.customer_class,
        "standard_address": asked.address,
        "requested_at": asked.requested_at,
        "last_step_at": at,
        "steps": 1,
        "rejections": 0,
        "evidence": {},
    }
    given = place.given_out(at)
    added = await store.add(connection, row | dict(order) | given)
    if added:
        await record_place(
            connection, branch_id, order["order_id"], place, state=given["state"], number=1, at=at
        )
    return added


async def dispatch_again(connection: AsyncConnection, branch_id: int) -> None:
    """Give out again what nobody has accepted, now that more is known of the county.

    Feeds keep their own order only: work may be asked for before its field or engineer is known.
    The clock goes on from when the order came in; the customer did not ask us to wait.
    """
    await store.place_alone(connection, branch_id)
    for row in await store.unaccepted(connection, branch_id):
        place = await find_place(connection, branch_id, _asked(row))
        has_it = row["engineer_id"] is not None or row["crew_id"] is not None
        known = (row["performer_centre_id"], row["requester_centre_id"], row["reason"])
        if has_it and place.performer == row["performer_centre_id"]:
            continue
        if (place.performer, place.requester, place.reason) == known:
            if list(place.unmet_skills) != row["unmet_skills"]:
                changes = {"unmet_skills": list(place.unmet_skills)}
                await store.save(connection, branch_id, row["order_id"], changes)
            continue
        await _give_out(connection, branch_id, row, place)


def _asked(row: RowMapping) -> Asked:
    # Of BSS orders the enterprise centre is the requester, as soon as there is one.
    posted = row["request_digest"] is not None
    asked = Asked(
        OrderKind(row["kind"]),
        CustomerClass(row["customer_class"]),
        row["standard_address"],
        row["requested_at"],
        needed_skills=tuple(row["needed_skills"]),
        requester=row["requester_centre_id"] if posted else None,
        held=row["held"],
    )
    if row["handovers"] or row["visits"]:
        return replace(asked, performer=row["performer_centre_id"], rural=row["rural"])
    return asked


async def _give_out(
    connection: AsyncConnection, branch_id: int, row: RowMapping, place: Place
) -> None:
    at, number = row["last_step_at"], row["steps"] + 1
    clock = None
    if row["dispatched_at"] is not None:
        clock = Clock(row["dispatched_at"], row["due_at"], row["rural"])
    given = place.given_out(at, appointed=row["appointed_from"] is not None, clock=clock)
    await store.save(connection, branch_id, row["order_id"], given | {"steps": number})
    await record_place(
        connection, branch_id, row["order_id"], place, state=given["state"], number=number, at=at
    )


async def step(
    connection: AsyncConnection,
    branch_id: int,
    order_id: str,
    given: OrderStepIn,
    *,
    principal: Principal,
    if_match: str | None = None,
    now: datetime,
) -> OrderDetail:
    """Take a step of an order and record it."""
    if given.step in _PLACING:
        await store.place_alone(connection, branch_id)
    row = await store.load(connection, branch_id, order_id, lock=True)
    is_engineer = principal.roles == {Role.ENGINEER}
    if row is None or not (
        is_engineer or await store.is_visible(connection, branch_id, order_id, principal)
    ):
        raise NotFound
    _check_side(row, given.step, principal)
    if if_match is not None:
        require_version(if_match, await show(connection, branch_id, order_id))
    before = await progress_of(connection, branch_id, row)
    wanted = _wanted(row, given, principal, now)
    after = _with_clock(row, take(before, wanted, now=now))
    await _check_what_it_says(connection, branch_id, row, given)
    evidence = given.evidence.model_dump(mode="json", exclude_none=True)
    if given.shown_by is not None:
        evidence["photo"] = True
    number = row["steps"] + 1
    changes = _changes(row, after, given) | {"evidence": row["evidence"] | evidence}
    await store.save(connection, branch_id, order_id, changes | {"steps": number})
    acting = after.engineer_id
    if given.step in ENGINEERS_OWN:
        acting = wanted.acting_engineer
    await store.record_step(
        connection,
        {
            "branch_id": branch_id,
            "order_id": order_id,
            "number": number,
            "step": given.step,
            "state": after.state,
            "at": wanted.at,
            "by": principal.subject,
            "engineer_id": acting,
            "crew_id": after.crew_id,
            "centre_id": after.centre_id,
            "reason": given.reason,
            "cause": given.cause if given.step is StepName.SUSPEND else None,
            "opens_at": given.window and given.window.opens_at,
            "closes_at": given.window and given.window.closes_at,
            "latitude": given.where and given.where.latitude,
            "longitude": given.where and given.where.longitude,
            "evidence": evidence,
            "recorded_at": now,
        },
    )
    match given.step:
        case StepName.FINISH:
            await _publish_finished(connection, branch_id, row, after, acting or "", now)
        case StepName.REWORK:
            await _publish_reopened(connection, branch_id, row, before, now)
        case StepName.HAND_OVER:
            await _receive(connection, branch_id, order_id)
        case StepName.CANCEL | StepName.CONFIRM:
            await parts_store.release_planned_serials(connection, branch_id, order_id)
        case _:
            pass
    return await show(connection, branch_id, order_id)


def _wanted(row: RowMapping, given: OrderStepIn, principal: Principal, now: datetime) -> Step:
    is_engineer = principal.roles == {Role.ENGINEER}
    acting, window = given.engineer_id, given.window
    if given.step is not StepName.REASSIGN:
        acting = principal.person_id if is_engineer else given.engineer_id or row["engineer_id"]
    return Step(
        given.step,
        given.at or now,
        acting,
        given.reason,
        given.cause,
        given.evidence.onu_online,
        by_engineer=is_engineer,
        crew_id=given.crew_id,
        centre_id=given.centre_id,
        window=None if window is None else Span(window.opens_at, window.closes_at),
    )


def _with_clock(row: RowMapping, after: OrderProgress) -> OrderProgress:
    """Start the clock of an order that somebody has for the first time."""
    if after.dispatched_at is not None or after.state is not OrderState.DISPATCHED:
        return after
    at = after.last_step_at
    kind, customer_class = OrderKind(row["kind"]), CustomerClass(row["customer_class"])
    due = due_at(kind, customer_class, rural=row["rural"], dispatched_at=at)
    return replace(after, dispatched_at=at, due_at=due)


def _changes(row: RowMapping, after: OrderProgress, given: OrderStepIn) -> dict[str, Any]:
    return {
        "state": after.state,
        "engineer_id": after.engineer_id,
        "crew_id": after.crew_id,
        "performer_centre_id": after.centre_id,
        "dispatched_at": after.dispatched_at,
        "due_at": after.due_at,
        "suspended_at": after.suspended_at,
        "suspended_in": after.suspended_in,
        "finished_at": after.finished_at,
        "last_step_at": after.last_step_at,
        "rejections": after.rejections,
        "visits": after.visits,
        "reworks": after.reworks,
        "handovers": after.handovers,
        "appointed_from": after.appointment and after.appointment.opens_at,
        "appointed_to": after.appointment and after.appointment.closes_at,
        "flags": list(after.flags),
        "shown_by": None if given.step is StepName.REWORK else given.shown_by or row["shown_by"],
        "reason": given.reason or row["reason"],
    }


async def _check_what_it_says(
    connection: AsyncConnection, branch_id: int, row: RowMapping, given: OrderStepIn
) -> None:
    order_id = row["order_id"]
    match given.step:
        case StepName.REASSIGN:
            await check_assignee(
                connection,
                branch_id,
                row,
                engineer_id=given.engineer_id,
                crew_id=given.crew_id,
            )
        case StepName.HAND_OVER:
            await check_receiving_centre(connection, branch_id, given.centre_id or "")
        case StepName.START:
            before = await parts_store.predecessors(connection, branch_id, order_id)
            require_predecessors_done(before)
        case StepName.FINISH:
            tasks = await parts_store.tasks(connection, branch_id, order_id)
            require_tasks_done(
                (one["task_id"], one["name"])
                for one in tasks
                if one["required"] and one["done_at"] is None
            )
            photos = await _photos_of_result(connection, branch_id, order_id)
            require_photo(given.shown_by, photos, needed=row["photo_needed"])
        case _:
            pass


async def _photos_of_result(
    connection: AsyncConnection, branch_id: int, order_id: str
) -> list[str]:
    """Name the photos that may show the result: none of one that was not accepted."""
    refused = await store.last_step(connection, branch_id, order_id, StepName.REWORK)
    return [
        one["name"]
        for one in await attachments_store.listed(connection, branch_id, order_id)
        if one["kind"] == AttachmentKind.AFTER
        and (refused is None or one["at"] > refused["recorded_at"])
    ]


async def _receive(connection: AsyncConnection, branch_id: int, order_id: str) -> None:
    """Let the centre that an order was handed over to give it to somebody."""
    row = await store.load(connection, branch_id, order_id)
    if row is None or row["held"]:
        return
    place = await find_place(connection, branch_id, _asked(row))
    if place.is_given_out:
        await _give_out(connection, branch_id, row, place)


async def _publish_finished(
    connection: AsyncConnection,
    branch_id: int,
    row: RowMapping,
    after: OrderProgress,
    engineer_id: str,
    now: datetime,
) -> None:
    fact = OrderFinished(
        order_id=row["order_id"],
        kind=row["kind"],
        centre_id=row["performer_centre_id"],
        engineer_id=engineer_id,
        period=period_of(after.last_step_at),
        on_time=after.on_time,
    )
    news = NewFact(ORDER_FINISHED, row["order_id"], fact)
    await feed.append(connection, branch_id, [news], now=now)


async def _publish_reopened(
    connection: AsyncConnection,
    branch_id: int,
    row: RowMapping,
    before: OrderProgress,
    now: datetime,
) -> None:
    finish = await store.last_step(connection, branch_id, row["order_id"], StepName.FINISH)
    assert finish is not None  # noqa: S101 - it is done
    fact = OrderReopened(
        order_id=row["order_id"],
        kind=row["kind"],
        centre_id=row["performer_centre_id"],
        engineer_id=finish["engineer_id"],
        period=period_of(finish["at"]),
        on_time=before.on_time,
    )
    news = NewFact(ORDER_REOPENED, row["order_id"], fact)
    await feed.append(connection, branch_id, [news], now=now)


def _check_side(row: RowMapping, name: StepName, principal: Principal) -> None:
    """Keep a caller to its side: the requester confirms, the performer works and hands over.

    Raises:
        Forbidden: only the county's manager and the performing centre hand an order over.
        NotFound: the caller is bound to centres, and they are not of that side.

    """
    if name is StepName.HAND_OVER and not principal.roles & _HANDING_OVER:
        raise Forbidden
    if principal.centre_ids is None or principal.roles == {Role.ENGINEER}:
        return
    performer, requester = row["performer_centre_id"], row["requester_centre_id"]
    if name in _REQUESTERS:
        principal.require_centre(requester or performer)
    elif name not in _EITHER_SIDE:
        principal.require_centre(performer)
