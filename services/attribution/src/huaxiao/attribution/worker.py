"""What attribution learns from contracts: who is who, and which fields are sealed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county import store
from huaxiao.attribution.intake.handlers import decide_again
from huaxiao.attribution.settings import Settings
from huaxiao.attribution.tables import positions
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.database import Database
from huaxiao.shared.feed import Follower
from huaxiao.shared.issuer import Issuer, service_tokens
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.feed import FeedEntry

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
    """Keep what decisions need; decide again what was decided without it."""
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
        organisation = await store.organisation(connection, branch_id)
        if organisation is not None:
            await decide_again(connection, organisation, branch_id, now=entries[-1].time)


@asynccontextmanager
async def following(settings: Settings, database: Database) -> AsyncIterator[None]:
    """Follow contracts while the block runs."""
    if settings.signing_key_file is None:
        raise RuntimeError("ATTRIBUTION_SIGNING_KEY_FILE is needed to follow other services")
    issuer = Issuer.from_file(settings.signing_key_file, issuer=settings.token_issuer)
    async with ContractsClient(
        settings.contracts_url,
        service_tokens(issuer, service="attribution", audience="contracts"),
    ) as client:
        follower = Follower(store.CONTRACTS, client, apply_contracts, database, positions)
        task = asyncio.create_task(follower.run(client.branches))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
