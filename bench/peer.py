"""What a service usually looks like: a Pydantic body, an ORM, a row an event, nothing decided."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

from fastapi import Body, FastAPI
from pydantic import BaseModel
from sqlalchemy import BigInteger, DateTime
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of the one table."""


class PlainEvent(Base):
    """A bill item as a row."""

    __tablename__ = "plain_events"

    source: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    branch_id: Mapped[int]
    subject: Mapped[str]
    bill_item_id: Mapped[str]
    subscription_id: Mapped[str]
    period: Mapped[int]
    item_kind: Mapped[str]
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    tax_fen: Mapped[int] = mapped_column(BigInteger)


class BillItem(BaseModel):
    """The data of a bill item."""

    bill_item_id: str
    subscription_id: str
    period: int
    item_kind: str
    amount_fen: int
    tax_fen: int


class Event(BaseModel):
    """A bill item as an event."""

    source: str
    id: str
    type: str
    time: datetime
    branchid: int
    subject: str
    data: BillItem


def create_app() -> FastAPI:
    """Make the app."""
    url = make_url(os.environ["PEER_DATABASE_URL"]).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url)
    sessions = async_sessionmaker(engine)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.get("/readyz")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/v1/events")
    async def post_events(events: Annotated[list[Event], Body()]) -> dict[str, int]:
        async with sessions.begin() as session:
            session.add_all(
                PlainEvent(
                    source=one.source,
                    event_id=one.id,
                    type=one.type,
                    occurred_at=one.time,
                    branch_id=one.branchid,
                    subject=one.subject,
                    **one.data.model_dump(),
                )
                for one in events
            )
        return {"booked": len(events)}

    return app
