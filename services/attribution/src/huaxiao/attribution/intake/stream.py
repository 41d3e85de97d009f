"""Events as a stream of lines (NDJSON), of any length, in bounded memory."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import zstandard

MAX_LINE_BYTES = 1024 * 1024
"""A longer line is refused; its beginning is kept."""
KEPT_OF_LONG_LINE = 64 * 1024
MARK = b"\xef\xbb\xbf"
"""What some senders put before UTF-8 (a byte order mark): no part of an event (RFC 8259, 8.1)."""
_PIECE = 64 * 1024
_ZSTD_PIECE = 512
"""A compressed block is some bytes at least and 128 KiB at most: this much never unpacks to 100 MiB."""
_ZSTD_WINDOW = 128 * 1024 * 1024


class Broken(Exception):  # noqa: N818 - the end of a stream, not a fault of ours
    """The stream ended before its content did."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the stream; one that was too long holds its beginning only."""

    content: bytes
    too_long: bool = False


class _Unpacker(Protocol):
    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Unpack what can be unpacked, piece by piece."""

    @property
    def whole(self) -> bool:
        """Say whether the content may end here."""


class _Plain:
    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    @property
    def whole(self) -> bool:
        return True


class _Gzip:
    """Unpacks gzip, one member or several, a bounded piece at a time."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        self._began = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        waiting = chunk
        while waiting:
            if self._unpacker.eof:
                self._unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
            self._began = True
            yield self._unpacker.decompress(waiting, _PIECE)
            waiting = self._unpacker.unconsumed_tail or self._unpacker.unused_data

    @property
    def whole(self) -> bool:
        return self._unpacker.eof or not self._began


class _Zstd:
    """Unpacks zstd frames, a small piece of input at a time."""

    def __init__(self) -> None:
        self._context = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._unpacker = self._context.decompressobj()
        self._began = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        for start in range(0, len(chunk), _ZSTD_PIECE):
            waiting = chunk[start : start + _ZSTD_PIECE]
            while waiting:
                if self._unpacker.eof:
                    self._unpacker = self._context.decompressobj()
                self._began = True
                yield self._unpacker.decompress(waiting)
                waiting = self._unpacker.unused_data if self._unpacker.eof else b""

    @property
    def whole(self) -> bool:
        return self._unpacker.eof or not self._began


_UNPACKERS: dict[str, Callable[[], _Unpacker]] = {
    "": _Plain,
    "identity": _Plain,
    "gzip": _Gzip,
    "x-gzip": _Gzip,  # the same by another name (RFC 9110, 8.4.1.3)
    "zstd": _Zstd,
}
ENCODINGS = tuple(name for name in _UNPACKERS if name)


async def lines(chunks: AsyncIterator[bytes], encoding: str) -> AsyncIterator[Line]:
    """Yield the lines of a stream that are not blank, the last with or without its end.

    Raises:
        Broken: the packed content breaks off or is damaged; every whole line before was yielded.

    """
    unpacker = _UNPACKERS[encoding]()
    splitter = _Splitter()
    try:
        async for chunk in chunks:
            for piece in unpacker.feed(chunk):
                for line in splitter.feed(piece):
                    yield line
                # What unpacks to much, and to no line, would keep everybody else waiting.
                await asyncio.sleep(0)
    except (zlib.error, zstandard.ZstdError) as error:
        raise Broken(f"the packed content is damaged: {error}") from error
    if not unpacker.whole:
        raise Broken("the packed content breaks off")
    for line in splitter.rest():
        yield line


class _Splitter:
    """Cuts pieces into lines, keeping no more than one line."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._skipping = False

    def feed(self, piece: bytes) -> Iterator[Line]:
        *whole, last = piece.split(b"\n")
        for part in whole:
            # A few packed bytes may be millions of empty lines.
            if part or self._held or self._skipping:
                yield from self._end(part)
        self._hold(last)
        if len(self._held) > MAX_LINE_BYTES:
            self._skipping = True
            del self._held[KEPT_OF_LONG_LINE:]

    def rest(self) -> Iterator[Line]:
        yield from self._end(b"")

    def _end(self, part: bytes) -> Iterator[Line]:
        self._hold(part)
        # Each of several files behind one another may begin with a mark.
        content = bytes(self._held).removeprefix(MARK).strip(b" \t\r")
        too_long = self._skipping
        self._held.clear()
        self._skipping = False
        if len(content) > MAX_LINE_BYTES:
            content, too_long = content[:KEPT_OF_LONG_LINE], True
        if content:
            yield Line(content, too_long)

    def _hold(self, part: bytes) -> None:
        if not self._skipping:
            self._held += part
