import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from huaxiao.cli.suite import create_service
from huaxiao.shared.auth import Role
from huaxiao.shared.provision import SERVICES

PUBLIC = {"/healthz", "/readyz", "/problems", "/problems/{code}"}


def names_roles(dependant: Dependant) -> bool:
    return hasattr(dependant.call, "allowed_roles") or any(
        names_roles(inner) for inner in dependant.dependencies
    )


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_names_the_roles_it_admits(
    service: str, settings_for: Callable[[str], dict[str, Any]]
) -> None:
    app = create_service(service, settings_for(service))
    contexts = [
        one for one in iter_route_contexts(app.routes) if isinstance(one.original_route, APIRoute)
    ]

    open_routes = {one.path for one in contexts if not names_roles(one.dependant)}

    assert len(contexts) > len(PUBLIC)
    assert open_routes == PUBLIC


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
    transport = httpx.ASGITransport(app=app)
    asked = 0

    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
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
    await app.state.database.close()

    assert asked
