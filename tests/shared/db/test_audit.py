"""What is on record of requests, as the service, its auditors and a superuser see it."""

import asyncio
import json
import logging
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import create_async_engine
from support.postgres import PreparedDatabase

from huaxiao.contracts.tables import audit_log as of_contracts
from huaxiao.shared.audit.anchoring import anchor
from huaxiao.shared.audit.anchors import read
from huaxiao.shared.audit.chain import ChainCheck, ChainFault, Head
from huaxiao.shared.audit.log import AuditLog, NewEntry, hashed
from huaxiao.shared.audit.origins import Origin
from huaxiao.shared.auth import Role
from huaxiao.shared.database import Database
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.settings import ServiceSettings

NOW = datetime(2017, 11, 6, 8, tzinfo=UTC)
Tamper = Callable[..., Awaitable[None]]


async def first_fault(
    database: Database, audit_log: AuditLog, branch_id: int, anchored: tuple[Head, ...] = ()
) -> ChainFault | None:
    check = ChainCheck(branch_id, anchored)
    table, heads = audit_log.entries, audit_log.heads
    async with database.read(EVERYTHING) as connection:
        rows = await connection.execute(
            select(table).where(table.c.branch_id == branch_id).order_by(table.c.position)
        )
        for row in rows.mappings():
            found = check.take(row["position"], hashed(audit_log.service, row), row["hash"])
            if found is not None:
                return found
        head = (
            await connection.execute(select(heads).where(heads.c.branch_id == branch_id))
        ).one_or_none()
    return check.end(None if head is None else Head(branch_id, head.position, head.hash))


def auditor(token: Callable[..., str], branch_id: int) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(Role.AUDITOR, branch_id)}"}


async def listed(
    http: httpx.AsyncClient, branch_id: int, headers: dict[str, str], **params: Any
) -> list[dict[str, Any]]:
    answer = await http.get(
        f"/v1/branches/{branch_id}/audit-entries", headers=headers, params=params
    )
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_change_is_on_record_with_who_what_and_why(
    http: httpx.AsyncClient,
    branch_id: int,
    manager: dict[str, str],
    token: Callable[..., str],
) -> None:
    path = f"/v1/branches/{branch_id}/notes"
    asked = {
        "note_id": "n1",
        "text": "call 13812345678",
        "reason": "the customer 13812345678 asked",
    }
    made = await http.post(path, json=asked, headers=manager)
    edited = await http.put(f"{path}/n1", json={"text": "done"}, headers=manager)
    removed = await http.delete(f"{path}/n1", headers=manager)
    assert [one.status_code for one in (made, edited, removed)] == [201, 200, 204]

    last, middle, first = await listed(http, branch_id, auditor(token, branch_id))

    assert first["subject"] == "test:county_manager"
    assert first["roles"] == ["county_manager"]
    assert first["token_id"]
    assert first["client"] == "127.0.0.1"
    assert (first["method"], first["route"], first["status"]) == ("POST", "take_note", 201)
    assert first["path"] == path
    assert first["trace_id"] == made.headers["traceparent"].split("-")[1]
    assert first["reason"] == "the customer 138****5678 asked"
    assert first["changes"] == [
        {
            "table": "notes",
            "added": {
                "branch_id": branch_id,
                "note_id": "n1",
                "about": None,
                "text": "call 138****5678",
            },
        }
    ]
    assert middle["changes"] == [
        {
            "table": "notes",
            "key": {"note_id": "n1"},
            "before": {"text": "call 138****5678"},
            "after": {"text": "done"},
        }
    ]
    assert last["changes"][0]["removed"]["text"] == "done"
    assert [one["position"] for one in (first, middle, last)] == [1, 2, 3]


async def test_what_is_not_done_is_not_on_record(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str], token: Callable[..., str]
) -> None:
    path = f"/v1/branches/{branch_id}/notes"
    await http.post(path, json={"note_id": "n1", "about": "no such note"}, headers=manager)
    await http.post(path, json={"note_id": 1}, headers=manager)
    once = manager | {"Idempotency-Key": "k1"}
    for _ in range(3):
        await http.post(path, json={"note_id": "n2"}, headers=once)
    await http.get(path, headers=manager)

    found = await listed(http, branch_id, auditor(token, branch_id))

    assert [one["changes"][0]["added"]["note_id"] for one in found] == ["n2"]


async def test_requests_at_once_make_one_chain_without_gaps(
    kit: Any,
    http: httpx.AsyncClient,
    branch_id: int,
    manager: dict[str, str],
    token: Callable[..., str],
) -> None:
    path = f"/v1/branches/{branch_id}/notes"
    await asyncio.gather(
        *(http.post(path, json={"note_id": f"n{n}"}, headers=manager) for n in range(30))
    )

    found = await listed(http, branch_id, auditor(token, branch_id))

    assert [one["position"] for one in found] == list(range(30, 0, -1))
    assert await first_fault(kit.database, kit.audit_log, branch_id) is None


async def test_the_record_is_paged_and_sifted(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str], token: Callable[..., str]
) -> None:
    path = f"/v1/branches/{branch_id}/notes"
    for number in range(5):
        await http.post(path, json={"note_id": f"n{number}"}, headers=manager)
    await http.put(f"{path}/n1", json={"text": "done"}, headers=manager)
    headers = auditor(token, branch_id)
    address = f"/v1/branches/{branch_id}/audit-entries"

    page = (await http.get(address, headers=headers, params={"limit": 4})).json()
    rest = await http.get(address, headers=headers, params={"cursor": page["next_cursor"]})

    assert [one["position"] for one in page["items"]] == [6, 5, 4, 3]
    assert [one["position"] for one in rest.json()["items"]] == [2, 1]
    assert len(await listed(http, branch_id, headers, route="edit_note")) == 1
    assert len(await listed(http, branch_id, headers, subject="test:county_manager")) == 6
    assert await listed(http, branch_id, headers, subject="somebody else") == []
    third = page["items"][3]["at"]
    assert len(await listed(http, branch_id, headers, **{"from": third})) == 4
    assert len(await listed(http, branch_id, headers, until=third)) == 2


@pytest.mark.parametrize(
    ("role", "centres", "status"),
    [
        (Role.AUDITOR, None, 200),
        (Role.PROVINCE, None, 200),
        (Role.COUNTY_MANAGER, None, 200),
        (Role.COUNTY_MANAGER, ["C1"], 403),
        (Role.AUDITOR, ["C1"], 403),
        (Role.COUNTY_FINANCE, None, 403),
        (Role.CONTRACTOR, ["C1"], 403),
        (Role.ENGINEER, None, 403),
        (Role.SERVICE, None, 403),
    ],
)
async def test_only_who_answers_for_the_whole_branch_reads_the_record(
    http: httpx.AsyncClient,
    branch_id: int,
    token: Callable[..., str],
    role: Role,
    centres: list[str] | None,
    status: int,
) -> None:
    headers = {"Authorization": f"Bearer {token(role, branch_id, centres)}"}

    answer = await http.get(f"/v1/branches/{branch_id}/audit-entries", headers=headers)
    outside = await http.get("/v1/audit-entries", headers=headers)

    assert answer.status_code == status
    assert outside.status_code == 403


async def test_the_service_role_cannot_change_the_record(
    prepared: PreparedDatabase, branch_id: int
) -> None:
    url = prepared.url("contracts").replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url)
    for statement in (
        "UPDATE contracts.audit_entries SET subject = 'x'",
        "DELETE FROM contracts.audit_entries",
        "TRUNCATE contracts.audit_entries",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with engine.begin() as connection:
                await connection.execute(text(statement))
    await engine.dispose()


ENTRIES, EDITS = 40, 300
EDITED = {
    "at": "at + interval '1 microsecond'",
    "subject": "subject || 'x'",
    "roles": "roles || ARRAY['province']",
    "person_id": "coalesce(person_id, '') || 'x'",
    "token_id": "NULL",
    "client": "'10.0.0.1'",
    "trace_id": "'0'",
    "method": "'GET'",
    "route": "route || 'x'",
    "path": "path || '/x'",
    "query": "'a=1'",
    "reason": "coalesce(reason, '') || 'x'",
    "status": "status + 1",
    "changes": "changes || '[{}]'",
    "hash": "reverse(hash)",
}


async def chained(database: Database, branch_id: int, count: int) -> None:
    drawn = random.Random(branch_id)
    for number in range(count):
        origin = Origin(
            subject=f"S{drawn.randrange(9)}",
            roles=("county_manager",),
            person_id=drawn.choice([None, "P1"]),
            token_id="t1",
            client="203.0.113.9",
            trace_id="abc",
            method="POST",
            route="add",
            path=f"/v1/branches/{branch_id}/fields",
            query="",
        )
        changes = [{"table": "fields", "added": {"field_id": f"F{number}", "name_zh": "诸福屯"}}]
        entry = NewEntry(NOW, origin, 201, drawn.choice([None, "因为"]), changes)
        async with database.write(EVERYTHING) as connection:
            await of_contracts.append(connection, branch_id, [entry])


@pytest.fixture
async def contracts_database(prepared: PreparedDatabase) -> Any:
    database = Database(prepared.url("contracts"), service="contracts")
    yield database
    await database.close()


async def test_every_edit_of_an_entry_is_found_and_named(
    contracts_database: Database, branch_id: int, tamper: Tamper
) -> None:
    await chained(contracts_database, branch_id, ENTRIES)
    assert await first_fault(contracts_database, of_contracts, branch_id) is None
    drawn = random.Random(20171106)
    found = 0
    for _ in range(EDITS):
        position = drawn.randint(1, ENTRIES)
        column, value = drawn.choice(sorted(EDITED.items()))
        where = f"WHERE branch_id = {branch_id} AND position = {position}"
        await tamper(
            "CREATE TEMP TABLE kept ON COMMIT DROP AS"
            f" SELECT * FROM contracts.audit_entries {where}",
            f"CREATE TABLE public.kept_{branch_id} AS TABLE kept",
            f"UPDATE contracts.audit_entries SET {column} = {value} {where}",
        )
        fault = await first_fault(contracts_database, of_contracts, branch_id)
        found += fault is not None and fault.position == position
        await tamper(
            f"DELETE FROM contracts.audit_entries {where}",
            f"INSERT INTO contracts.audit_entries TABLE public.kept_{branch_id}",
            f"DROP TABLE public.kept_{branch_id}",
        )
    assert found == EDITS
    assert await first_fault(contracts_database, of_contracts, branch_id) is None


async def test_a_dropped_entry_is_named_and_a_cut_tail_shows_by_the_anchor(
    contracts_database: Database,
    branch_id: int,
    tamper: Tamper,
    settings_for: Callable[[str], dict[str, Any]],
    tmp_path: Path,
) -> None:
    await chained(contracts_database, branch_id, 8)
    file = tmp_path / "contracts.jsonl"
    settings = ServiceSettings(**settings_for("contracts") | {"anchor_file": file})
    await anchor(settings, contracts_database, of_contracts, clock=lambda: NOW)
    anchored = tuple(read(file.read_bytes()).heads()[branch_id])
    assert [one.position for one in anchored] == [8]
    cut = f"DELETE FROM contracts.audit_entries WHERE branch_id = {branch_id} AND position"

    await tamper(
        f"{cut} > 5",
        "UPDATE contracts.audit_heads h SET position = e.position, hash = e.hash"
        " FROM contracts.audit_entries e WHERE e.branch_id = h.branch_id AND e.position = 5"
        f" AND h.branch_id = {branch_id}",
    )
    unseen = await first_fault(contracts_database, of_contracts, branch_id)
    seen = await first_fault(contracts_database, of_contracts, branch_id, anchored)
    await tamper(f"{cut} = 3")
    dropped = await first_fault(contracts_database, of_contracts, branch_id, anchored)

    assert unseen is None
    assert seen is not None
    assert (seen.position, "the tail is cut" in seen.what) == (6, True)
    assert dropped is not None
    assert (dropped.position, dropped.what) == (3, "is missing")


async def test_refusals_are_logged_and_those_for_want_of_a_role_counted(
    http: httpx.AsyncClient,
    branch_id: int,
    token: Callable[..., str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    engineer = {"Authorization": f"Bearer {token(Role.ENGINEER, branch_id, person_id='P1')}"}
    path = f"/v1/branches/{branch_id}/notes"
    with caplog.at_level(logging.WARNING, logger="huaxiao.record"):
        for _ in range(2):
            await http.post(path, json={"note_id": "n1"}, headers=engineer)
        await http.get(f"/v1/branches/{branch_id + 1}/notes", headers=engineer)
        await http.get(path)
        await http.get(path, headers={"Authorization": "Bearer nonsense"})
    told = [json.loads(one.getMessage()) for one in caplog.records]

    assert [(one["status"], one["code"]) for one in told] == [
        (403, "forbidden"),
        (403, "forbidden"),
        (404, "not-found"),
    ]
    assert {one["subject"] for one in told} == {"test:engineer"}
    assert {one["person_id"] for one in told} == {"P1"}
    assert told[1]["times"] == told[0]["times"] + 1
    assert (told[2]["route"], told[2]["method"]) == ("list_notes", "GET")
