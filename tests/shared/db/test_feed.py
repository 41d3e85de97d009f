import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.shared.clock import system_clock
from huaxiao.shared.feed import Follower, NewFact
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.base import Fact
from huaxiao.shared.wire.feed import FeedEntry

from .conftest import feed, positions


class Numbered(Fact):
    number: int


def fact(number: int) -> NewFact:
    return NewFact("kit.numbered", str(number), Numbered(number=number))


async def publish(kit: Any, branch_id: int, number: int) -> None:
    async with kit.database.write(EVERYTHING) as connection:
        await feed.append(connection, branch_id, [fact(number)], now=system_clock())


async def read(kit: Any, branch_id: int, after: int = 0) -> list[FeedEntry]:
    async with kit.database.read(EVERYTHING) as connection:
        return await feed.read(connection, branch_id, after=after, limit=1000)


async def test_a_reader_never_passes_an_entry_that_commits_late(kit: Any, branch_id: int) -> None:
    late = await kit.database.engine.connect()
    transaction = await late.begin()
    await feed.append(late, branch_id, [fact(1)], now=system_clock())
    others = [asyncio.create_task(publish(kit, branch_id, number)) for number in (2, 3)]
    await asyncio.sleep(0.3)

    before = await read(kit, branch_id)
    await transaction.commit()
    await late.close()
    await asyncio.gather(*others)
    after = await read(kit, branch_id)

    assert before == []
    assert [entry.position for entry in after] == [1, 2, 3]
    assert after[0].data == {"number": 1}


async def test_a_rolled_back_fact_leaves_no_hole(kit: Any, branch_id: int) -> None:
    async with kit.database.engine.connect() as connection:
        await feed.append(connection, branch_id, [fact(1), fact(2)], now=system_clock())
        await connection.rollback()

    await publish(kit, branch_id, 3)

    assert [(entry.position, entry.data["number"]) for entry in await read(kit, branch_id)] == [
        (1, 3)
    ]


class ReadsKit:
    def __init__(self, kit: Any) -> None:
        self.kit = kit

    async def feed(
        self, branch_id: int, *, after: int, limit: int, wait_ms: int
    ) -> list[FeedEntry]:
        return (await read(self.kit, branch_id, after))[:limit]


def follower(kit: Any, applied: list[int], fail: Sequence[int] = ()) -> Follower:
    async def apply(
        connection: AsyncConnection, branch_id: int, entries: Sequence[FeedEntry]
    ) -> None:
        for entry in entries:
            number = entry.data["number"]
            if number in fail:
                raise RuntimeError("crash")
            await connection.execute(
                text("INSERT INTO kit.notes (branch_id, note_id) VALUES (:b, :n)"),
                {"b": branch_id, "n": str(number)},
            )
            applied.append(number)

    return Follower("/kit", ReadsKit(kit), apply, kit.database, positions, batch=2)


async def test_a_follower_that_crashed_starts_where_it_had_committed(
    kit: Any, branch_id: int
) -> None:
    for number in (1, 2, 3):
        await publish(kit, branch_id, number)
    await follower(kit, []).step(branch_id)
    with pytest.raises(RuntimeError):
        await follower(kit, [], fail=[3]).step(branch_id)

    applied: list[int] = []
    while await follower(kit, applied).step(branch_id):
        pass

    assert applied == [3]


async def test_two_replicas_apply_each_entry_once(kit: Any, branch_id: int) -> None:
    for number in range(10):
        await publish(kit, branch_id, number)

    replicas = [follower(kit, []) for _ in range(3)]
    for _ in range(10):
        await asyncio.gather(*(replica.step(branch_id) for replica in replicas))

    async with kit.database.read(EVERYTHING) as connection:
        count = await connection.scalar(
            text("SELECT count(*) FROM kit.notes WHERE branch_id = :b"), {"b": branch_id}
        )
    assert count == 10
