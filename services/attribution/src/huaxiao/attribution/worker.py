"""What attribution learns from contracts: who is who, which fields are sealed, what leads became."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county import counties, store
from huaxiao.attribution.intake import store as intake
from huaxiao.attribution.intake.registered_leads import take_registered
from huaxiao.attribution.intake.taking import decide_again
from huaxiao.shared.clock import system_clock
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.feed import FeedEntry
from huaxiao.shared.wire.leads import LEAD_CONVERTED

_EVIDENCE = {
    contracts.CENTRE_REGISTERED,
    contracts.PERSON_ASSIGNED,
    contracts.CHANNEL_REGISTERED,
    contracts.FIELD_SEALED,
}
"""Facts that decisions look at."""


async def apply_contracts(
    connection: AsyncConnection, branch_id: int, entries: Sequence[FeedEntry]
) -> None:
    """Keep what decisions need; decide again what was decided without it; take converted leads in."""
    for entry in entries:
        match entry.type:
            case contracts.BRANCH_REGISTERED:
                branch = contracts.BranchRegistered.model_validate(entry.data)
                await store.add_branch(connection, branch_id, branch)
            case contracts.CENTRE_REGISTERED:
                centre = contracts.CentreRegistered.model_validate(entry.data)
                await store.add_centre(connection, branch_id, centre)
            case contracts.PERSON_ASSIGNED:
                person = contracts.PersonAssigned.model_validate(entry.data)
                await store.add_person(connection, branch_id, person)
            case contracts.CHANNEL_REGISTERED:
                channel = contracts.ChannelRegistered.model_validate(entry.data)
                await store.add_channel(connection, branch_id, channel)
            case contracts.FIELD_SEALED:
                field = contracts.FieldSealed.model_validate(entry.data)
                await store.add_field(connection, branch_id, field)
            case _:
                pass
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
