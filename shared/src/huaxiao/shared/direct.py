"""Direct routes: what is asked a thousand times a second is served without the framework's injection.

A ``DirectRoute`` is written, documented and tested like any other. It takes its request and its
caller, and nothing else, so there is nothing to inject; a request for it that bears no query is
handed to its endpoint by the same functions that injection would have called, in the same order.
Asking the framework to do so costs several times what taking in an event does.
"""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from huaxiao.shared.asgi import path_of
from huaxiao.shared.auth import admitted, checks_of

Endpoint = Callable[[Request, Any], Awaitable[Response]]


class DirectRoute(APIRoute):
    """A route whose endpoint takes ``(request, principal)`` and makes its response itself.

    It opens what transactions it needs, and commits them before it answers.
    """


def put_first(app: FastAPI) -> None:
    """Let an app look for its direct routes before all others.

    Raises:
        TypeError: one of them takes more than its request and its caller, or has no limit of length.

    """
    found = [
        _Direct(context.original_route, path=context.path or "")
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, DirectRoute)
    ]
    app.router.routes[:0] = found


class _Direct(BaseRoute):
    """A direct route as the router finds it."""

    def __init__(self, route: DirectRoute, *, path: str) -> None:
        dependant = route.dependant
        most = route.max_body_size
        asked = (
            *(dependant.path_params, dependant.query_params, dependant.header_params),
            *(dependant.cookie_params, dependant.body_params),
        )
        checks = list(checks_of(dependant))
        if any(asked) or dependant.request_param_name is None or len(checks) != 1 or most is None:
            raise TypeError(f"{path} takes more than a request and its caller, or any length")
        self.path_format = path
        self._route, self._check = route, checks[0]
        self._endpoint = cast("Endpoint", dependant.call)
        self._found = {"endpoint": route.endpoint, "path_params": {}, "route": route}
        self._serve = RequestBodyLimitMiddleware(self._answer, max_body_size=most)

    @override
    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if (
            scope["type"] == "http"
            and path_of(scope) == self.path_format
            and scope["method"] in (self._route.methods or ())
            and not scope["query_string"]
        ):
            return Match.FULL, self._found
        return Match.NONE, {}

    @override
    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._serve(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        response = await self._endpoint(request, await admitted(request, self._check))
        await response(scope, receive, send)
