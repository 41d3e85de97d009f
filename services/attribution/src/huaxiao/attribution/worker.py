"""What attribution learns from contracts: who is who, which fields are sealed, what is signed, what leads became."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county import counties, store
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.intake.registered_leads import take_registered
from huaxiao.attribution.intake.taking import decide_again
from huaxiao.shared.clock import system_clock
from huaxiao.shared.wire import contracts, organisation
from huaxiao.shared.wire.base import Fact
from huaxiao.shared.wire.feed import FeedEntry
from huaxiao.shared.wire.leads import LEAD_CONVERTED
from huaxiao.shared.wire.supplements import SUPPLEMENT_SIGNED, SupplementSigned

_EVIDENCE = {
    contracts.CENTRE_REGISTERED,
    contracts.PERSON_ASSIGNED,
    contracts.CHANNEL_REGISTERED,
    organisation.CHANNEL_MOVED,
    contracts.FIELD_SEALED,
}
"""Facts that decisions look at."""


_KEPT: dict[str, tuple[type[Fact], Callable[[AsyncConnection, int, Any], Awaitable[None]]]] = {
    contracts.BRANCH_REGISTERED: (contracts.BranchRegistered, store.add_branch),
    contracts.CENTRE_REGISTERED: (contracts.CentreRegistered, store.add_centre),
    organisation.CENTRE_CHANGED: (organisation.CentreChanged, store.add_centre_name),
    contracts.PERSON_ASSIGNED: (contracts.PersonAssigned, store.add_person),
    contracts.CHANNEL_REGISTERED: (contracts.ChannelRegistered, store.add_channel),
    organisation.CHANNEL_MOVED: (organisation.ChannelMoved, store.add_channel_move),
    contracts.FIELD_SEALED: (contracts.FieldSealed, store.add_field),
    contracts.CONTRACT_SIGNED: (contracts.ContractSigned, store.add_contract),
    SUPPLEMENT_SIGNED: (SupplementSigned, store.add_supplement),
}
"""What is kept of each kind of fact, and how."""


async def apply_contracts(
    connection: AsyncConnection, branch_id: int, entries: Sequence[FeedEntry]
) -> None:
    """Keep what decisions need; decide again what was decided without it; take converted leads in."""
    for entry in entries:
        if entry.type in _KEPT:
            form, keep = _KEPT[entry.type]
            await keep(connection, branch_id, form.model_validate(entry.data))
    await store.agreements_followed(
        connection, branch_id, entries[0].position, entries[-1].position
    )
    if any(entry.type in _EVIDENCE for entry in entries):
        locked = await intake.lock(connection, branch_id)
        county = await counties.read(connection, branch_id)
        if county is not None and locked is not None:
            await decide_again(connection, county, branch_id, now=system_clock())
    converted = [entry for entry in entries if entry.type == LEAD_CONVERTED]
    if converted:
        await take_registered(connection, branch_id, converted, now=system_clock())


FOLLOWED = {store.CONTRACTS: apply_contracts}
"""What is done with the entries of each peer's feed."""
