import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from huaxiao.cli.suite import service_at_rest
from huaxiao.shared.provision import SERVICES


def called(dependant: Dependant) -> Iterator[Callable[..., Any]]:
    if dependant.call is not None:
        yield dependant.call
    for one in dependant.dependencies:
        yield from called(one)


def awaited(call: Callable[..., Any]) -> bool:
    whatever = call, type(call).__call__
    return any(
        inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one) for one in whatever
    )


@pytest.mark.parametrize("service", SERVICES)
def test_no_route_waits_for_a_thread(service: str) -> None:
    """What is not awaited is given to a thread: dearer than most of what our dependencies do."""
    routes = [
        context
        for context in iter_route_contexts(service_at_rest(service).routes)
        if isinstance(context.original_route, APIRoute)
    ]
    in_threads = {
        (one.path, call.__qualname__)
        for one in routes
        for call in called(one.dependant)
        if not awaited(call)
    }

    assert routes
    assert in_threads == set()
