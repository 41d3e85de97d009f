"""Centres, people and channels: load, decide, record."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.branches.store import branch
from huaxiao.contracts.domain.headcount import Placement
from huaxiao.contracts.domain.organisation import (
    CentreNotOpen,
    ChannelLife,
    held_on,
    require_taking,
)
from huaxiao.contracts.domain.references import require_known
from huaxiao.contracts.domain.reorganisation import Placed, heads
from huaxiao.contracts.organisation import store
from huaxiao.contracts.payroll.handlers import restated_heads
from huaxiao.contracts.tables import feed
from huaxiao.shared.feed import NewFact
from huaxiao.shared.problems import Conflict, NotFound
from huaxiao.shared.wire.contracts import (
    CENTRE_REGISTERED,
    CHANNEL_REGISTERED,
    PERSON_ASSIGNED,
    Assignment,
    Centre,
    CentreIn,
    CentreRegistered,
    Channel,
    ChannelIn,
    ChannelRegistered,
    ConcurrentPlace,
    Engagement,
    Person,
    PersonAssigned,
    PersonIn,
    PlacedPerson,
    Skill,
)
from huaxiao.shared.wire.organisation import (
    PERSON_LEFT,
    CentreHistory,
    CentreOn,
    CentreState,
    ChannelHistory,
    ChannelHome,
    HeldPosition,
    LeaveIn,
    Organisation,
    PersonLeft,
)

CentreIds = AbstractSet[str] | None
_OF_ONE_PLACE = {"branch_id", "here", "reason", "recorded_at"}


def _found(row: RowMapping | None) -> dict[str, Any]:
    if row is None:
        raise NotFound
    return dict(row)


async def centre(
    connection: AsyncConnection,
    branch_id: int,
    centre_id: str,
    centre_ids: CentreIds,
    *,
    day: date,
) -> CentreHistory:
    """Return a centre that the caller may see, as it is called on a day, with its history."""
    lives = await store.centre_lives(connection, branch_id, {centre_id})
    if centre_id not in lives or (centre_ids is not None and centre_id not in centre_ids):
        raise NotFound
    life = lives[centre_id]
    begun = [one for one in life.states if one.from_day is None or one.from_day <= day]
    called = begun[-1] if begun else life.states[0]
    return CentreHistory(
        centre_id=centre_id,
        kind=life.kind,
        name=called.name,
        name_zh=called.name_zh,
        from_day=life.states[0].from_day,
        states=[CentreState.model_validate(asdict(one)) for one in life.states],
    )


async def person(
    connection: AsyncConnection, branch_id: int, person_id: str, centre_ids: CentreIds
) -> PlacedPerson:
    """Return a person whose latest place the caller may see."""
    return PlacedPerson.model_validate(
        _found(await store.latest_placement(connection, branch_id, person_id, centre_ids))
    )


async def channel(
    connection: AsyncConnection,
    branch_id: int,
    channel_id: str,
    centre_ids: CentreIds,
    *,
    day: date,
) -> ChannelHistory:
    """Return a channel with its history, if it belongs on a day to a centre the caller may see."""
    lives = await store.channel_lives(connection, branch_id, {channel_id})
    if channel_id not in lives:
        raise NotFound
    life = lives[channel_id]
    held = [one for one in life.homes if one.from_day is None or one.from_day <= day][-1]
    if centre_ids is not None and held.centre_id not in centre_ids:
        raise NotFound
    return ChannelHistory(
        channel_id=channel_id,
        kind=life.kind,
        centre_id=held.centre_id,
        name_zh=life.name_zh,
        homes=[ChannelHome.model_validate(asdict(one)) for one in life.homes],
    )


async def register_centre(
    connection: AsyncConnection, branch_id: int, centre_id: str, given: CentreIn, *, now: datetime
) -> tuple[Centre, bool]:
    """Register a centre; say whether it is new."""
    await branch(connection, branch_id)
    wanted = Centre(centre_id=centre_id, **given.model_dump())
    if not await store.add_centre(connection, branch_id, wanted.model_dump()):
        if Centre.model_validate(await store.centre(connection, branch_id, centre_id)) != wanted:
            raise Conflict
        return wanted, False
    fact = NewFact(CENTRE_REGISTERED, centre_id, CentreRegistered(centre=wanted))
    await feed.append(connection, branch_id, [fact], now=now)
    return wanted, True


async def register_channel(
    connection: AsyncConnection,
    branch_id: int,
    channel_id: str,
    given: ChannelIn,
    *,
    now: datetime,
) -> tuple[Channel, bool]:
    """Register a channel; say whether it is new."""
    await branch(connection, branch_id, lock=True)
    lives = await store.centre_lives(connection, branch_id, {given.centre_id})
    require_known([("/centre_id", given.centre_id)], lives.keys())
    wanted = Channel(channel_id=channel_id, **given.model_dump())
    if not await store.add_channel(connection, branch_id, wanted.model_dump(mode="json")):
        if Channel.model_validate(await store.channel(connection, branch_id, channel_id)) != wanted:
            raise Conflict
        return wanted, False
    latest = lives[given.centre_id].states[-1]
    if not latest.open:
        raise CentreNotOpen(closed_from=str(latest.from_day))
    fact = NewFact(CHANNEL_REGISTERED, channel_id, ChannelRegistered(channel=wanted))
    await feed.append(connection, branch_id, [fact], now=now)
    return wanted, True


async def place_person(
    connection: AsyncConnection, branch_id: int, person_id: str, given: PersonIn, *, now: datetime
) -> tuple[PlacedPerson, bool]:
    """Place a person from a day on; say whether the person is new.

    Raises:
        Conflict: the day is not after the person's latest place, and the place is another.
        CentreNotOpen: a centre is not open from that day on.

    """
    # One at a time: followers take the feed's last place of a person for the latest.
    await branch(connection, branch_id, lock=True)
    places = [ConcurrentPlace(centre_id=given.centre_id, position=given.position)]
    places += given.concurrent
    lives = await store.centre_lives(connection, branch_id, {one.centre_id for one in places})
    pointers = ["/centre_id", *(f"/concurrent/{i}/centre_id" for i in range(len(given.concurrent)))]
    named = list(zip(pointers, (one.centre_id for one in places), strict=True))
    require_known(named, lives.keys())
    skills = sorted(set(given.skills))
    wanted = PlacedPerson(person_id=person_id, **given.model_dump() | {"skills": skills})
    latest = await store.latest_placement(connection, branch_id, person_id, None)
    if latest is not None:
        held = PlacedPerson.model_validate(dict(latest))
        if held == wanted:
            return held, False
        if wanted.from_day <= held.from_day:
            raise Conflict(
                f"{person_id} has a place from {held.from_day}; a move begins on a later day.",
                f"{person_id} 自 {held.from_day} 起已有任职；调动须自更晚的日期起。",
            )
    require_taking(named, lives, given.from_day)
    row = wanted.model_dump(mode="json") | {"from_day": wanted.from_day, "here": True}
    await store.add_placement(connection, branch_id, row, now=now)
    of_person = Person(person_id=person_id, engagement=given.engagement, skills=skills)
    facts = [
        NewFact(
            PERSON_ASSIGNED,
            person_id,
            PersonAssigned(
                person=of_person,
                assignment=Assignment(
                    person_id=person_id,
                    centre_id=place.centre_id,
                    position=place.position,
                    primary=index == 0,
                    from_day=given.from_day,
                ),
            ),
        )
        for index, place in enumerate(places)
    ]
    placement = Placement(person_id, given.from_day, given.engagement, given.centre_id)
    facts += await restated_heads(connection, branch_id, placement)
    await feed.append(connection, branch_id, facts, now=now)
    return wanted, latest is None


async def leave(
    connection: AsyncConnection, branch_id: int, person_id: str, given: LeaveIn, *, now: datetime
) -> PlacedPerson:
    """Let a person leave from a day on; the same again changes nothing.

    Raises:
        Conflict: the day is not after the person's latest place, or they have left already.

    """
    await branch(connection, branch_id, lock=True)
    held = _found(await store.latest_placement(connection, branch_id, person_id, None))
    if not held["here"] and (held["from_day"], held["reason"]) == (given.day, given.reason):
        return PlacedPerson.model_validate(held)
    if not held["here"] or given.day <= held["from_day"]:
        raise Conflict(
            f"{person_id} has a place, or has left, from {held['from_day']}.",
            f"{person_id} 自 {held['from_day']} 起已有任职或已离开。",
        )
    row = {name: held[name] for name in held if name not in _OF_ONE_PLACE}
    row |= {"from_day": given.day, "concurrent": [], "here": False, "reason": given.reason}
    await store.add_placement(connection, branch_id, row, now=now)
    fact = PersonLeft(person_id=person_id, centre_id=held["centre_id"], from_day=given.day)
    engagement = Engagement(held["engagement"])
    placement = Placement(person_id, given.day, engagement, held["centre_id"], here=False)
    facts = [NewFact(PERSON_LEFT, person_id, fact)]
    facts += await restated_heads(connection, branch_id, placement)
    await feed.append(connection, branch_id, facts, now=now)
    return await person(connection, branch_id, person_id, None)


def placed(row: RowMapping) -> Placed:
    """Return where somebody works, of their row."""
    return Placed(
        person_id=row["person_id"],
        centre_id=row["centre_id"],
        position=row["position"],
        engagement=Engagement(row["engagement"]),
        skills=frozenset(Skill(one) for one in row["skills"]),
        concurrent=frozenset((one["centre_id"], one["position"]) for one in row["concurrent"]),
    )


async def organisation_on(
    connection: AsyncConnection,
    branch_id: int,
    day: date,
    centre_ids: CentreIds,
    *,
    known_at: datetime | None = None,
) -> Organisation:
    """Return the organisation on a day, of the centres that the caller may see.

    With a moment, people are where they were known by then to be.
    """
    await branch(connection, branch_id)
    people = await store.placed_on(connection, branch_id, day, known_at=known_at)
    lives = await store.centre_lives(connection, branch_id, centre_ids)
    called = {one: held_on(life.states, day) for one, life in lives.items()}
    channels_of = _channels_on(await store.channel_lives(connection, branch_id), day)
    places = [placed(row) for row in people]
    shown = {one for one, state in called.items() if state is not None}
    return Organisation(
        on=day,
        heads=heads([one for one in places if one.centre_id in shown], None),
        centres=[
            CentreOn(
                centre_id=centre_id,
                kind=lives[centre_id].kind,
                name=state.name,
                name_zh=state.name_zh,
                heads=heads(places, centre_id),
                positions=list(_positions(people, centre_id)),
                channels=channels_of.get(centre_id, []),
            )
            for centre_id, state in called.items()
            if state is not None
        ],
    )


def _channels_on(lives: Mapping[str, ChannelLife], day: date) -> dict[str, list[Channel]]:
    found: dict[str, list[Channel]] = {}
    for channel_id, life in lives.items():
        home = held_on(life.homes, day)
        if home is not None:
            of_home = Channel(
                channel_id=channel_id,
                kind=life.kind,
                centre_id=home.centre_id,
                name_zh=life.name_zh,
            )
            found.setdefault(home.centre_id, []).append(of_home)
    return found


def _positions(people: Iterable[RowMapping], centre_id: str) -> Iterator[HeldPosition]:
    for row in people:
        held = [(row["centre_id"], row["position"], False)]
        held += [(one["centre_id"], one["position"], True) for one in row["concurrent"]]
        for held_in, position, concurrent in held:
            if held_in == centre_id:
                yield HeldPosition(
                    person_id=row["person_id"],
                    position=position,
                    concurrent=concurrent,
                    engagement=row["engagement"],
                    skills=row["skills"],
                    since=row["from_day"],
                )
