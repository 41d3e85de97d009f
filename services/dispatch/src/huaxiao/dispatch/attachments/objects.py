"""Where contents lie: a store of objects, each named by the branch and the SHA-256 of its bytes.

An object is written once and never changes, so that the same content uploaded again is the same
object, and an upload whose transaction is rolled back leaves nothing that could be taken for another.
"""

import asyncio
import logging
import os
import tempfile
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

from obstore.exceptions import BaseError
from obstore.store import S3Store

from huaxiao.dispatch.settings import Settings
from huaxiao.shared.problems import Problem, Unavailable

_PATIENCE = timedelta(seconds=10)
_log = logging.getLogger(__name__)


class NoObjectStore(Problem):
    """No place for attachments is set (``DISPATCH_ATTACHMENTS_DIRECTORY``, ``…_BUCKET``)."""

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

    async def remove(self, key: str) -> None:
        """Remove a content; one that is not there is removed already."""


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

    async def remove(self, key: str) -> None:
        """Unlink a file."""
        await asyncio.to_thread((self._directory / key).unlink, missing_ok=True)

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


class BucketStore:
    """Objects in a bucket of S3, or of a server that speaks its protocol."""

    def __init__(self, store: S3Store) -> None:
        """Keep objects there; the bucket is made by whoever runs the installation."""
        self._store = store

    async def put(self, key: str, content: bytes) -> None:
        """Put an object; S3 answers when it lies on more than one device.

        Raises:
            Unavailable: the bucket does not answer, or refuses.

        """
        try:
            await self._store.put_async(key, content)
        except (BaseError, FileNotFoundError) as error:  # the latter: there is no such bucket
            raise _no_answer(error) from error

    async def get(self, key: str) -> bytes | None:
        """Get an object.

        Raises:
            Unavailable: the bucket does not answer, or refuses.

        """
        try:
            found = await self._store.get_async(key)
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise _no_answer(error) from error

    async def remove(self, key: str) -> None:
        """Delete an object.

        Raises:
            Unavailable: the bucket does not answer, or refuses.

        """
        try:
            await self._store.delete_async(key)
        except FileNotFoundError:
            return
        except BaseError as error:
            raise _no_answer(error) from error


def _no_answer(error: Exception) -> Unavailable:
    _log.warning("the bucket of attachments does not answer: %s", error)
    return Unavailable("The store of attachments does not answer.", "附件存储暂不可用。")


def store_of(settings: Settings) -> ObjectStore | None:
    """Return where the settings have attachments kept; None: nowhere."""
    if settings.attachments_bucket is not None:
        secret = settings.attachments_secret_file
        endpoint = settings.attachments_endpoint
        return BucketStore(
            S3Store(
                settings.attachments_bucket,
                region=settings.attachments_region,
                endpoint=endpoint,
                access_key_id=settings.attachments_access_key,
                secret_access_key=None if secret is None else secret.read_text().strip(),
                retry_config={"max_retries": 2, "retry_timeout": _PATIENCE},
                client_options={
                    "timeout": _PATIENCE,
                    "allow_http": bool(endpoint and endpoint.startswith("http:")),
                },
            )
        )
    if settings.attachments_directory is not None:
        return DirectoryStore(settings.attachments_directory)
    return None


def key_of(branch_id: int, sha256: str) -> str:
    """Return where a branch's content lies."""
    return f"{branch_id}/{sha256[:2]}/{sha256}"
