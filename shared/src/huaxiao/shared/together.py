"""Reads of the same kind that many ask for at once, as one."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from typing import Generic, TypeVar

from huaxiao.shared import deadlines

Key = TypeVar("Key")
Value = TypeVar("Value")


class Together(ABC, Generic[Key, Value]):
    """Answers those who ask while one read is under way by the next one, all together."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: dict[Key, asyncio.Future[Value]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def of(self, key: Key) -> Value:
        """Return what a read that begins from now on finds for a key."""
        waited = self._waiting.get(key)
        if waited is None:
            waited = self._waiting[key] = asyncio.get_running_loop().create_future()
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(
                self._read_all(), context=deadlines.for_all_who_wait()
            )
        # One that is cancelled while it waits leaves the others waiting.
        return await asyncio.shield(waited)

    async def _read_all(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting, {}
            try:
                found = await self._read(asked)
            except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it was
                for waited in asked.values():
                    waited.set_exception(error)
            else:
                for key, waited in asked.items():
                    waited.set_result(found[key])

    @abstractmethod
    async def _read(self, keys: Collection[Key]) -> Mapping[Key, Value]:
        """Read the values of all keys that are asked for."""
