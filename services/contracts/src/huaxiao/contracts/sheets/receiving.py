"""Uploads as they arrive: kept on disk past a megabyte, their digest taken on the way, then read."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import BinaryIO, cast

from huaxiao.contracts.sheets.files import read_rows

_IN_MEMORY = 1 << 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was uploaded, as rows of text."""

    digest: str
    """SHA-256, in hex, over the file."""
    rows: list[list[str]]


async def receive(pieces: AsyncIterable[bytes]) -> Upload:
    """Take a file in piece by piece and read it, before anything is locked.

    Raises:
        UnreadableSheet: the file is no sheet.
        SheetTooLarge: it has too many cells.

    """
    hashed = hashlib.sha256()
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as held:
        async for piece in pieces:
            hashed.update(piece)
            held.write(piece)
        held.seek(0)
        rows = await asyncio.to_thread(lambda: list(read_rows(cast("BinaryIO", held))))
    return Upload(hashed.hexdigest(), rows)
