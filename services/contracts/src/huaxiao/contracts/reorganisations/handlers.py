"""Re-organisations: load, compare, apply."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.domain.locks import DigestMismatch
from huaxiao.contracts.domain.negative_list import Action, require_allowed
from huaxiao.contracts.domain.organisation import ChannelIsSealed, Register, held_on
from huaxiao.contracts.domain.reorganisation import (
    Difference,
    PlanIsApplied,
    difference,
    plan_faults,
    require_applicable,
)
from huaxiao.contracts.domain.restructuring import (
    Restructuring,
    restructuring,
    restructuring_faults,
)
from huaxiao.contracts.negative_list.handlers import hits_of, in_force
from huaxiao.contracts.organisation import changes
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
from huaxiao.shared.wire.negative_list import ActionKind, NegativeEntry
from huaxiao.shared.wire.organisation import (
    REORGANISATION_APPLIED,
    ChannelChange,
    CloseIn,
    LeaveIn,
    MoveIn,
    RenameIn,
    Reorganisation,
    ReorganisationApplied,
    ReorganisationIn,
    ReorganisationPreview,
)


class SealsBroken(Exception):  # noqa: N818 - carries problems, and is none itself
    """Channels that a plan would move out of their sealed fields: every one is put on record."""

    def __init__(self, refused: Sequence[ChannelIsSealed], plan: ReorganisationIn) -> None:
        """Take the refusals, and the plan that asked for it."""
        super().__init__()
        self.refused = refused
        self.plan = plan


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
    if held is not None and _plan(render(held)) == given:
        return render(held), False
    if held is not None and held["applied_at"] is not None:
        raise PlanIsApplied
    register = await changes.register_on(connection, branch_id, given.from_day)
    faults = [
        *plan_faults(given, register.centres.keys()),
        *restructuring_faults(given, register),
    ]
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
    return (await _compared(connection, branch_id, _plan(held))).preview


@dataclass(frozen=True, slots=True)
class _Compared:
    """A plan against the organisation before it."""

    made: Difference
    structure: Restructuring
    action: Action
    entries: Sequence[NegativeEntry]
    """Of the negative list in force on the plan's day."""
    preview: ReorganisationPreview


async def _compared(
    connection: AsyncConnection, branch_id: int, plan: ReorganisationIn
) -> _Compared:
    before_on = plan.from_day - timedelta(days=1)
    rows = await organisation_store.placed_on(connection, branch_id, before_on)
    before = {row["person_id"]: organisation.placed(row) for row in rows}
    period = period_of_day(plan.from_day)
    made = difference(before, plan, await store.contracting(connection, branch_id, period))
    register = await changes.register_on(connection, branch_id, plan.from_day)
    structure = restructuring(plan, register)
    action = Action(
        ActionKind.REORGANISE,
        {
            "touches_sealed_field": structure.touches_sealed_field,
            "people_without_place": len(made.without_place),
        },
    )
    entries = (await in_force(connection, branch_id, plan.from_day)).entries
    ground = {
        "people": [
            {name: row[name] for name in ("person_id", "centre_id", "position", "engagement")}
            | {"skills": sorted(row["skills"]), "concurrent": row["concurrent"]}
            for row in rows
        ],
        # Who is placed on the plan's day or later has been placed beside it: whoever reads the
        # difference must have seen that too.
        "later": [
            {name: row[name] for name in ("person_id", "centre_id", "position", "here")}
            | {"from_day": row["from_day"].isoformat()}
            for row in await organisation_store.placed_since(connection, branch_id, plan.from_day)
        ],
        **_ground(register, before_on),
    }
    shown = _preview(plan, made, structure)
    shown["on_negative_list"] = hits_of(action, entries)
    drawn = ReorganisationPreview.model_validate(shown | {"digest": ""})
    told = {"plan": plan.model_dump(mode="json"), "before": ground}
    told["difference"] = drawn.model_dump(mode="json", exclude={"digest"})
    preview = drawn.model_copy(update={"digest": digest(told)})
    return _Compared(made, structure, action, entries, preview)


def _ground(register: Register, day: date) -> dict[str, Any]:
    """Return the centres and channels as they stand on a day: what a plan was made for."""
    called = {one: held_on(life.states, day) for one, life in register.centres.items()}
    homes = {one: held_on(life.homes, day) for one, life in register.channels.items()}
    return {
        "centres": {
            one: [state.name, state.name_zh] for one, state in called.items() if state is not None
        },
        "channels": {one: home.centre_id for one, home in homes.items() if home is not None},
    }


def _preview(plan: ReorganisationIn, made: Difference, structure: Restructuring) -> dict[str, Any]:
    return {
        "before_on": plan.from_day - timedelta(days=1),
        "moves": made.moves,
        "joining": made.joining,
        "leaving": made.leaving,
        "staying": made.staying,
        "centres": made.centres,
        "vacancies": made.vacancies,
        "without_place": made.without_place,
        "not_here": made.not_here,
        "emptied_contracting_centres": made.emptied,
        "opened": [one.model_dump() | {"from_day": plan.from_day} for one in structure.opened],
        "renamed": structure.renamed,
        "closed": [
            {"centre_id": centre_id} | left.as_json() for centre_id, left in structure.closed
        ],
        "channels": [
            ChannelChange(
                channel_id=one.channel_id,
                from_centre_id=one.from_centre_id,
                to_centre_id=one.to_centre_id,
                sealed_in=[seal.field_id for seal in one.seals],
            )
            for one in structure.channels
        ],
    }


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
        SealsBroken: a channel would leave the centre of its sealed field.
        NotApplicable: somebody, or a contract, would be left without a place, or a centre in use
            would close.
        OnNegativeList: the list forbids it.
        Conflict: somebody or something named has changed from that day or a later one.

    """
    await branch(connection, branch_id, lock=True)
    held = await show(connection, branch_id, plan_id)
    if held.applied_at is not None:
        return held
    if held.drafted_by == applied_by:
        raise TwoPeople
    plan = _plan(held)
    found = await _compared(connection, branch_id, plan)
    shown = found.preview
    if shown.digest != wanted:
        raise DigestMismatch
    forbidding = [one.code for one in shown.on_negative_list]
    broken = found.structure.seals_broken
    if broken:
        raise SealsBroken([seal.refusal(entries=forbidding) for seal in broken], plan)
    require_applicable(found.made, found.structure, forbidding)
    require_allowed([("/places", found.action)], found.entries)
    await _carry_out(connection, branch_id, plan, found, now)
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
    found: _Compared,
    now: datetime,
) -> None:
    """Make all of it true: what opens first, what closes when everybody has left it."""
    day = plan.from_day
    for opened in plan.centres:
        given = CentreIn(**opened.model_dump(exclude={"centre_id"}), from_day=day)
        await organisation.register_centre(connection, branch_id, opened.centre_id, given, now=now)
    for one in found.structure.renamed:
        named = RenameIn(from_day=day, name=one.to_name, name_zh=one.to_name_zh)
        await changes.rename_centre(connection, branch_id, one.centre_id, named, now=now)
    reasons = {one.channel_id: one.reason for one in plan.closed_channels}
    for move in found.structure.channels:
        if move.to_centre_id is None:
            closing = CloseIn(day=day, reason=reasons[move.channel_id])
            await changes.close_channel(connection, branch_id, move.channel_id, closing, now=now)
        else:
            goal = MoveIn(from_day=day, centre_id=move.to_centre_id)
            await changes.move_channel(connection, branch_id, move.channel_id, goal, now=now)
    changed = {one.person_id for one in (*found.made.moves, *found.made.joining)}
    for place in plan.places:
        if place.person_id in changed:
            placed = PersonIn(**place.model_dump(exclude={"person_id"}), from_day=day)
            await organisation.place_person(connection, branch_id, place.person_id, placed, now=now)
    for going in plan.leaving:
        leave = LeaveIn(day=day, reason=going.reason)
        await organisation.leave(connection, branch_id, going.person_id, leave, now=now)
    for emptied in plan.closed:
        closing = CloseIn(day=day, reason=emptied.reason)
        await changes.close_centre(connection, branch_id, emptied.centre_id, closing, now=now)
