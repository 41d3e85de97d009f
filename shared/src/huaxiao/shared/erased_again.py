"""Erasures outlive a database that is restored from a backup of before them.

A service lists each erasure that it has done in a file outside its database, and does again those that
are listed and that its database knows nothing of. The list names customers by their code alone.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.shared import chained_lines
from huaxiao.shared.audit.chain import told_at
from huaxiao.shared.audit.log import AuditLog, NewEntry
from huaxiao.shared.audit.origins import own_origin
from huaxiao.shared.chained_lines import ChangedFileError
from huaxiao.shared.erasing import Erase, known_erasures, one_at_a_time
from huaxiao.shared.ticking import Job

_EVERY = timedelta(minutes=1)
"""How often list and database are compared: as often as a file of WAL is kept."""


@dataclass(frozen=True, slots=True)
class ListedErasure:
    """An erasure as it was listed outside."""

    branch_id: int
    erasure_id: str
    customer_id: str
    reason: str
    by: str
    at: datetime
    done_by: str
    done_at: datetime

    @property
    def key(self) -> tuple[int, str]:
        """Return what it is known by."""
        return self.branch_id, self.erasure_id


class ErasureList:
    """The file in which a service lists its erasures."""

    def __init__(self, path: Path, *, service: str) -> None:
        """Name the file; it need not be there."""
        self._path, self._service = path, service
        self._read: tuple[tuple[int, int], tuple[ListedErasure, ...]] | None = None

    def erasures(self) -> tuple[ListedErasure, ...]:
        """Return what is listed.

        Raises:
            ChangedFileError: the file does not hold.

        """
        try:
            state = self._path.stat()
        except FileNotFoundError:
            return ()
        version = (state.st_size, state.st_mtime_ns)
        if self._read is None or self._read[0] != version:
            known = chained_lines.read(self._path.read_bytes())
            if known.fault is not None:
                raise ChangedFileError(self._path, known.fault)
            self._read = (version, tuple(_listed(one) for one in known.lines))
        return self._read[1]

    def add(self, erasures: Collection[ListedErasure]) -> int:
        """List what is not listed yet; return how many that were.

        Raises:
            ChangedFileError: the file does not hold; nothing is added to it.

        """

        def choose(there: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
            known = {(one["branch_id"], one["erasure_id"]) for one in there}
            return [
                asdict(one)
                | {
                    "service": self._service,
                    "at": told_at(one.at),
                    "done_at": told_at(one.done_at),
                }
                for one in erasures
                if one.key not in known
            ]

        return chained_lines.append(self._path, choose)


def list_beside(anchor_file: Path, service: str) -> Path:
    """Return where a service lists its erasures: beside the anchors of its audit log."""
    return anchor_file.with_name(f"{service}-erasures.jsonl")


def erased_again(
    anchor_file: Path | None, audit_log: AuditLog, asked: Table, done: Table, erase: Erase
) -> dict[str, Job]:
    """Return the job that holds list and database together; none where nothing is kept outside."""
    if anchor_file is None:
        return {}
    kept = ErasureList(list_beside(anchor_file, audit_log.service), service=audit_log.service)
    compared: dict[int, datetime] = {}

    async def job(connection: AsyncConnection, branch_id: int, now: datetime) -> int:
        last = compared.get(branch_id)
        if last is not None and last <= now < last + _EVERY:
            return 0
        outside = await asyncio.to_thread(kept.erasures)
        inside = {one.key: one for one in await _done(connection, branch_id, asked, done)}
        for one in outside:
            if one.branch_id == branch_id and one.key not in inside:
                return await _erase_again(
                    connection, one, asked, done, erase, audit_log=audit_log, now=now
                )
        unlisted = inside.keys() - {one.key for one in outside}
        if unlisted:
            await asyncio.to_thread(kept.add, [inside[key] for key in sorted(unlisted)])
        compared[branch_id] = now
        return 0

    return {"erasures of before a restore": job}


async def _done(
    connection: AsyncConnection, branch_id: int, asked: Table, done: Table
) -> list[ListedErasure]:
    known = known_erasures(asked, done).where(asked.c.branch_id == branch_id).subquery()
    rows = await connection.execute(select(known).where(known.c.done_at.is_not(None)))
    return [
        ListedErasure(
            branch_id,
            **{name: row[name] for name in ListedErasure.__slots__ if name != "branch_id"},
        )
        for row in rows.mappings()
    ]


async def _erase_again(
    connection: AsyncConnection,
    listed: ListedErasure,
    asked: Table,
    done: Table,
    erase: Erase,
    *,
    audit_log: AuditLog,
    now: datetime,
) -> int:
    """Erase as two people have had it done, up to what was there when they did; put it on record."""
    await one_at_a_time(connection, listed.branch_id)
    own = {"branch_id": listed.branch_id, "erasure_id": listed.erasure_id}
    there = select(done.c.erasure_id).where(*(done.c[name] == held for name, held in own.items()))
    if await connection.scalar(there) is None:
        await connection.execute(
            insert(asked)
            .values(
                **own,
                customer_id=listed.customer_id,
                reason=listed.reason,
                by=listed.by,
                at=listed.at,
            )
            .on_conflict_do_nothing()
        )
        erased, waiting = await erase(
            connection, listed.branch_id, listed.customer_id, listed.done_at
        )
        counts = {"erased": erased, "waiting": waiting}
        await connection.execute(
            insert(done).values(**own, by=listed.done_by, at=listed.done_at, **counts)
        )
        change = {
            "table": done.name,
            "erasure_id": listed.erasure_id,
            "by": listed.done_by,
            **counts,
        }
        origin = own_origin(audit_log.service, "erased_again")
        entry = NewEntry(now, origin, HTTPStatus.OK, reason=listed.reason, changes=[change])
        await audit_log.append(connection, listed.branch_id, [entry])
    return 1


def _listed(line: Mapping[str, Any]) -> ListedErasure:
    given = {name: line[name] for name in ListedErasure.__slots__}
    moments = {name: datetime.fromisoformat(line[name]) for name in ("at", "done_at")}
    return ListedErasure(**given | moments)
