"""Violations: load, decide, record."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch, next_number
from huaxiao.contracts.domain.references import require_known
from huaxiao.contracts.domain.violations import (
    StepOutOfTurn,
    counted_severities,
    require_appealable,
    require_decidable,
    require_points,
)
from huaxiao.contracts.negative_list.handlers import in_force, show
from huaxiao.contracts.organisation.store import known_centres, known_people
from huaxiao.contracts.tables import feed, violations
from huaxiao.contracts.violations import reading, store
from huaxiao.shared.auth import COUNTY_READERS, Principal
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import business_day, period_of_day
from huaxiao.shared.problems import Fault, Malformed, NotFound, TwoPeople
from huaxiao.shared.wire.negative_list import (
    VIOLATION_DECIDED,
    DecisionIn,
    NegativeList,
    Severity,
    StatementIn,
    Violation,
    ViolationDecided,
    ViolationIn,
    ViolationState,
    ViolationStep,
    ViolationSummary,
)

_STATES = {
    "hear": ViolationState.HEARD,
    "decide": ViolationState.DECIDED,
    "appeal": ViolationState.APPEALED,
    "decide_appeal": ViolationState.FINAL,
}


def _state(steps: Sequence[RowMapping]) -> ViolationState:
    return _STATES[steps[-1]["step"]] if steps else ViolationState.REPORTED


def _summary(
    row: RowMapping, steps: Sequence[RowMapping], counted: Mapping[int, Severity]
) -> ViolationSummary:
    decisions = [one for one in steps if one["upheld"] is not None]
    last = decisions[-1] if decisions else None
    stands = last is not None and last["upheld"]
    return ViolationSummary.model_validate(
        dict(row)
        | {
            "state": _state(steps),
            "upheld": None if last is None else last["upheld"],
            "counted_as": counted.get(row["number"]),
            "points": last["points"] if last is not None and stands else 0,
            "recover_fen": last["recover_fen"] if last is not None and stands else 0,
        }
    )


async def _render(
    connection: AsyncConnection,
    row: RowMapping,
    steps: Sequence[RowMapping],
    principal: Principal,
) -> Violation:
    # Whoever reports must not fear the centre concerned: only county readers are told who it was.
    may_know = bool(principal.roles & {*COUNTY_READERS})
    counted = await reading.counted(connection, row["branch_id"], [row["centre_id"]])
    return Violation(
        **_summary(row, steps, counted).model_dump(),
        person_ids=row["person_ids"],
        evidence=row["evidence"],
        references=row["references"],
        asked_recover_fen=row["asked_recover_fen"],
        reported_by=row["reported_by"] if may_know else None,
        reported_at=row["reported_at"],
        steps=[ViolationStep.model_validate(dict(one)) for one in steps],
    )


async def report(
    connection: AsyncConnection,
    branch_id: int,
    given: ViolationIn,
    *,
    principal: Principal,
    now: datetime,
) -> Violation:
    """Record a report under the branch's next number.

    Raises:
        UnknownReference: the list of that day has no such entry, or nobody knows centre or person.

    """
    await branch(connection, branch_id, lock=True)
    if given.day > business_day(now):
        fault = Fault("/day", "in-the-future", "the day has not come", "日期尚未到来")
        raise Malformed(faults=[fault])
    held = await in_force(connection, branch_id, given.day)
    entries = {entry.code: entry for entry in held.entries}
    require_known([("/entry", given.entry)], entries.keys())
    centres = await known_centres(connection, branch_id, {given.centre_id})
    require_known([("/centre_id", given.centre_id)], centres)
    people = await known_people(connection, branch_id, set(given.person_ids))
    require_known(
        [(f"/person_ids/{index}", one) for index, one in enumerate(given.person_ids)], people
    )
    number = await next_number(connection, violations, branch_id)
    await store.add(
        connection,
        {
            "branch_id": branch_id,
            "number": number,
            "entry": given.entry,
            "list_version": held.version,
            "severity": entries[given.entry].severity,
            "centre_id": given.centre_id,
            "person_ids": given.person_ids,
            "day": given.day,
            "period": period_of_day(given.day),
            "evidence": given.evidence,
            "references": given.references,
            "asked_recover_fen": given.recover_fen,
            "reported_by": principal.subject,
            "reported_at": now,
        },
    )
    row, steps = await _load(connection, branch_id, number, None)
    return await _render(connection, row, steps, principal)


async def hear(
    connection: AsyncConnection,
    branch_id: int,
    number: int,
    given: StatementIn,
    *,
    principal: Principal,
    now: datetime,
) -> Violation:
    """Hear the centre concerned, once."""
    row, steps = await _locked(connection, branch_id, number, principal)
    if steps:
        raise StepOutOfTurn(state=_state(steps))
    return await _say(connection, row, steps, "hear", given.text, principal, now)


async def appeal(
    connection: AsyncConnection,
    branch_id: int,
    number: int,
    given: StatementIn,
    *,
    principal: Principal,
    now: datetime,
) -> Violation:
    """Appeal against the decision, once and in time."""
    row, steps = await _locked(connection, branch_id, number, principal)
    held = await show(connection, branch_id, row["list_version"])
    state = _state(steps)
    decided_at = steps[-1]["at"] if steps else None
    require_appealable(state, decided_at, held.appeal_days, now)
    return await _say(connection, row, steps, "appeal", given.text, principal, now)


async def decide(
    connection: AsyncConnection,
    branch_id: int,
    number: int,
    given: DecisionIn,
    *,
    principal: Principal,
    now: datetime,
) -> Violation:
    """Decide on a report, as somebody who did not make it, once the centre could be heard."""
    row, steps = await _locked(connection, branch_id, number, principal)
    held = await show(connection, branch_id, row["list_version"])
    require_decidable(_state(steps), row["reported_at"], held.answer_days, now)
    if principal.subject == row["reported_by"]:
        raise TwoPeople
    return await _decide(connection, row, steps, "decide", given, held, principal, now)


async def decide_appeal(
    connection: AsyncConnection,
    branch_id: int,
    number: int,
    given: DecisionIn,
    *,
    principal: Principal,
    now: datetime,
) -> Violation:
    """Decide on an appeal, as somebody who neither reported nor decided before; this is final."""
    row, steps = await _locked(connection, branch_id, number, principal)
    state = _state(steps)
    if state is not ViolationState.APPEALED:
        raise StepOutOfTurn(state=state)
    before = {row["reported_by"], *(one["by"] for one in steps)}
    if principal.subject in before:
        raise TwoPeople
    held = await show(connection, branch_id, row["list_version"])
    return await _decide(connection, row, steps, "decide_appeal", given, held, principal, now)


async def _decide(
    connection: AsyncConnection,
    row: RowMapping,
    steps: Sequence[RowMapping],
    step: Literal["decide", "decide_appeal"],
    given: DecisionIn,
    held: NegativeList,
    principal: Principal,
    now: datetime,
) -> Violation:
    branch_id, number, centre_ids = row["branch_id"], row["number"], [row["centre_id"]]
    before = await reading.counted(connection, branch_id, centre_ids)
    counted: Severity | None = None
    if given.upheld:
        held_up = await store.upheld(connection, branch_id, known_at=None, centre_ids=centre_ids)
        others = [one for one in held_up if one["number"] != number]
        counted = counted_severities(reading.upheld_of(one) for one in (row, *others))[number]
        require_points(given.points, counted, held.points)
    decision = {
        "upheld": given.upheld,
        "points": given.points if given.upheld else 0,
        "recover_fen": given.recover_fen if given.upheld else 0,
        "counted_as": counted,
    }
    made = await _say(connection, row, steps, step, given.reason, principal, now, decision)
    after = await reading.counted(connection, branch_id, centre_ids)
    changed = [one for one in after if one != number and after[one] != before.get(one)]
    facts: list[NewFact] = []
    for one in [number, *changed]:
        of_one, said = await _load(connection, branch_id, one, None)
        fact = ViolationDecided.model_validate(
            _summary(of_one, said, after).model_dump() | {"person_ids": of_one["person_ids"]}
        )
        facts.append(NewFact(VIOLATION_DECIDED, str(one), fact))
    await feed.append(connection, branch_id, facts, now=now)
    return made


async def _say(
    connection: AsyncConnection,
    row: RowMapping,
    steps: Sequence[RowMapping],
    step: str,
    text: str,
    principal: Principal,
    now: datetime,
    decision: dict[str, Any] | None = None,
) -> Violation:
    await store.add_step(
        connection,
        {
            "branch_id": row["branch_id"],
            "violation": row["number"],
            "number": len(steps) + 1,
            "step": step,
            "by": principal.subject,
            "at": now,
            "text": text,
        }
        | (decision or {}),
    )
    again, said = await _load(connection, row["branch_id"], row["number"], None)
    return await _render(connection, again, said, principal)


async def _locked(
    connection: AsyncConnection, branch_id: int, number: int, principal: Principal
) -> tuple[RowMapping, list[RowMapping]]:
    # One step of a branch at a time: what a violation counts as depends on all the others.
    await branch(connection, branch_id, lock=True)
    return await _load(connection, branch_id, number, principal.centre_ids)


async def _load(
    connection: AsyncConnection,
    branch_id: int,
    number: int,
    centre_ids: AbstractSet[str] | None,
) -> tuple[RowMapping, list[RowMapping]]:
    row = await store.load(connection, branch_id, number, centre_ids)
    if row is None:
        raise NotFound
    return row, (await store.steps(connection, branch_id, [number]))[number]


async def show_one(
    connection: AsyncConnection, branch_id: int, number: int, *, principal: Principal
) -> Violation:
    """Return a violation that the caller may see."""
    row, steps = await _load(connection, branch_id, number, principal.centre_ids)
    return await _render(connection, row, steps, principal)


async def list_violations(
    connection: AsyncConnection,
    branch_id: int,
    *,
    principal: Principal,
    centre_id: str | None,
    period: int | None,
    entry: str | None,
    after: int,
    limit: int,
) -> list[ViolationSummary]:
    """Return violations that the caller may see, behind a number."""
    rows = await store.page(
        connection,
        branch_id,
        principal.centre_ids,
        centre_id=centre_id,
        period=period,
        entry=entry,
        after=after,
        limit=limit,
    )
    steps = await store.steps(connection, branch_id, [row["number"] for row in rows])
    counted = await reading.counted(connection, branch_id, {row["centre_id"] for row in rows})
    return [_summary(row, steps[row["number"]], counted) for row in rows]
