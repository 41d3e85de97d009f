import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from huaxiao.cli.suite import create_service, service_at_rest
from huaxiao.shared.auth import Role
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.provision import SERVICES
from tools import permissions

PUBLIC = {"/healthz", "/readyz", "/problems", "/problems/{code}"}
SIGNED = {"/v1/branches/{branch_id}/signed-sources/{source_id}/events"}
"""What is opened by a signature, and by no token."""
_MARKS = {"": 0, "◎": 1, "◐": 2, "●": 3}
"""How many of the three tokens are let through: of every branch, of the branch, of a centre."""
_LINE = re.compile(r"^\| `(\w+) (\S+)` \|(.*)\|$")


@asynccontextmanager
async def calling(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        yield client
    await app.state.database.close()


def written(project: Path, service: str) -> dict[tuple[str, str], dict[Role, str]]:
    """Read what the committed table says of a service: by operation, a mark for each role."""
    text = (project / "docs" / "permissions.md").read_text()
    section = text.split(f"\n## {service}\n")[1].split("\n## ")[0]
    found = {}
    for line in filter(None, map(_LINE.match, section.splitlines())):
        method, path, marks = line.groups()
        cells = [one.strip() for one in marks.split("|")]
        assert set(cells) <= _MARKS.keys()
        full = path.replace("…", "/v1/branches/{branch_id}")
        found[method, full] = dict(zip(Role, cells, strict=True))
    return found


def test_the_table_of_who_may_do_what_is_the_one_the_code_makes(project: Path) -> None:
    assert (project / "docs" / "permissions.md").read_text() == permissions.document(), (
        "run `make openapi`"
    )


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_names_the_roles_it_admits(service: str) -> None:
    operations = list(permissions.operations(service_at_rest(service)))

    assert len(operations) > len(PUBLIC)
    assert {one.path for one in operations if one.roles is None} == PUBLIC


@pytest.mark.parametrize("service", SERVICES)
async def test_every_role_is_let_through_to_what_the_table_says_and_to_nothing_else(
    service: str,
    project: Path,
    settings_for: Callable[[str], dict[str, Any]],
    token: Callable[..., str],
    issuer: Issuer,
    branch_id: int,
) -> None:
    """Ask every route as every role, with a token for all, for the branch and for a centre.

    Nothing that is named exists and bodies are empty, so who is let through gets no further than
    that; what the route itself says to those is for the tests of each slice.
    """
    table = written(project, service)
    app = create_service(service, settings_for(service))
    wrong = []
    asked = 0
    async with calling(app) as client:
        for (method, path), marks in table.items():
            if path in PUBLIC | SIGNED:
                continue
            url = re.sub(r"{\w+}", "X1", path.replace("{branch_id}", str(branch_id)))
            for role, mark in marks.items():
                tokens = (
                    issuer.token("test", roles=[role], branch_ids=None),
                    token(role, branch_id),
                    token(role, branch_id, ["C1"]),
                )
                for number, bearer in enumerate(tokens):
                    headers = {"Authorization": f"Bearer {bearer}"}
                    answer = await client.request(method, url, headers=headers)
                    refused = answer.status_code == httpx.codes.FORBIDDEN
                    failed = answer.status_code in {500, 503} or (refused and not answer.json())
                    if failed or refused != (number >= _MARKS[mark]):
                        wrong.append((method, path, role, number, answer.text))
                    asked += 1
    assert wrong == []
    assert asked == 3 * len(Role) * sum(path not in PUBLIC | SIGNED for _, path in table)


async def test_what_takes_a_signature_is_opened_by_no_token(
    settings_for: Callable[[str], dict[str, Any]], issuer: Issuer, branch_id: int
) -> None:
    app = create_service("attribution", settings_for("attribution"))
    async with calling(app) as client:
        for path in SIGNED:
            url = path.replace("{branch_id}", str(branch_id)).replace("{source_id}", "X1")
            for role in Role:
                bearer = issuer.token("test", roles=[role], branch_ids=None)
                headers = {"Authorization": f"Bearer {bearer}"}
                assert (await client.post(url, headers=headers)).status_code == 401


@pytest.mark.parametrize("spelling", ["{}.0", "+{}", " {}", "{} ", "1_{:05}", "０{}", "%2B{}"])
@pytest.mark.parametrize("service", SERVICES)
async def test_no_other_spelling_of_a_branch_opens_it_to_somebody_of_another(
    service: str,
    spelling: str,
    settings_for: Callable[[str], dict[str, Any]],
    token: Callable[..., str],
    branch_id: int,
) -> None:
    app = create_service(service, settings_for(service))
    branch = spelling.format(branch_id % 100_000 if "_" in spelling else branch_id)
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, branch_id + 500_000)}"}
    asked = 0

    async with calling(app) as client:
        for context in iter_route_contexts(app.routes):
            route = context.original_route
            if not isinstance(route, APIRoute) or "{branch_id}" not in context.path:
                continue
            path = context.path.replace("{branch_id}", branch)
            url = re.sub(r"{\w+}", "X1", path)
            for method in route.methods:
                answer = await client.request(method, url, headers=headers)
                assert answer.json()["code"] == "malformed", (method, url, answer.text)
                asked += 1

    assert asked
