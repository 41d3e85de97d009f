"""Rows that are added as one list in JSON are what was given, to the microsecond and the character."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select
from support.postgres import PreparedDatabase

from huaxiao.kpi.tables import audit_log, feed
from huaxiao.shared.audit.chain import BEGINNING, chained
from huaxiao.shared.audit.log import NewEntry, hashed
from huaxiao.shared.audit.origins import Origin
from huaxiao.shared.database import Database
from huaxiao.shared.feed import NewFact
from huaxiao.shared.rows import Scope
from huaxiao.shared.wire.base import Fact

NOON = datetime(2017, 11, 30, 12, tzinfo=UTC)
TEXT = "中文 \U0001f600 \\u0041 \"'{}, \n\t\x01\x7f\u2028\ufffe\U0010ffff"


class Said(Fact):
    """Something that is said."""

    text: str
    number: int


@pytest.fixture
async def database(prepared: PreparedDatabase) -> AsyncIterator[Database]:
    opened = Database(prepared.url("kpi"), service="kpi", pool_size=1)
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    "moment",
    [
        NOON.replace(microsecond=1),
        NOON.replace(microsecond=999_999),
        NOON.replace(microsecond=120_000, tzinfo=timezone(timedelta(hours=8))),
        NOON.replace(microsecond=654_321, tzinfo=timezone(-timedelta(hours=9, minutes=30))),
    ],
)
async def test_a_fact_is_told_as_it_was_given(
    database: Database, branch_id: int, moment: datetime
) -> None:
    fact = NewFact("kit.said", TEXT, Said(text=TEXT, number=2**62))
    async with database.write(Scope.of_branch(branch_id)) as connection:
        await feed.append(connection, branch_id, [fact, fact], now=moment)
    async with database.read(Scope.of_branch(branch_id)) as connection:
        found = await connection.execute(select(feed.entries).filter_by(branch_id=branch_id))
        told = [(row.position, row.subject, row.occurred_at, row.data) for row in found]
    data = {"text": TEXT, "number": 2**62}
    assert told == [(1, TEXT, moment, data), (2, TEXT, moment, data)]


def entry(
    roles: tuple[str, ...], reason: str | None, changes: list[dict[str, Any]], second: int
) -> NewEntry:
    origin = Origin(
        subject=TEXT,
        roles=roles,
        person_id=None,
        token_id=None,
        client=None,
        trace_id=None,
        method="",
        route="",
        path="/中文",
        query="",
    )
    at = NOON.replace(second=second, microsecond=second)
    return NewEntry(at, origin, 200, reason=reason, changes=changes)


ENTRIES = [
    entry((), None, [], 0),
    entry(("a,b", "{c}", '"q"', "NULL", "", "中 文", "a\\b"), TEXT, [{"none": None, "": {}}], 1),
    entry(("x",), "", [{"deep": [1, [True, None, {"中": TEXT}]], "large": -(10**30)}], 2),
    entry(("x",), "null", [{"line": line, "text": "长" * 1_000} for line in range(1_000)], 3),
]


async def test_entries_are_chained_over_what_the_database_holds(
    database: Database, branch_id: int
) -> None:
    for some in (ENTRIES[:1], ENTRIES[1:]):
        async with database.write(Scope.of_branch(branch_id)) as connection:
            await audit_log.append(connection, branch_id, some)
    async with database.read(Scope.of_branch(branch_id)) as connection:
        table = audit_log.entries
        query = select(table).filter_by(branch_id=branch_id).order_by(table.c.position)
        rows = (await connection.execute(query)).mappings().all()
    before = BEGINNING
    for given, row in zip(ENTRIES, rows, strict=True):
        assert (row["at"], row["reason"], row["changes"]) == (
            given.at,
            given.reason,
            given.changes,
        )
        assert tuple(row["roles"]) == given.origin.roles
        before = chained(hashed(audit_log.service, row), before)
        assert row["hash"] == before
