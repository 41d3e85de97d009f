from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from huaxiao.cli.suite import TOKEN_ISSUER
from huaxiao.shared.auth import Role
from huaxiao.shared.issuer import Issuer, new_private_jwk


@pytest.mark.parametrize("amount", [1.5, True, "5", 10**30, None])
async def test_money_is_a_whole_number_of_fen_or_refused(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str], amount: object
) -> None:
    body = {"note_id": "n", "amount_fen": amount}

    response = await http.post(f"/v1/branches/{branch_id}/notes", json=body, headers=manager)

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["errors"][0]["pointer"] == "/amount_fen"


async def test_an_unknown_field_is_named(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str]
) -> None:
    body = {"note_id": "n", "amuont_fen": 1}

    response = await http.post(f"/v1/branches/{branch_id}/notes", json=body, headers=manager)

    assert response.json()["errors"][0]["code"] == "extra-forbidden"


async def test_a_query_parameter_that_a_route_does_not_have_is_named(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str]
) -> None:
    path = f"/v1/branches/{branch_id}/notes?about=n&limti=5"

    response = await http.get(path, headers=manager)

    assert (response.status_code, response.json()["code"]) == (422, "malformed")
    pointers = [one["pointer"] for one in response.json()["errors"]]
    assert pointers == ["/query/about", "/query/limti"]
    assert (await http.get(path)).status_code == 401


async def test_a_problem_is_told_in_the_readers_language(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str]
) -> None:
    path = f"/v1/branches/{branch_id}/notes"

    chinese = await http.post(path, json={}, headers=manager | {"Accept-Language": "zh-CN"})

    assert chinese.json()["title"] == "请求格式不符合要求"
    assert chinese.headers["content-language"] == "zh-CN"


async def test_an_address_that_there_is_none_of_is_told_in_the_readers_language(
    http: httpx.AsyncClient,
) -> None:
    answers = [await http.get("/nowhere", headers={"Accept-Language": one}) for one in ("en", "zh")]

    assert [one.status_code for one in answers] == [404, 404]
    assert [one.json()["title"] for one in answers] == ["Not Found", "没有这个地址"]


async def test_another_branch_is_not_found(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str]
) -> None:
    response = await http.get(f"/v1/branches/{branch_id + 1}/notes", headers=manager)

    assert response.status_code == 404


async def test_another_role_is_forbidden(
    http: httpx.AsyncClient, branch_id: int, token: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.ENGINEER, branch_id)}"}

    response = await http.get(f"/v1/branches/{branch_id}/notes", headers=headers)

    assert response.status_code == 403


def _foreign(branch_id: int) -> str:
    stranger = Issuer(new_private_jwk(), issuer=TOKEN_ISSUER)
    return stranger.token("x", roles=[Role.COUNTY_MANAGER], branch_ids=[branch_id])


async def test_tokens_that_do_not_hold_are_refused_alike(
    http: httpx.AsyncClient, branch_id: int, issuer: Issuer
) -> None:
    def made(**changed: Any) -> str:
        return issuer.token("x", roles=[Role.COUNTY_MANAGER], branch_ids=[branch_id], **changed)

    good = made()
    bad = [
        "",
        "garbage",
        good[:-4] + "AAAA",
        good.rsplit(".", 1)[0] + ".",
        _foreign(branch_id),
        made(lifetime=timedelta(hours=-1)),
        made(audience="contracts"),
    ]
    for token in bad:
        headers = {"Authorization": f"Bearer {token}"}
        response = await http.get(f"/v1/branches/{branch_id}/notes", headers=headers)
        assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")


async def test_the_probes_answer_without_a_token(http: httpx.AsyncClient) -> None:
    assert (await http.get("/healthz")).json() == {"status": "ok"}
    assert (await http.get("/readyz")).json()["status"] == "ready"


async def test_a_problems_type_leads_to_its_description(http: httpx.AsyncClient) -> None:
    described = await http.get("/problems/unauthenticated")

    assert described.json()["status"] == 401


async def test_the_callers_trace_goes_on(http: httpx.AsyncClient) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"}

    response = await http.get("/healthz", headers=headers)

    assert response.headers["traceparent"].split("-")[1] == trace_id


async def test_a_body_beyond_the_limit_is_refused_while_it_arrives(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str]
) -> None:
    async def endless() -> Any:
        for _ in range(64):
            yield b" " * 1024 * 1024

    response = await http.post(
        f"/v1/branches/{branch_id}/notes", content=endless(), headers=manager
    )

    assert (response.status_code, response.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize("body", [b"\xff\xfe", b"{", b"\x00"])
async def test_a_body_that_is_no_json_is_refused_as_any_other_fault(
    http: httpx.AsyncClient, branch_id: int, manager: dict[str, str], body: bytes
) -> None:
    headers = manager | {"Content-Type": "application/json"}

    response = await http.post(f"/v1/branches/{branch_id}/notes", content=body, headers=headers)

    assert (response.status_code, response.json()["code"]) == (422, "malformed")
    assert response.json()["errors"][0]["code"] == "json-invalid"
