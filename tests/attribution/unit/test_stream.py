"""A stream is cut into the same lines however it is packed and however it arrives."""

import gzip
import zlib
from collections.abc import AsyncIterator

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from huaxiao.attribution.intake.stream import (
    KEPT_OF_LONG_LINE,
    MAX_LINE_BYTES,
    Broken,
    Line,
    lines,
)

PACK = {"": bytes, "identity": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}
texts = st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line), max_size=20)


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
    wanted = [Line(one) for line in sent if (one := line.strip(b" \t\r"))]
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
