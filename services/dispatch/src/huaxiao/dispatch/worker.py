"""What dispatch learns from its peers' feeds."""

from collections.abc import Sequence

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch import placements
from huaxiao.dispatch.appraisals import evidence, violations
from huaxiao.dispatch.earnings import handlers as earnings
from huaxiao.dispatch.orders import handlers
from huaxiao.dispatch.tables import (
    branches,
    centres,
    listed_customers,
    territories,
)
from huaxiao.shared.wire import attribution, contracts, negative_list, organisation
from huaxiao.shared.wire.feed import FeedEntry

_PLACING = {
    contracts.CENTRE_REGISTERED,
    contracts.PERSON_ASSIGNED,
    organisation.PERSON_LEFT,
    organisation.CENTRE_CHANGED,
    contracts.FIELD_SEALED,
}
"""Facts that may change where waiting work belongs."""


async def apply_contracts(
    connection: AsyncConnection, branch_id: int, entries: Sequence[FeedEntry]
) -> None:
    """Keep the centres, people and territories that dispatching needs."""
    await _for_appraisals(connection, branch_id, entries)
    for entry in entries:
        match entry.type:
            case contracts.BRANCH_REGISTERED:
                branch = contracts.BranchRegistered.model_validate(entry.data)
                await connection.execute(
                    insert(branches)
                    .values(branch_id=branch_id, name_zh=branch.name_zh)
                    .on_conflict_do_nothing()
                )
            case contracts.CENTRE_REGISTERED:
                centre = contracts.CentreRegistered.model_validate(entry.data).centre
                await connection.execute(
                    insert(centres)
                    .values(branch_id=branch_id, centre_id=centre.centre_id, kind=centre.kind)
                    .on_conflict_do_nothing()
                )
            case organisation.CENTRE_CHANGED:
                changed = organisation.CentreChanged.model_validate(entry.data)
                await _close(connection, branch_id, changed)
            case contracts.PERSON_ASSIGNED:
                assigned = contracts.PersonAssigned.model_validate(entry.data)
                await placements.place(connection, branch_id, assigned)
            case organisation.PERSON_LEFT:
                left = organisation.PersonLeft.model_validate(entry.data)
                await placements.leave(connection, branch_id, left)
                await handlers.take_back(connection, branch_id, entry.time)
            case _ if entry.type in earnings.AGREEING:
                await earnings.learn(connection, branch_id, entry)
            case contracts.FIELD_SEALED:
                await _seal(connection, branch_id, contracts.FieldSealed.model_validate(entry.data))
            case _:
                pass
    if any(entry.type in _PLACING for entry in entries):
        await handlers.dispatch_again(connection, branch_id)


async def _close(
    connection: AsyncConnection, branch_id: int, fact: organisation.CentreChanged
) -> None:
    """Keep from when a centre is closed; what it is called is nothing to dispatching."""
    if fact.open:
        return
    await connection.execute(
        update(centres)
        .where(centres.c.branch_id == branch_id, centres.c.centre_id == fact.centre_id)
        .values(closed_from=fact.from_day)
    )


async def _for_appraisals(
    connection: AsyncConnection, branch_id: int, entries: Sequence[FeedEntry]
) -> None:
    """Freeze evidence that is due before open work moves, and keep what is held against people.

    The points of a violation come off a person's final appraisal (R27).
    """
    moved = [entry.time for entry in entries if entry.type in _PLACING]
    if moved:
        await evidence.freeze_due(connection, branch_id, max(moved))
    for entry in entries:
        if entry.type != negative_list.VIOLATION_DECIDED:
            continue
        fact = negative_list.ViolationDecided.model_validate(entry.data)
        await violations.hold(connection, branch_id, fact, told_at=entry.time)


async def _seal(connection: AsyncConnection, branch_id: int, fact: contracts.FieldSealed) -> None:
    if fact.scope.customers:
        await connection.execute(
            insert(listed_customers).on_conflict_do_nothing(),
            [
                {
                    "branch_id": branch_id,
                    "customer_id": one.customer_id,
                    "field_id": fact.field_id,
                    "centre_id": fact.centre_id,
                    "term_from": fact.term_from,
                    "term_to": fact.term_to,
                }
                for one in fact.scope.customers
            ],
        )
    if fact.kind is not contracts.FieldKind.REGIONAL or not fact.scope.address_prefixes:
        return
    await connection.execute(
        insert(territories).on_conflict_do_nothing(),
        [
            {
                "branch_id": branch_id,
                "field_id": fact.field_id,
                "prefix": prefix,
                "centre_id": fact.centre_id,
                "term_from": fact.term_from,
                "term_to": fact.term_to,
            }
            for prefix in fact.scope.address_prefixes
        ],
    )


async def apply_attribution(
    connection: AsyncConnection, branch_id: int, entries: Sequence[FeedEntry]
) -> None:
    """Make an order of every work request."""
    for entry in entries:
        if entry.type == attribution.WORK_REQUESTED:
            asked = attribution.WorkRequestedFact.model_validate(entry.data)
            await evidence.freeze_due(connection, branch_id, entry.time)
            await handlers.create(connection, branch_id, asked, seen_at=entry.time)


FOLLOWED = {"/contracts": apply_contracts, "/attribution": apply_attribution}
"""What is done with the entries of each peer's feed."""
