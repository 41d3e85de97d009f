from collections.abc import Callable
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from huaxiao.cli.suite import create_service
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
