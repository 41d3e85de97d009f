"""A service of nothing but the kit: one table, a feed, and routes that show how the edge behaves."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import (
    Column,
    ForeignKeyConstraint,
    Integer,
    Table,
    Text,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import create_async_engine
from support.postgres import PreparedDatabase

from huaxiao.shared import feed_standing
from huaxiao.shared.audit import api as audit
from huaxiao.shared.audit.log import AuditLog
from huaxiao.shared.auth import Principal, Role, allow
from huaxiao.shared.clock import system_clock
from huaxiao.shared.database import Database, service_metadata
from huaxiao.shared.feed import Feed, NewFact, positions_table
from huaxiao.shared.settings import ServiceSettings
from huaxiao.shared.unit_of_work import ReadTx, WriteTx, idempotency_table
from huaxiao.shared.web import router, service_app
from huaxiao.shared.wire.base import AmountFen, Fact, Given

metadata = service_metadata("kit")
notes = Table(
    "notes",
    metadata,
    Column("branch_id", Integer, primary_key=True),
    Column("note_id", Text, primary_key=True),
    Column("about", Text),
    Column("text", Text),
    ForeignKeyConstraint(
        ["branch_id", "about"],
        ["kit.notes.branch_id", "kit.notes.note_id"],
        deferrable=True,
        initially="DEFERRED",
    ),
)
feed = Feed(metadata, service="kit")
positions = positions_table(metadata)
idempotency_keys = idempotency_table(metadata)
audit_log = AuditLog(metadata, service="kit")


class NoteIn(Given):
    note_id: str
    about: str | None = None
    text: str | None = None
    reason: str | None = None
    amount_fen: AmountFen = 0


class NoteTaken(Fact):
    note_id: str


routes = router(tags=["notes"])


@routes.post("/notes", status_code=201)
async def take_note(
    branch_id: int,
    body: NoteIn,
    tx: WriteTx,
    principal: Annotated[Principal, allow(Role.COUNTY_MANAGER)],
) -> NoteIn:
    await tx.execute(
        insert(notes).values(
            branch_id=branch_id, **body.model_dump(exclude={"amount_fen", "reason"})
        )
    )
    fact = NewFact("kit.note.taken", body.note_id, NoteTaken(note_id=body.note_id))
    await feed.append(tx, branch_id, [fact], now=system_clock())
    return body


class NoteEdit(Given):
    text: str


@routes.put("/notes/{note_id}")
async def edit_note(
    branch_id: int,
    note_id: str,
    body: NoteEdit,
    tx: WriteTx,
    principal: Annotated[Principal, allow(Role.COUNTY_MANAGER)],
) -> NoteEdit:
    one = (notes.c.branch_id == branch_id, notes.c.note_id == note_id)
    await tx.execute(update(notes).where(*one).values(text="not yet"))
    await tx.execute(update(notes).where(*one).values(text=body.text))
    return body


@routes.delete("/notes/{note_id}", status_code=204)
async def remove_note(
    branch_id: int,
    note_id: str,
    tx: WriteTx,
    principal: Annotated[Principal, allow(Role.COUNTY_MANAGER)],
) -> None:
    await tx.execute(
        delete(notes).where(notes.c.branch_id == branch_id, notes.c.note_id == note_id)
    )


@routes.get("/notes")
async def list_notes(
    branch_id: int, tx: ReadTx, principal: Annotated[Principal, allow(Role.COUNTY_MANAGER)]
) -> list[str]:
    rows = await tx.scalars(select(notes.c.note_id).where(notes.c.branch_id == branch_id))
    return list(rows)


@dataclass(frozen=True)
class Kit:
    app: FastAPI
    database: Database
    audit_log: AuditLog = audit_log


@pytest.fixture(scope="session")
async def kit(
    prepared: PreparedDatabase, settings_for: Callable[[str], dict[str, Any]]
) -> AsyncIterator[Kit]:
    admin = create_async_engine(
        prepared.url("postgres").replace("postgresql://", "postgresql+asyncpg://")
    )
    async with admin.begin() as connection:
        await connection.execute(text("CREATE SCHEMA IF NOT EXISTS kit"))
        await connection.run_sync(metadata.create_all)
    await admin.dispose()
    settings = ServiceSettings(**settings_for("kpi") | {"database_url": prepared.url("postgres")})
    database = Database(settings.database_url.get_secret_value(), service="kit")
    app = service_app(
        service="kit",
        title="kit",
        settings=settings,
        database=database,
        idempotency_keys=idempotency_keys,
        audit_log=audit_log,
        routers=[
            routes,
            *audit.routes(),
            feed.router(),
            feed_standing.router(feed, positions=positions, sources=["/kit", "/silent"]),
        ],
    )
    yield Kit(app, database)
    await database.close()


@pytest.fixture(scope="session")
async def http(kit: Kit) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=kit.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://kit") as client:
        yield client


@pytest.fixture
def manager(token: Callable[..., str], branch_id: int) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, branch_id)}"}
