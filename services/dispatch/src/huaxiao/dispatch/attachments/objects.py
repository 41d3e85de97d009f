"""Where contents lie: a store of objects, each named by the branch and the SHA-256 of its bytes.

An object is written once and never changes, so that the same content uploaded again is the same
object, and an upload whose transaction is rolled back leaves nothing that could be taken for another.
"""

import asyncio
import os
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

from huaxiao.shared.problems import Problem


class NoObjectStore(Problem):
    """No place for attachments is set (``DISPATCH_ATTACHMENTS_DIRECTORY``)."""

    code = "no-object-store"
    status = HTTPStatus.NOT_IMPLEMENTED
    title = "This installation keeps no attachments"
    title_zh = "本系统未配置附件存储"


class ObjectStore(Protocol):
    """Keeps contents by key. ``put`` returns when the content will survive a loss of power."""

    async def put(self, key: str, content: bytes) -> None:
        """Keep a content; the same key again has the same content."""

    async def get(self, key: str) -> bytes | None:
        """Return a content, or None where there is none."""


class DirectoryStore:
    """Objects as files under a directory."""

    def __init__(self, directory: Path) -> None:
        """Keep objects there; the directory is made when the first comes."""
        self._directory = directory

    async def put(self, key: str, content: bytes) -> None:
        """Write beside, flush, then name it: a reader sees all of it, or nothing."""
        await asyncio.to_thread(self._write, key, content)

    async def get(self, key: str) -> bytes | None:
        """Read a file."""
        return await asyncio.to_thread(self._read, key)

    def _write(self, key: str, content: bytes) -> None:
        path = self._directory / key
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as beside:
            whole = Path(beside) / path.name
            with whole.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            whole.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _read(self, key: str) -> bytes | None:
        try:
            return (self._directory / key).read_bytes()
        except FileNotFoundError:
            return None


def key_of(branch_id: int, sha256: str) -> str:
    """Return where a branch's content lies."""
    return f"{branch_id}/{sha256[:2]}/{sha256}"
