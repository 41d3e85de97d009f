"""Rules that a county sets for itself: the suite's own until it does, then what it set last."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import Table, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

Rules = TypeVar("Rules", bound=BaseModel)


@dataclass(frozen=True)
class CountyRules(Generic[Rules]):
    """One kind of rules; callers see to it that one sets them at a time."""

    table: Table
    """``number``, ``given``, ``set_by``, ``set_at``; rows are only appended."""
    own: type[BaseModel]
    """What is given, whose defaults are the suite's own rules."""
    shown: type[Rules]
    """The same with ``number`` (0: the suite's own), ``set_by`` and ``set_at``."""

    async def current(self, connection: AsyncConnection, branch_id: int) -> Rules:
        """Return the rules in force."""
        rows = await connection.execute(
            select(self.table)
            .where(self.table.c.branch_id == branch_id)
            .order_by(self.table.c.number.desc())
            .limit(1)
        )
        row = rows.mappings().one_or_none()
        if row is None:
            nobody = {"number": 0, "set_by": None, "set_at": None}
            return self.shown.model_validate(self.own().model_dump() | nobody)
        return self.shown.model_validate(dict(row) | dict(row["given"]))

    async def set(
        self,
        connection: AsyncConnection,
        branch_id: int,
        given: BaseModel,
        *,
        set_by: str,
        now: datetime,
    ) -> Rules:
        """Set the rules from now on; the same again changes nothing."""
        before = (await self.current(connection, branch_id)).model_dump(mode="json")
        wanted = given.model_dump(mode="json")
        if before["number"] and {name: before[name] for name in wanted} == wanted:
            return await self.current(connection, branch_id)
        await connection.execute(
            insert(self.table).values(
                branch_id=branch_id,
                number=before["number"] + 1,
                given=wanted,
                set_by=set_by,
                set_at=now,
            )
        )
        return await self.current(connection, branch_id)
