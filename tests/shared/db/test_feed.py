import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
import pytest
from pydantic import TypeAdapter
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.shared.clock import system_clock
from huaxiao.shared.feed import Follower, NewFact
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire import feed_document
from huaxiao.shared.wire.base import Fact
from huaxiao.shared.wire.feed import FEED_MEDIA_TYPE, FeedEntry
from huaxiao.shared.wire.feed_standing import FeedStanding, FollowedFeed

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
        self.asked: list[int] = []

    async def feed(
        self, branch_id: int, *, after: int, limit: int, wait_ms: int
    ) -> list[FeedEntry]:
        self.asked.append(after)
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


async def test_catching_up_reads_each_page_once_and_ends_with_the_feed(
    kit: Any, branch_id: int
) -> None:
    for number in range(5):
        await publish(kit, branch_id, number)
    applied: list[int] = []
    behind = follower(kit, applied)

    await behind.catch_up(branch_id)

    assert applied == [0, 1, 2, 3, 4]
    assert isinstance(behind.reader, ReadsKit)
    assert behind.reader.asked == [0, 2, 4]
    await behind.catch_up(branch_id)
    assert applied == [0, 1, 2, 3, 4]


async def test_replicas_that_catch_up_together_apply_each_entry_once(
    kit: Any, branch_id: int
) -> None:
    for number in range(9):
        await publish(kit, branch_id, number)
    applied: list[int] = []
    replicas = [follower(kit, applied) for _ in range(3)]

    async def until_done(one: Follower) -> None:
        while await one.step(branch_id):
            await one.catch_up(branch_id)

    await asyncio.gather(*(until_done(one) for one in replicas))

    assert applied == list(range(9))


async def test_catching_up_ends_at_an_entry_that_fails_and_goes_on_from_there(
    kit: Any, branch_id: int
) -> None:
    for number in range(5):
        await publish(kit, branch_id, number)
    with pytest.raises(RuntimeError, match="crash"):
        await follower(kit, [], fail=[3]).catch_up(branch_id)

    applied: list[int] = []
    await follower(kit, applied).catch_up(branch_id)

    assert applied == [2, 3, 4]


class Held(Fact):
    held: dict[str, Any]


async def test_a_feed_is_sent_as_it_is_stored_in_the_form_that_is_documented(
    kit: Any, branch_id: int, http: httpx.AsyncClient, manager: dict[str, str]
) -> None:
    held = {"none": None, "nested": [{"number": 2**62, "part": 0.25}], "text": '营服 \x01 "'}
    now = system_clock()
    async with kit.database.write(EVERYTHING) as connection:
        told = NewFact("kit.held", "主题", Held(held=held))
        await feed.append(connection, branch_id, [told], now=now)

    answer = await http.get(f"/v1/branches/{branch_id}/feed", headers=manager)

    assert answer.headers["content-type"] == FEED_MEDIA_TYPE
    assert answer.json()[0]["specversion"] == "1.0"
    (documented,) = TypeAdapter(list[feed_document.FeedEntry]).validate_json(answer.content)
    (stored,) = await read(kit, branch_id)
    assert stored.data == {"held": held}
    assert stored.time == now
    assert documented.model_dump() == msgspec.structs.asdict(stored)
    assert msgspec.json.decode(answer.content, type=list[FeedEntry]) == [stored]


async def test_readers_that_wait_are_told_as_soon_as_there_is_news_and_look_together(
    kit: Any, branch_id: int, http: httpx.AsyncClient, manager: dict[str, str]
) -> None:
    await publish(kit, branch_id, 1)
    url = f"/v1/branches/{branch_id}/feed"

    async def wait(after: int) -> list[str]:
        answer = await http.get(
            url, params={"lastEventId": after, "timeout": 20_000}, headers=manager
        )
        return [one["id"] for one in answer.json()]

    looked = 0

    def count(*_: Any) -> None:
        nonlocal looked
        looked += 1

    waiting = [asyncio.create_task(wait(1)) for _ in range(20)]
    await asyncio.sleep(0.5)
    event.listen(kit.database.engine.sync_engine, "before_cursor_execute", count)
    try:
        await asyncio.sleep(1)
    finally:
        event.remove(kit.database.engine.sync_engine, "before_cursor_execute", count)
    assert not any(one.done() for one in waiting)
    assert 0 < looked < 20
    await publish(kit, branch_id, 2)

    async with asyncio.timeout(10):
        assert await asyncio.gather(*waiting) == [["2"]] * 20
    assert await wait(0) == ["1", "2"]


async def test_how_far_a_feed_goes_and_others_were_followed_is_told_branch_by_branch(
    kit: Any, branch_id: int, http: httpx.AsyncClient, manager: dict[str, str]
) -> None:
    url = f"/v1/branches/{branch_id}/feed/standing"
    new = FeedStanding.model_validate_json((await http.get(url, headers=manager)).content)
    for number in range(3):
        await publish(kit, branch_id, number)
    began = system_clock()
    await follower(kit, []).step(branch_id)
    told = FeedStanding.model_validate_json((await http.get(url, headers=manager)).content)

    silent = FollowedFeed(source="/silent", position=0, followed_at=None)
    assert new == FeedStanding(
        position=0, followed=[silent.model_copy(update={"source": "/kit"}), silent]
    )
    assert (told.position, told.followed[1]) == (3, silent)
    followed = told.followed[0]
    assert (followed.source, followed.position) == ("/kit", 2)
    assert followed.followed_at is not None
    assert began <= followed.followed_at <= system_clock()
