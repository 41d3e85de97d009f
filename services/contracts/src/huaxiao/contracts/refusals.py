"""Attempts to change what is sealed: each is kept, whatever becomes of the request (R21)."""

from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import insert

from huaxiao.contracts.tables import refused_changes
from huaxiao.shared.database import Database
from huaxiao.shared.identifiers import new_id


async def record_refusal(
    database: Database,
    branch_id: int,
    *,
    subject: tuple[str, str],
    asked: BaseModel,
    asked_by: str,
    now: datetime,
) -> None:
    """Record an attempt, in a transaction of its own: the request's is about to be undone."""
    kind, subject_id = subject
    async with database.write() as connection:
        await connection.execute(
            insert(refused_changes).values(
                branch_id=branch_id,
                refusal_id=new_id(),
                subject_kind=kind,
                subject_id=subject_id,
                asked_by=asked_by,
                asked_at=now,
                asked=asked.model_dump(mode="json"),
            )
        )
