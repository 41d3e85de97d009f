"""Queues in tables: whoever is free takes what waits longest, and nobody takes what another holds."""

from typing import Any

from sqlalchemy import RowMapping, Select, Table, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

_LOOKED_AT = 20
"""Rows that may all be held by others before it is said that nothing is free."""


async def take_first(
    connection: AsyncConnection, table: Table, waiting: Select[Any]
) -> RowMapping | None:
    """Lock and return the first row of a table, of whichever branch, that waits and nobody holds.

    ``waiting`` finds keys of the table, in order. They are found without a lock, and then locked one by
    one, each in its own branch: where branches lie on several machines no lock reaches over all.
    """
    keys = table.primary_key.columns
    still = waiting.whereclause if waiting.whereclause is not None else true()
    found = await connection.execute(waiting.with_only_columns(*keys).limit(_LOOKED_AT))
    for key in found.all():
        this = [column == value for column, value in zip(keys, key, strict=True)]
        locked = await connection.execute(
            select(table).where(*this, still).with_for_update(of=table, skip_locked=True)
        )
        if (row := locked.mappings().one_or_none()) is not None:
            return row
    return None
