"""What every reader of a feed may rely on, the real service and its fake alike."""

from collections.abc import Sequence

from huaxiao.shared.feed import FeedReader
from huaxiao.shared.wire.feed import FeedEntry


async def check_feed(reader: FeedReader, branch_id: int, subjects: Sequence[str]) -> None:
    """Check that a branch's feed has these subjects, and is read as a feed is."""
    entries = await reader.feed(branch_id, after=0, limit=500, wait_ms=0)
    assert [one.subject for one in entries] == list(subjects)
    assert [one.position for one in entries] == list(range(1, len(subjects) + 1))
    assert {one.branchid for one in entries} == {branch_id}
    for after in range(len(entries) + 1):
        assert await _behind(reader, branch_id, after, limit=500) == entries[after:]
        assert await _behind(reader, branch_id, after, limit=1) == entries[after : after + 1]


async def _behind(reader: FeedReader, branch_id: int, after: int, *, limit: int) -> list[FeedEntry]:
    return await reader.feed(branch_id, after=after, limit=limit, wait_ms=0)
