"""Versioned data of a branch: drafted by one person, put in force by another, unchanged from then on.

A version is in force from a day on, until the next one's day. Version 0 is the suite's own: in force
until a branch puts one of its own in force, and there to begin from.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from sqlalchemy import RowMapping, Select, Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.shared.periods import business_day
from huaxiao.shared.problems import NotFound, Problem, TwoPeople
from huaxiao.shared.versions import require_version

Version = TypeVar("Version", bound=BaseModel)


@dataclass(frozen=True)
class Drafting(Generic[Version]):
    """How one kind of versioned data is kept; callers see to it that one works on it at a time."""

    drafts: Table
    """``version``, ``given``, ``drafted_by``, ``drafted_at``."""
    in_force: Table
    """``version``, ``from_day``, and who put it in force when."""
    kind: type[Version]
    """What a version is told as: what was given, ``version``, ``from_day``, and who acted."""
    own: Callable[[], BaseModel]
    """What the suite gives itself, as version 0."""
    unchangeable: type[Problem]
    """Said when a version that is in force is to change."""
    out_of_order: type[Problem]
    """Said when a version would begin in the past, or no later than another."""
    put_by: str = "put_in_force_by"
    put_at: str = "put_in_force_at"

    def render(self, row: RowMapping) -> Version:
        """Return a version as it is told."""
        return self.kind.model_validate(dict(row) | dict(row["given"]))

    @cached_property
    def default(self) -> Version:
        """The suite's own version, which nobody drafted or put in force."""
        nobody = {"from_day": None, "drafted_by": None, self.put_by: None}
        return self.kind.model_validate(self.own().model_dump() | {"version": 0} | nobody)

    def _versions(self) -> Select[*tuple[Any, ...]]:
        drafts, in_force = self.drafts.c, self.in_force.c
        return select(self.drafts, in_force.from_day, in_force[self.put_by]).select_from(
            self.drafts.outerjoin(
                self.in_force,
                (in_force.branch_id == drafts.branch_id) & (in_force.version == drafts.version),
            )
        )

    async def _load(
        self, connection: AsyncConnection, branch_id: int, version: int
    ) -> RowMapping | None:
        rows = await connection.execute(
            self._versions().where(
                self.drafts.c.branch_id == branch_id, self.drafts.c.version == version
            )
        )
        return rows.mappings().one_or_none()

    async def show(self, connection: AsyncConnection, branch_id: int, version: int) -> Version:
        """Return a version; 0 is the suite's own."""
        if version == 0:
            return self.default
        row = await self._load(connection, branch_id, version)
        if row is None:
            raise NotFound
        return self.render(row)

    async def list_versions(
        self, connection: AsyncConnection, branch_id: int, *, after: int, limit: int
    ) -> list[Version]:
        """Return a branch's own versions behind a number."""
        rows = await connection.execute(
            self._versions()
            .where(self.drafts.c.branch_id == branch_id, self.drafts.c.version > after)
            .order_by(self.drafts.c.version)
            .limit(limit)
        )
        return [self.render(row) for row in rows.mappings()]

    async def in_force_on(self, connection: AsyncConnection, branch_id: int, day: date) -> Version:
        """Return the version in force on a day."""
        rows = await connection.execute(
            self._versions()
            .where(self.drafts.c.branch_id == branch_id, self.in_force.c.from_day <= day)
            .order_by(self.in_force.c.from_day.desc())
            .limit(1)
        )
        row = rows.mappings().one_or_none()
        return self.default if row is None else self.render(row)

    async def draft(
        self,
        connection: AsyncConnection,
        branch_id: int,
        version: int,
        given: BaseModel,
        *,
        if_match: str | None,
        drafted_by: str,
        now: datetime,
    ) -> tuple[Version, bool]:
        """Draft a version, or rewrite it while it is a draft; say whether it is new.

        Raises:
            Problem: ``unchangeable``, when it is in force and what is given differs from it.

        """
        row = {"given": given.model_dump(mode="json"), "drafted_by": drafted_by, "drafted_at": now}
        key = {"branch_id": branch_id, "version": version}
        held = await self._load(connection, branch_id, version)
        require_version(if_match, None if held is None else self.render(held))
        if held is None:
            await connection.execute(insert(self.drafts).values(**key, **row))
            return await self.show(connection, branch_id, version), True
        if held["given"] == row["given"]:
            return self.render(held), False
        if held["from_day"] is not None:
            raise self.unchangeable
        await connection.execute(update(self.drafts).filter_by(**key).values(**row))
        return await self.show(connection, branch_id, version), False

    async def put_in_force(
        self,
        connection: AsyncConnection,
        branch_id: int,
        version: int,
        from_day: date,
        *,
        by: str,
        now: datetime,
    ) -> Version:
        """Let a version be in force from a day on, as a second person; again changes nothing.

        Raises:
            TwoPeople: it is who drafted it.
            Problem: ``unchangeable``, ``out_of_order``.

        """
        held = await self._load(connection, branch_id, version)
        if held is None:
            raise NotFound
        if held["from_day"] == from_day:
            return self.render(held)
        if held["from_day"] is not None:
            raise self.unchangeable
        if held["drafted_by"] == by:
            raise TwoPeople
        last: date | None = await connection.scalar(
            select(func.max(self.in_force.c.from_day)).where(self.in_force.c.branch_id == branch_id)
        )
        if from_day < business_day(now) or (last is not None and from_day <= last):
            raise self.out_of_order(last_from_day=None if last is None else last.isoformat())
        await connection.execute(
            insert(self.in_force).values(
                branch_id=branch_id,
                version=version,
                from_day=from_day,
                **{self.put_by: by, self.put_at: now},
            )
        )
        return await self.show(connection, branch_id, version)
