"""Re-organisations: load, compare, apply."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.domain.locks import DigestMismatch
from huaxiao.contracts.domain.negative_list import Action, require_allowed
from huaxiao.contracts.domain.reorganisation import (
    Difference,
    PlanIsApplied,
    difference,
    plan_faults,
    require_applicable,
)
from huaxiao.contracts.negative_list.handlers import in_force
from huaxiao.contracts.organisation import handlers as organisation
from huaxiao.contracts.organisation import store as organisation_store
from huaxiao.contracts.reorganisations import store
from huaxiao.contracts.tables import feed
from huaxiao.shared.documents import digest
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import period_of_day
from huaxiao.shared.problems import Malformed, NotFound, TwoPeople
from huaxiao.shared.versions import require_version
from huaxiao.shared.wire.contracts import CentreIn, PersonIn
from huaxiao.shared.wire.negative_list import ActionKind
from huaxiao.shared.wire.organisation import (
    REORGANISATION_APPLIED,
    LeaveIn,
    Reorganisation,
    ReorganisationApplied,
    ReorganisationIn,
    ReorganisationPreview,
)


def render(row: RowMapping) -> Reorganisation:
    """Return a plan as the wire has it."""
    return Reorganisation.model_validate(dict(row) | dict(row["given"]))


def _plan(held: Reorganisation) -> ReorganisationIn:
    return ReorganisationIn.model_validate(
        held.model_dump(include=set(ReorganisationIn.model_fields))
    )


async def show(connection: AsyncConnection, branch_id: int, plan_id: str) -> Reorganisation:
    """Return a plan."""
    row = await store.load(connection, branch_id, plan_id)
    if row is None:
        raise NotFound
    return render(row)


async def draft(
    connection: AsyncConnection,
    branch_id: int,
    plan_id: str,
    given: ReorganisationIn,
    *,
    if_match: str | None,
    drafted_by: str,
    now: datetime,
) -> tuple[Reorganisation, bool]:
    """Draft a plan, or rewrite it until it is applied; say whether it is new.

    Raises:
        PlanIsApplied: it is applied, and what is given differs from it.

    """
    await branch(connection, branch_id, lock=True)
    row = {"given": given.model_dump(mode="json"), "drafted_by": drafted_by, "drafted_at": now}
    held = await store.load(connection, branch_id, plan_id)
    require_version(if_match, None if held is None else render(held))
    if held is not None and held["given"] == row["given"]:
        return render(held), False
    if held is not None and held["applied_at"] is not None:
        raise PlanIsApplied
    known = await organisation_store.all_centres(connection, branch_id, None)
    faults = list(plan_faults(given, {one["centre_id"] for one in known}))
    if faults:
        raise Malformed(faults=faults)
    if held is None:
        await store.add(connection, row | {"branch_id": branch_id, "plan_id": plan_id})
    else:
        await store.replace(connection, branch_id, plan_id, row)
    return await show(connection, branch_id, plan_id), held is None


async def preview(
    connection: AsyncConnection, branch_id: int, plan_id: str
) -> ReorganisationPreview:
    """Return the difference that a plan makes; of an applied one, the difference it made."""
    held = await show(connection, branch_id, plan_id)
    if held.made is not None:
        return held.made
    made, before = await _difference(connection, branch_id, _plan(held))
    return _preview(_plan(held), made, before)


async def _difference(
    connection: AsyncConnection, branch_id: int, plan: ReorganisationIn
) -> tuple[Difference, list[dict[str, Any]]]:
    rows = await organisation_store.placed_on(
        connection, branch_id, plan.from_day - timedelta(days=1)
    )
    before = {row["person_id"]: organisation.placed(row) for row in rows}
    period = period_of_day(plan.from_day)
    contracting = await store.contracting(connection, branch_id, period)
    read = [
        {name: row[name] for name in ("person_id", "centre_id", "position", "engagement")}
        | {"skills": sorted(row["skills"]), "concurrent": row["concurrent"]}
        for row in rows
    ]
    return difference(before, plan, contracting), read


def _preview(
    plan: ReorganisationIn, made: Difference, before: list[dict[str, Any]]
) -> ReorganisationPreview:
    return ReorganisationPreview(
        before_on=plan.from_day - timedelta(days=1),
        moves=list(made.moves),
        joining=list(made.joining),
        leaving=list(made.leaving),
        staying=made.staying,
        centres=list(made.centres),
        vacancies=list(made.vacancies),
        without_place=list(made.without_place),
        emptied_contracting_centres=list(made.emptied),
        digest=digest({"plan": plan.model_dump(mode="json"), "before": before}),
    )


async def apply(
    connection: AsyncConnection,
    branch_id: int,
    plan_id: str,
    wanted: str,
    *,
    applied_by: str,
    now: datetime,
) -> Reorganisation:
    """Apply a plan as a second person, all of it or nothing; again changes nothing.

    Raises:
        TwoPeople: whoever drafted it does not apply it.
        DigestMismatch: the plan or the organisation is not the one previewed.
        NotApplicable: somebody, or a contract, would be left without a place.
        OnNegativeList: the list forbids it.
        Conflict: somebody has a place from that day or a later one.

    """
    await branch(connection, branch_id, lock=True)
    held = await show(connection, branch_id, plan_id)
    if held.applied_at is not None:
        return held
    if held.drafted_by == applied_by:
        raise TwoPeople
    plan = _plan(held)
    made, before = await _difference(connection, branch_id, plan)
    shown = _preview(plan, made, before)
    if shown.digest != wanted:
        raise DigestMismatch
    require_applicable(made)
    forbidden = await in_force(connection, branch_id, plan.from_day)
    action = Action(
        ActionKind.REORGANISE,
        {"touches_sealed_field": False, "people_without_place": len(made.without_place)},
    )
    require_allowed([("/places", action)], forbidden.entries)
    await _carry_out(connection, branch_id, plan, made, now)
    await store.apply(
        connection,
        {
            "branch_id": branch_id,
            "plan_id": plan_id,
            "made": shown.model_dump(mode="json"),
            "applied_by": applied_by,
            "applied_at": now,
        },
    )
    fact = ReorganisationApplied(plan_id=plan_id, from_day=plan.from_day, digest=shown.digest)
    await feed.append(
        connection, branch_id, [NewFact(REORGANISATION_APPLIED, plan_id, fact)], now=now
    )
    return await show(connection, branch_id, plan_id)


async def _carry_out(
    connection: AsyncConnection,
    branch_id: int,
    plan: ReorganisationIn,
    made: Difference,
    now: datetime,
) -> None:
    for opened in plan.centres:
        given = CentreIn.model_validate(opened.model_dump(exclude={"centre_id"}))
        await organisation.register_centre(connection, branch_id, opened.centre_id, given, now=now)
    changed = {one.person_id for one in (*made.moves, *made.joining)}
    for place in plan.places:
        if place.person_id in changed:
            placed = PersonIn(**place.model_dump(exclude={"person_id"}), from_day=plan.from_day)
            await organisation.place_person(connection, branch_id, place.person_id, placed, now=now)
    for going in plan.leaving:
        leave = LeaveIn(day=plan.from_day, reason=going.reason)
        await organisation.leave(connection, branch_id, going.person_id, leave, now=now)
