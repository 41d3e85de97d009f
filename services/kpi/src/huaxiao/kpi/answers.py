"""Reports that were told already, as long as nothing has become known since.

A report depends on what the feeds told and on what people decided, and both leave a mark in the
branch's own rows: the positions that were followed, and the count of decisions. One small read says
whether a report still holds; it is told again byte for byte. The report is made in the same snapshot
in which the mark was read, so neither can be of another moment.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Response
from pydantic import BaseModel
from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.kpi.tables import decisions, positions

_MOST_BYTES = 64 * 1024 * 1024
_JSON = "application/json"
_Key = tuple[Any, ...]


class Answers:
    """Keeps reports in this process, the ones told last, up to a number of bytes."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        """Begin with none."""
        self._held: OrderedDict[_Key, tuple[_Key, bytes]] = OrderedDict()
        self._most, self._bytes = most_bytes, 0

    async def tell(
        self,
        connection: AsyncConnection,
        branch_id: int,
        asked: _Key,
        make: Callable[[], Awaitable[BaseModel]],
    ) -> Response:
        """Tell a report again if it still holds, else make it and keep it.

        ``asked`` holds all that the report depends on beside the branch: who may see what, as well.
        """
        key = (branch_id, *asked)
        mark = await _mark(connection, branch_id)
        held = self._held.get(key)
        if held is not None and held[0] == mark:
            self._held.move_to_end(key)
            return Response(held[1], media_type=_JSON)
        body = (await make()).model_dump_json().encode()
        self._keep(key, mark, body)
        return Response(body, media_type=_JSON)

    def __len__(self) -> int:
        """Return how many reports are kept."""
        return len(self._held)

    def marks(self) -> dict[_Key, _Key]:
        """Return what is kept, the one told longest ago first, with the mark each holds by."""
        return {key: mark for key, (mark, _) in self._held.items()}

    def _keep(self, key: _Key, mark: _Key, body: bytes) -> None:
        before = self._held.pop(key, None)
        self._bytes += len(body) - (0 if before is None else len(before[1]))
        self._held[key] = (mark, body)
        while self._bytes > self._most:
            _, (_, oldest) = self._held.popitem(last=False)
            self._bytes -= len(oldest)


def _listed(column: Any) -> Any:
    return func.array_agg(aggregate_order_by(column, positions.c.source))


_BRANCH: BindParameter[int] = bindparam("branch_id")
_MARK = select(
    select(decisions.c.count).where(decisions.c.branch_id == _BRANCH).scalar_subquery(),
    _listed(positions.c.source),
    _listed(positions.c.position),
    # A rebuild comes back to the positions it began from, at another time.
    _listed(positions.c.followed_at),
).where(positions.c.branch_id == _BRANCH)


async def _mark(connection: AsyncConnection, branch_id: int) -> _Key:
    """Return what differs as soon as anything has become known or was decided in the branch."""
    row = (await connection.execute(_MARK, {"branch_id": branch_id})).one()
    return tuple(tuple(one) if isinstance(one, list) else one for one in row)
