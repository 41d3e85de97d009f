"""Centres renamed and closed, channels moved and closed: load, decide, record."""

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.domain.organisation import (
    Belongings,
    CentreLife,
    ChannelLife,
    Home,
    Register,
    State,
    require_after,
    require_closable,
    require_taking,
    seals_broken,
)
from huaxiao.contracts.domain.references import require_known
from huaxiao.contracts.organisation import store
from huaxiao.contracts.tables import feed
from huaxiao.shared.feed import NewFact
from huaxiao.shared.periods import period_of_day
from huaxiao.shared.problems import Conflict, NotFound
from huaxiao.shared.wire.organisation import (
    CENTRE_CHANGED,
    CHANNEL_MOVED,
    CentreChanged,
    ChannelMoved,
    CloseIn,
    MoveIn,
    RenameIn,
)


async def register_on(connection: AsyncConnection, branch_id: int, day: date) -> Register:
    """Return the centres and channels, and what is in centres on a day or later."""
    held = await branch(connection, branch_id)
    period = period_of_day(day)
    channels = await store.channel_lives(connection, branch_id)
    return Register(
        default_centre_id=held["default_centre_id"],
        centres=await store.centre_lives(connection, branch_id),
        channels=channels,
        seals=await store.channel_seals(connection, branch_id, period),
        belongings=Belongings(
            people=await store.people_from(connection, branch_id, day),
            channels=frozenset(
                (home.centre_id, one.channel_id)
                for one in channels.values()
                for home in one.homes_from(day)
            ),
            contracts=await store.contracts_from(connection, branch_id, period),
            sealed_fields=await store.sealed_from(connection, branch_id, period),
        ),
    )


async def _centre(connection: AsyncConnection, branch_id: int, centre_id: str) -> CentreLife:
    # One change of a branch at a time: followers take the feed's last for the latest.
    await branch(connection, branch_id, lock=True)
    found = await store.centre_lives(connection, branch_id, {centre_id})
    if centre_id not in found:
        raise NotFound
    return found[centre_id]


async def _channel(connection: AsyncConnection, branch_id: int, channel_id: str) -> ChannelLife:
    await branch(connection, branch_id, lock=True)
    found = await store.channel_lives(connection, branch_id, {channel_id})
    if channel_id not in found:
        raise NotFound
    return found[channel_id]


async def rename_centre(
    connection: AsyncConnection, branch_id: int, centre_id: str, given: RenameIn, *, now: datetime
) -> None:
    """Call a centre otherwise from a day on; the same again changes nothing.

    Raises:
        Conflict: the centre is closed, or changes on that day or a later one.

    """
    life = await _centre(connection, branch_id, centre_id)
    wanted = State(given.from_day, given.name, given.name_zh)
    if life.states[-1] != wanted:
        require_after(centre_id, life.states, given.from_day)
        await _change(connection, branch_id, centre_id, wanted, now)


async def close_centre(
    connection: AsyncConnection, branch_id: int, centre_id: str, given: CloseIn, *, now: datetime
) -> None:
    """Close a centre from a day on; the same again changes nothing.

    Raises:
        Conflict: the centre is closed, or changes on that day or a later one.
        CentreNotClosable: something would still be there.

    """
    life = await _centre(connection, branch_id, centre_id)
    latest = life.states[-1]
    wanted = State(given.day, latest.name, latest.name_zh, open=False, reason=given.reason)
    if latest != wanted:
        require_after(centre_id, life.states, given.day)
        register = await register_on(connection, branch_id, given.day)
        require_closable(register.remaining(centre_id))
        await _change(connection, branch_id, centre_id, wanted, now)


async def _change(
    connection: AsyncConnection, branch_id: int, centre_id: str, wanted: State, now: datetime
) -> None:
    assert wanted.from_day is not None  # noqa: S101 - only what is registered has no day
    await store.add_centre_change(connection, branch_id, centre_id, wanted)
    fact = CentreChanged(
        centre_id=centre_id,
        from_day=wanted.from_day,
        name=wanted.name,
        name_zh=wanted.name_zh,
        open=wanted.open,
    )
    await feed.append(connection, branch_id, [NewFact(CENTRE_CHANGED, centre_id, fact)], now=now)


async def move_channel(
    connection: AsyncConnection, branch_id: int, channel_id: str, given: MoveIn, *, now: datetime
) -> None:
    """Let a channel belong to another centre from a day on; the same again changes nothing.

    Raises:
        UnknownReference: there is no such centre.
        CentreNotOpen: the centre is not open from that day on.
        ChannelIsSealed: a sealed field of another centre holds the channel.
        Conflict: the channel belongs there, is closed, or moves on that day or a later one.

    """
    life = await _channel(connection, branch_id, channel_id)
    wanted = Home(given.from_day, given.centre_id)
    if life.homes[-1] == wanted:
        return
    lives = await store.centre_lives(connection, branch_id, {given.centre_id})
    require_known([("/centre_id", given.centre_id)], lives.keys())
    require_after(channel_id, life.homes, given.from_day)
    require_taking([("/centre_id", given.centre_id)], lives, given.from_day)
    if life.homes[-1].centre_id == given.centre_id:
        raise Conflict(
            f"{channel_id} belongs to {given.centre_id} already.",
            f"{channel_id} 已属于 {given.centre_id}。",
        )
    await _move(connection, branch_id, channel_id, wanted, now)


async def close_channel(
    connection: AsyncConnection, branch_id: int, channel_id: str, given: CloseIn, *, now: datetime
) -> None:
    """Close a channel from a day on; the same again changes nothing.

    Raises:
        ChannelIsSealed: a sealed field holds the channel.
        Conflict: the channel is closed, or moves on that day or a later one.

    """
    life = await _channel(connection, branch_id, channel_id)
    wanted = Home(given.day, life.homes[-1].centre_id, open=False, reason=given.reason)
    if life.homes[-1] != wanted:
        require_after(channel_id, life.homes, given.day)
        await _move(connection, branch_id, channel_id, wanted, now)


async def _move(
    connection: AsyncConnection, branch_id: int, channel_id: str, wanted: Home, now: datetime
) -> None:
    assert wanted.from_day is not None  # noqa: S101 - only what is registered has no day
    seals = await store.channel_seals(connection, branch_id, period_of_day(wanted.from_day))
    broken = seals_broken(seals, channel_id, wanted.centre_id if wanted.open else None)
    if broken:
        raise broken[0].refusal()
    await store.add_channel_move(connection, branch_id, channel_id, wanted)
    fact = ChannelMoved(
        channel_id=channel_id,
        from_day=wanted.from_day,
        centre_id=wanted.centre_id,
        open=wanted.open,
    )
    await feed.append(connection, branch_id, [NewFact(CHANNEL_MOVED, channel_id, fact)], now=now)
