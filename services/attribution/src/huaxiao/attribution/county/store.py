"""Rows of the county: centres, people, channels, fields, as followed from contracts."""

from collections import defaultdict
from datetime import date, datetime

from sqlalchemy import ScalarSelect, Table, bindparam, func, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.attribution.county.fields import field_with
from huaxiao.attribution.domain.organisation import Channel, ChannelMove, Organisation
from huaxiao.attribution.domain.rulings import Supplement
from huaxiao.attribution.domain.telling.case import Names, SealedName
from huaxiao.attribution.domain.words import Told
from huaxiao.attribution.tables import (
    agreement_positions,
    branches,
    centre_names,
    centres,
    channel_moves,
    channels,
    contract_fields,
    fields,
    intakes,
    people,
    positions,
    rule_activations,
    supplements,
)
from huaxiao.shared.database import Frequent
from huaxiao.shared.periods import Period, shift
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.attribution import Standing
from huaxiao.shared.wire.contracts import CentreKind, ChannelKind, FieldKind
from huaxiao.shared.wire.organisation import CentreChanged, ChannelMoved
from huaxiao.shared.wire.supplements import SupplementSigned

CONTRACTS = "/contracts"


async def add_branch(
    connection: AsyncConnection, branch_id: int, fact: contracts.BranchRegistered
) -> None:
    """Know a branch from now on, and open its intake."""
    row = {"name_zh": fact.name_zh, "default_centre_id": fact.default_centre_id}
    await connection.execute(
        insert(branches)
        .values(branch_id=branch_id, **row)
        .on_conflict_do_update(index_elements=["branch_id"], set_=row)
    )
    await open_intake(connection, branch_id)


async def open_intake(connection: AsyncConnection, branch_id: int) -> None:
    """Make the row that counts and locks a branch's bookings."""
    await connection.execute(insert(intakes).values(branch_id=branch_id).on_conflict_do_nothing())


async def add_centre(
    connection: AsyncConnection, branch_id: int, fact: contracts.CentreRegistered
) -> None:
    """Know a centre."""
    await connection.execute(
        insert(centres)
        .values(
            branch_id=branch_id,
            centre_id=fact.centre.centre_id,
            kind=fact.centre.kind,
            name=fact.centre.name,
            name_zh=fact.centre.name_zh,
        )
        .on_conflict_do_nothing()
    )


async def add_centre_name(connection: AsyncConnection, branch_id: int, fact: CentreChanged) -> None:
    """Know what a centre is called from a day on; one that closes keeps its name."""
    row = {"name": fact.name, "name_zh": fact.name_zh}
    await connection.execute(
        insert(centre_names)
        .values(branch_id=branch_id, centre_id=fact.centre_id, from_day=fact.from_day, **row)
        .on_conflict_do_update(index_elements=["branch_id", "centre_id", "from_day"], set_=row)
    )


async def add_person(
    connection: AsyncConnection, branch_id: int, fact: contracts.PersonAssigned
) -> None:
    """Know where a person works from a day on; a concurrent place is not where one works."""
    if not fact.assignment.primary:
        return
    row = {"centre_id": fact.assignment.centre_id}
    await connection.execute(
        insert(people)
        .values(
            branch_id=branch_id,
            person_id=fact.person.person_id,
            from_day=fact.assignment.from_day,
            **row,
        )
        .on_conflict_do_update(index_elements=["branch_id", "person_id", "from_day"], set_=row)
    )


async def add_channel(
    connection: AsyncConnection, branch_id: int, fact: contracts.ChannelRegistered
) -> None:
    """Know a channel."""
    channel = fact.channel
    row = {"kind": channel.kind, "centre_id": channel.centre_id, "name_zh": channel.name_zh}
    await connection.execute(
        insert(channels)
        .values(branch_id=branch_id, channel_id=channel.channel_id, **row)
        .on_conflict_do_update(index_elements=["branch_id", "channel_id"], set_=row)
    )


async def add_channel_move(connection: AsyncConnection, branch_id: int, fact: ChannelMoved) -> None:
    """Know where a channel belongs from a day on, or that it is closed."""
    row = {"centre_id": fact.centre_id, "open": fact.open}
    await connection.execute(
        insert(channel_moves)
        .values(branch_id=branch_id, channel_id=fact.channel_id, from_day=fact.from_day, **row)
        .on_conflict_do_update(index_elements=["branch_id", "channel_id", "from_day"], set_=row)
    )


async def add_field(
    connection: AsyncConnection, branch_id: int, fact: contracts.FieldSealed
) -> None:
    """Know a sealed field; sealed fields do not change (R21)."""
    await connection.execute(
        insert(fields)
        .values(
            branch_id=branch_id,
            field_id=fact.field_id,
            kind=fact.kind,
            centre_id=fact.centre_id,
            name_zh=fact.name_zh,
            term_from=fact.term_from,
            term_to=fact.term_to,
            scope=fact.scope.model_dump(mode="json"),
            digest=fact.digest,
        )
        .on_conflict_do_nothing()
    )


async def add_contract(
    connection: AsyncConnection, branch_id: int, fact: contracts.ContractSigned
) -> None:
    """Know which fields a contract has."""
    if not fact.field_ids:
        return
    await connection.execute(
        insert(contract_fields)
        .values(
            [
                {"branch_id": branch_id, "contract_id": fact.contract_id, "field_id": one}
                for one in fact.field_ids
            ]
        )
        .on_conflict_do_nothing()
    )


async def add_supplement(
    connection: AsyncConnection, branch_id: int, fact: SupplementSigned
) -> None:
    """Know a supplement that both sides have signed; what is signed does not change."""
    await connection.execute(
        insert(supplements)
        .values(
            branch_id=branch_id,
            contract_id=fact.contract_id,
            number=fact.number,
            effective_from=fact.effective_from,
            digest=fact.digest,
        )
        .on_conflict_do_nothing()
    )


async def agreements_followed(
    connection: AsyncConnection, branch_id: int, first: int, last: int
) -> None:
    """Note that contracts and supplements of these entries are known, unless some before are not."""
    table = agreement_positions
    row = insert(table).values(branch_id=branch_id, position=last)
    known = select(table.c.position).where(table.c.branch_id == branch_id).scalar_subquery()
    if first > (await connection.scalar(select(func.coalesce(known, 0))) or 0) + 1:
        return
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=["branch_id"],
            set_={"position": func.greatest(table.c.position, row.excluded.position)},
        )
    )


async def follow_agreements_again(connection: AsyncConnection, branch_id: int, _: datetime) -> int:
    """Follow the feed again from where contracts and supplements are missing; return whether so.

    They are where the release before passed them by; what is known already is left as it is.
    """
    held = agreement_positions
    known = func.coalesce(
        select(held.c.position).where(held.c.branch_id == branch_id).scalar_subquery(), 0
    )
    behind = await connection.execute(
        update(positions)
        .where(
            positions.c.branch_id == branch_id,
            positions.c.source == CONTRACTS,
            positions.c.position > known,
        )
        .values(position=known)
    )
    return behind.rowcount


async def supplement(
    connection: AsyncConnection, branch_id: int, contract_id: str, number: int
) -> Supplement | None:
    """Return a supplement that both sides have signed; None for one that is not known to be."""
    table, held = supplements, contract_fields
    row = (
        await connection.execute(
            select(
                table.c.effective_from,
                select(func.array_agg(held.c.field_id))
                .where(held.c.branch_id == branch_id, held.c.contract_id == contract_id)
                .scalar_subquery()
                .label("field_ids"),
            ).where(
                table.c.branch_id == branch_id,
                table.c.contract_id == contract_id,
                table.c.number == number,
            )
        )
    ).one_or_none()
    if row is None:
        return None
    return Supplement(contract_id, number, row.effective_from, frozenset(row.field_ids or ()))


async def position(connection: AsyncConnection, branch_id: int) -> int:
    """Return how far the contracts feed of a branch has been followed."""
    found = await connection.scalar(
        select(positions.c.position).where(
            positions.c.branch_id == branch_id, positions.c.source == CONTRACTS
        )
    )
    return found or 0


_STANDING_ON = Frequent(
    select(
        func.coalesce(
            select(positions.c.position)
            .where(positions.c.branch_id == bindparam("branch_id"), positions.c.source == CONTRACTS)
            .scalar_subquery(),
            0,
        ),
        select(func.count())
        .where(rule_activations.c.branch_id == bindparam("branch_id"))
        .scalar_subquery(),
    )
)


async def standing_on(connection: AsyncConnection, branch_id: int) -> tuple[int, int]:
    """Return what a branch's decisions stand on: the feed position, and how many rule sets are active."""
    ((position, active),) = await _STANDING_ON.rows(connection, branch_id=branch_id)
    return position, active


async def organisation(connection: AsyncConnection, branch_id: int) -> Organisation | None:
    """Return the county as decisions see it; None for a branch that is not known."""
    default = await connection.scalar(
        select(branches.c.default_centre_id).where(branches.c.branch_id == branch_id)
    )
    if default is None:
        return None
    places: dict[str, list[tuple[date, str]]] = defaultdict(list)
    for row in await connection.execute(
        select(people)
        .where(people.c.branch_id == branch_id)
        .order_by(people.c.person_id, people.c.from_day)
    ):
        places[row.person_id].append((row.from_day, row.centre_id))
    centre_rows = await connection.execute(select(centres).where(centres.c.branch_id == branch_id))
    channel_rows = await connection.execute(
        select(channels).where(channels.c.branch_id == branch_id)
    )
    moves: dict[str, list[ChannelMove]] = defaultdict(list)
    for row in await connection.execute(
        select(channel_moves)
        .where(channel_moves.c.branch_id == branch_id)
        .order_by(channel_moves.c.channel_id, channel_moves.c.from_day)
    ):
        moves[row.channel_id].append(ChannelMove(row.from_day, row.centre_id, row.open))
    field_rows = await connection.execute(
        select(fields).where(fields.c.branch_id == branch_id).order_by(fields.c.field_id)
    )
    return Organisation(
        default_centre_id=default,
        centres={row.centre_id: CentreKind(row.kind) for row in centre_rows},
        channels={
            row.channel_id: Channel(
                ChannelKind(row.kind), row.centre_id, tuple(moves.get(row.channel_id, ()))
            )
            for row in channel_rows
        },
        people={person_id: tuple(held) for person_id, held in places.items()},
        fields=tuple(
            field_with(
                contracts.FieldScope.model_validate(row.scope),
                field_id=row.field_id,
                kind=FieldKind(row.kind),
                centre_id=row.centre_id,
                term=(row.term_from, row.term_to),
                digest=row.digest,
            )
            for row in field_rows
        ),
    )


async def names(connection: AsyncConnection, branch_id: int) -> Names:
    """Return what the county's centres, fields and channels are called."""
    centre_rows = await connection.execute(select(centres).where(centres.c.branch_id == branch_id))
    field_rows = await connection.execute(
        select(fields.c.field_id, fields.c.name_zh, fields.c.term_from, fields.c.term_to).where(
            fields.c.branch_id == branch_id
        )
    )
    channel_rows = await connection.execute(
        select(channels.c.channel_id, channels.c.name_zh).where(channels.c.branch_id == branch_id)
    )
    renamed: dict[str, list[tuple[date, Told]]] = defaultdict(list)
    for row in await connection.execute(
        select(centre_names)
        .where(centre_names.c.branch_id == branch_id)
        .order_by(centre_names.c.centre_id, centre_names.c.from_day)
    ):
        renamed[row.centre_id].append((row.from_day, Told(row.name, row.name_zh)))
    return Names(
        centres={row.centre_id: Told(row.name, row.name_zh) for row in centre_rows},
        fields={
            row.field_id: SealedName(row.name_zh, row.term_from, row.term_to) for row in field_rows
        },
        channels={row.channel_id: row.name_zh for row in channel_rows},
        renamed={centre_id: tuple(held) for centre_id, held in renamed.items()},
    )


async def standing(connection: AsyncConnection, branch_id: int) -> Standing | None:
    """Count what is known of a branch; None for a branch that is not known."""

    def count(table: Table) -> ScalarSelect[int]:
        key = list(table.primary_key.columns)[1]
        return (
            select(func.count(key.distinct()))
            .where(table.c.branch_id == branch_id)
            .scalar_subquery()
        )

    row = (
        await connection.execute(
            select(
                count(centres).label("centres"),
                count(people).label("people"),
                count(channels).label("channels"),
                count(fields).label("fields"),
                intakes.c.closed_through,
            )
            .select_from(branches.join(intakes, true()))
            .where(branches.c.branch_id == branch_id, intakes.c.branch_id == branch_id)
        )
    ).one_or_none()
    if row is None:
        return None
    return Standing(
        contracts_position=await position(connection, branch_id),
        centres=row.centres,
        people=row.people,
        channels=row.channels,
        fields=row.fields,
        first_open_period=(
            None if row.closed_through is None else shift(Period(row.closed_through), 1)
        ),
    )
