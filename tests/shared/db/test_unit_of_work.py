import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Send
from starlette.types import Scope as Asked

from huaxiao.shared.personal import forget_answers
from huaxiao.shared.rows import Scope


async def test_the_commit_comes_before_the_response(
    kit: Any, branch_id: int, manager: dict[str, str]
) -> None:
    seen_at_start: list[list[str]] = []

    async def watched(scope: Asked, receive: Receive, send: Send) -> None:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["method"] == "POST":
                async with kit.database.engine.connect() as other:
                    rows = await other.exec_driver_sql(
                        f"SELECT note_id FROM kit.notes WHERE branch_id = {branch_id}"
                    )
                    seen_at_start.append([row.note_id for row in rows])
            await send(message)

        await kit.app(scope, receive, noting)

    transport = httpx.ASGITransport(app=watched)
    async with httpx.AsyncClient(transport=transport, base_url="http://kit") as client:
        response = await client.post(
            f"/v1/branches/{branch_id}/notes", json={"note_id": "n1"}, headers=manager
        )

    assert response.status_code == 201
    assert seen_at_start == [["n1"]]


async def test_a_failed_commit_is_not_a_201(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str]
) -> None:
    dangling = {"note_id": "n1", "about": "no such note"}

    response = await http.post(f"/v1/branches/{branch_id}/notes", json=dangling, headers=manager)

    assert response.status_code == 500
    assert response.json()["code"] == "unexpected"
    listed = await http.get(f"/v1/branches/{branch_id}/notes", headers=manager)
    assert listed.json() == []


async def test_what_nobody_expected_tells_its_trace_and_nothing_of_the_inside(
    http: httpx.AsyncClient,
    branch_id: int,
    manager: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    dangling = {"note_id": "n1", "about": "no such note"}

    response = await http.post(f"/v1/branches/{branch_id}/notes", json=dangling, headers=manager)

    told = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert told.keys() == {"type", "title", "status", "code", "detail", "instance"}
    inside = ("Traceback", "Error", "asyncpg", "sqlalchemy", "notes", "constraint", ".py", "such")
    assert [word for word in inside if word in response.text] == []
    # Who looks after the service finds all of it by the trace.
    assert told["instance"] in caplog.text
    assert "foreign key" in caplog.text
    # But no value of a row, which might be a person's.
    assert "no such note" not in caplog.text
    assert "DETAIL" not in caplog.text


async def test_an_idempotency_key_gets_the_first_answer_again(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str]
) -> None:
    headers = manager | {"Idempotency-Key": "k1"}
    path = f"/v1/branches/{branch_id}/notes"

    answers = await asyncio.gather(
        *(http.post(path, json={"note_id": "n1"}, headers=headers) for _ in range(8))
    )

    assert {answer.status_code for answer in answers} == {201}
    replayed = [answer for answer in answers if answer.headers.get("idempotent-replayed")]
    assert len(replayed) == 7


async def test_the_same_key_with_another_body_is_refused(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str]
) -> None:
    headers = manager | {"Idempotency-Key": "k1"}
    path = f"/v1/branches/{branch_id}/notes"
    await http.post(path, json={"note_id": "n1"}, headers=headers)

    response = await http.post(path, json={"note_id": "n2"}, headers=headers)

    assert response.status_code == 422
    assert response.json()["code"] == "idempotency-key-reused"


async def test_a_refused_request_leaves_its_key_free(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str]
) -> None:
    headers = manager | {"Idempotency-Key": "k1"}
    path = f"/v1/branches/{branch_id}/notes"
    refused = await http.post(path, json={"note_id": 1}, headers=headers)

    accepted = await http.post(path, json={"note_id": "n1"}, headers=headers)

    assert (refused.status_code, accepted.status_code) == (422, 201)


async def test_a_key_is_known_when_its_answer_is_forgotten(
    kit: Any, http: httpx.AsyncClient, branch_id: int, manager: dict[str, str]
) -> None:
    headers = manager | {"Idempotency-Key": "k1"}
    path = f"/v1/branches/{branch_id}/notes"
    await http.post(path, json={"note_id": "n1"}, headers=headers)
    forget = forget_answers(kit.audit_log, kit.app.state.idempotency_keys, 30)

    async def forgotten_in(days: int) -> int:
        async with kit.database.write(Scope.of_branch(branch_id)) as connection:
            return await forget(connection, branch_id, datetime.now(UTC) + timedelta(days=days))

    counts = [await forgotten_in(29)]
    kept = await http.post(path, json={"note_id": "n1"}, headers=headers)
    counts += [await forgotten_in(31), await forgotten_in(31)]
    again = await http.post(path, json={"note_id": "n1"}, headers=headers)
    other = await http.post(path, json={"note_id": "n2"}, headers=headers)
    listed = await http.get(path, headers=manager)

    assert counts == [0, 1, 0]
    assert kept.status_code == 201
    # It is not done again, and the caller is told that it was done.
    assert (again.status_code, again.json()["code"]) == (422, "answer-forgotten")
    assert other.json()["code"] == "idempotency-key-reused"
    assert listed.json() == ["n1"]


async def test_an_answer_without_a_body_is_never_forgotten(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str]
) -> None:
    path = f"/v1/branches/{branch_id}/notes"
    await http.post(path, json={"note_id": "n1"}, headers=manager)
    headers = manager | {"Idempotency-Key": "k2"}

    answers = [await http.delete(f"{path}/n1", headers=headers) for _ in range(2)]

    assert [one.status_code for one in answers] == [204, 204]


@pytest.mark.parametrize(
    ("code", "said", "undone"),
    [
        ("40001", "could not serialize access", True),
        ("40P01", "deadlock detected", True),
        ("XX000", "could not commit transaction for shard 102008 on any active node", True),
        ("XX000", "something else", False),
    ],
)
async def test_a_transaction_that_the_database_undid_is_tried_again(
    kit: Any,
    http: httpx.AsyncClient,
    branch_id: int,
    manager: dict[str, str],
    tamper: Callable[..., Awaitable[None]],
    *,
    code: str,
    said: str,
    undone: bool,
) -> None:
    """It fails when it is committed, once: a sequence is not taken back with it."""
    name = f"fails_once_{branch_id}"
    await tamper(
        f"CREATE SEQUENCE kit.{name}",
        f"GRANT USAGE ON SEQUENCE kit.{name} TO PUBLIC",
        f"""CREATE FUNCTION kit.{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('kit.{name}') = 1 THEN
                RAISE EXCEPTION '{said}' USING ERRCODE = '{code}';
            END IF;
            RETURN NULL;
        END $$""",
        f"CREATE CONSTRAINT TRIGGER {name} AFTER INSERT ON kit.notes DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW WHEN (NEW.branch_id = {branch_id}) EXECUTE FUNCTION kit.{name}()",
    )
    try:
        response = await http.post(
            f"/v1/branches/{branch_id}/notes", json={"note_id": "n1"}, headers=manager
        )
    finally:
        await tamper(f"DROP TRIGGER {name} ON kit.notes", f"DROP FUNCTION kit.{name}()")

    assert response.status_code == (201 if undone else 500)
