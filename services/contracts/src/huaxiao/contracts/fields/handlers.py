"""Responsibility fields: load, decide, record."""

from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.domain.fields import Drawing, FieldIsSealed, drawing_faults, field_document
from huaxiao.contracts.domain.locks import lock_state
from huaxiao.contracts.domain.references import require_known
from huaxiao.contracts.domain.signing import InReview
from huaxiao.contracts.fields import store
from huaxiao.contracts.organisation.store import known_centres, known_channels
from huaxiao.shared.problems import Malformed, NotFound
from huaxiao.shared.versions import require_version
from huaxiao.shared.wire.contracts import (
    FieldIn,
    LockState,
    ResponsibilityField,
)


def render(row: RowMapping) -> dict[str, Any]:
    """Return a field's members as the wire has them."""
    return dict(row) | {"state": lock_state(row["digest"], row["review_of"])}


async def draw(
    connection: AsyncConnection,
    branch_id: int,
    field_id: str,
    given: FieldIn,
    *,
    if_match: str | None,
) -> tuple[ResponsibilityField, bool]:
    """Draw or redraw a field; say whether it is new.

    Raises:
        StaleVersion: it is a draft, and not the one the caller read.
        FieldIsSealed: it is sealed, and what is given differs from it.
        InReview: its contract is in review, and what is given differs from it.

    """
    await branch(connection, branch_id)
    row = given.model_dump(mode="json")
    if not await store.lock(connection, branch_id, field_id):
        require_version(if_match, None)
        await _check(connection, branch_id, given)
        if await store.add(connection, branch_id, field_id, row):
            return await show(connection, branch_id, field_id, None), True
        await store.lock(connection, branch_id, field_id)
    # Read only once it is locked: it may have been sealed while we waited.
    held = await show(connection, branch_id, field_id, None)
    if _same(branch_id, field_id, held, given):
        return held, False
    if held.state is LockState.SEALED:
        raise FieldIsSealed(
            digest=held.digest, centre_id=held.centre_id, contract_id=held.contract_id
        )
    if held.state is LockState.IN_REVIEW:
        raise InReview(field_id=field_id)
    require_version(if_match, held)
    await _check(connection, branch_id, given)
    await store.replace(connection, branch_id, field_id, row)
    return await show(connection, branch_id, field_id, None), False


def _same(branch_id: int, field_id: str, held: ResponsibilityField, given: FieldIn) -> bool:
    """Compare as digests do: the order of a list changes nothing."""
    one, other = (
        field_document(branch_id, field_id, each.model_dump(mode="json")) for each in (held, given)
    )
    return one == other


async def _check(connection: AsyncConnection, branch_id: int, given: FieldIn) -> None:
    scope = given.scope
    drawing = Drawing(
        kind=given.kind,
        term_from=given.term_from,
        term_to=given.term_to,
        address_prefixes=tuple(scope.address_prefixes),
        resource_prefixes=tuple(scope.resource_prefixes),
        customer_ids=tuple(customer.customer_id for customer in scope.customers),
        channel_ids=tuple(scope.channel_ids),
        has_channel_mode=scope.channel_mode is not None,
    )
    faults = list(drawing_faults(branch_id, drawing))
    if faults:
        raise Malformed(faults=faults)
    centres = await known_centres(connection, branch_id, {given.centre_id})
    require_known([("/centre_id", given.centre_id)], centres)
    channels = await known_channels(connection, branch_id, scope.channel_ids)
    require_known(
        [(f"/scope/channel_ids/{index}", one) for index, one in enumerate(scope.channel_ids)],
        channels,
    )


async def show(
    connection: AsyncConnection,
    branch_id: int,
    field_id: str,
    centre_ids: AbstractSet[str] | None,
) -> ResponsibilityField:
    """Return a field that the caller may see."""
    row = await store.load(connection, branch_id, field_id, centre_ids)
    if row is None:
        raise NotFound
    return ResponsibilityField.model_validate(render(row))
