"""A stream is cut into the same lines however it is packed and however it arrives."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.intake.stream import (
    KEPT_OF_LONG_LINE,
    MARK,
    MAX_LINE_BYTES,
    Broken,
    Line,
    lines,
)

PACK = {"": bytes, "identity": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}
texts = st.lists(
    (st.binary(max_size=40) | st.sampled_from([MARK, MARK + b"{}"])).filter(
        lambda line: b"\n" not in line
    ),
    max_size=20,
)


async def cut(packed: bytes, encoding: str, size: int = 1 << 16) -> list[Line]:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(packed), size):
            yield packed[start : start + size]

    return [line async for line in lines(chunks(), encoding)]


@given(texts, st.sampled_from(sorted(PACK)), st.integers(1, 50), st.booleans())
async def test_the_lines_are_those_that_were_sent(
    sent: list[bytes], encoding: str, size: int, ended: bool
) -> None:
    content = b"\n".join(sent) + (b"\n" if ended else b"")
    wanted = [Line(one) for line in sent if (one := line.removeprefix(MARK).strip(b" \t\r"))]
    assert await cut(PACK[encoding](content), encoding, size) == wanted


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_two_packed_parts_behind_one_another_are_one_stream(encoding: str) -> None:
    packed = PACK[encoding](b"1\n2") + PACK[encoding](b"3\n4")
    assert [one.content for one in await cut(packed, encoding)] == [b"1", b"23", b"4"]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_a_packed_stream_that_breaks_off_yields_its_whole_lines_and_says_so(
    encoding: str,
) -> None:
    content = b"".join(b"%d %d\n" % (number, number * 7919 % 104729) for number in range(50_000))
    packed = PACK[encoding](content)[:-20_000]

    async def chunks() -> AsyncIterator[bytes]:
        yield packed

    kept: list[bytes] = []

    async def keep() -> None:
        async for line in lines(chunks(), encoding):
            kept.append(line.content)  # noqa: PERF401 - what came before it broke is the point

    with pytest.raises(Broken):
        await keep()
    assert 0 < len(kept) < 50_000
    assert kept == content.split(b"\n")[: len(kept)]


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_damaged_content_is_no_fault_of_ours(encoding: str) -> None:
    with pytest.raises(Broken):
        await cut(b"this was never packed", encoding)


async def test_a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() -> None:
    content = b"first\n" + b"x" * (MAX_LINE_BYTES + 1) + b"\nlast"
    for size in (1 << 16, len(content)):
        first, long, last = await cut(content, "", size)
        assert (first, last) == (Line(b"first"), Line(b"last"))
        assert (long.too_long, long.content) == (True, b"x" * KEPT_OF_LONG_LINE)


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        ("gzip", zlib.compress(bytes(1 << 28), 9, wbits=zlib.MAX_WBITS | 16)),
        ("zstd", zstandard.compress(bytes(1 << 28), 19)),
    ],
)
async def test_little_that_unpacks_to_much_is_never_held_at_once(
    encoding: str, bomb: bytes
) -> None:
    (only,) = await cut(bomb, encoding)
    assert only.too_long
    assert len(only.content) == KEPT_OF_LONG_LINE


@given(
    st.sampled_from(["gzip", "zstd"]),
    st.lists(
        st.tuples(st.integers(0, 400), st.binary(max_size=6), st.integers(0, 40)),
        min_size=1,
        max_size=4,
    ),
    st.integers(1, 200),
)
async def test_no_damage_to_a_packed_stream_is_more_than_its_end(
    encoding: str, cuts: list[tuple[int, bytes, int]], size: int
) -> None:
    content = b"".join(b'{"id":"%d","amount_fen":%d}\n' % (n, n * 7919) for n in range(40))
    packed = PACK[encoding](content)
    for place, put, taken in cuts:
        packed = packed[:place] + put + packed[place + taken :]
    try:
        told = await cut(packed, encoding, size)
    except Broken:
        return
    assert all(b"\n" not in one.content for one in told)


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [
        ("gzip", gzip.compress(b"\n" * (1 << 24), 9)),
        ("gzip", gzip.compress(gzip.compress(bytes(1 << 24), 9), 9)),
        ("zstd", zstandard.compress(b'{"a":1}\n' * (1 << 16), 19)),
    ],
)
async def test_what_unpacks_to_much_takes_little_memory(encoding: str, bomb: bytes) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield bomb

    tracemalloc.start()
    async for _ in lines(chunks(), encoding):
        pass
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 16 << 20


async def test_millions_of_empty_lines_keep_nobody_waiting() -> None:
    turns = 0

    async def somebody_else() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def chunks() -> AsyncIterator[bytes]:
        yield gzip.compress(b"\n" * (1 << 22), 9)

    other = asyncio.create_task(somebody_else())
    assert [one async for one in lines(chunks(), "gzip")] == []
    other.cancel()
    assert turns >= 64
