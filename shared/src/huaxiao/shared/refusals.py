"""Refusals on the log and in the metrics: who asked for what is not theirs, and how often."""

import logging
from collections import Counter

from fastapi import Request

from huaxiao.shared.audit.origins import origin_of
from huaxiao.shared.auth import OutOfScope, Principal
from huaxiao.shared.problems import Forbidden, NotFound, Problem, Unauthenticated
from huaxiao.shared.structured import tell

FORBIDDEN: Counter[tuple[str, str, str]] = Counter()
"""How often this process has answered 403, by service, subject and route."""
DENIED: Counter[tuple[str, int, str]] = Counter()
"""How often this process has answered 401 and 403, by service, status and route."""
_KEPT = 10_000
"""Callers and routes that are counted apart; whoever comes after that is counted together."""
_OTHERS = ("", "", "")


def note(request: Request, problem: Problem) -> None:
    """Log a refusal of a caller who is known; count those for want of a role.

    What lies outside a caller's scope is answered as not found, and so is what does not exist: of
    callers who are bound to some centres every such answer is logged, since it may be either.
    """
    route = request.scope.get("route")
    if isinstance(problem, Unauthenticated | Forbidden) and route is not None:
        DENIED[request.app.state.service, int(problem.status), route.name] += 1
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None or route is None:
        return
    bound = principal.centre_ids is not None and isinstance(problem, NotFound)
    if not (bound or isinstance(problem, Forbidden | OutOfScope)):
        return
    origin = origin_of(request)
    times = {}
    if isinstance(problem, Forbidden):
        key = (request.app.state.service, origin.subject, origin.route)
        if key not in FORBIDDEN and len(FORBIDDEN) >= _KEPT:
            key = _OTHERS
        FORBIDDEN[key] += 1
        times = {"times": FORBIDDEN[key]}
    tell(
        logging.WARNING,
        "refused",
        service=request.app.state.service,
        status=int(problem.status),
        code=problem.code,
        subject=origin.subject,
        roles=origin.roles,
        person_id=origin.person_id,
        client=origin.client,
        trace_id=origin.trace_id,
        method=origin.method,
        route=origin.route,
        path=origin.path,
        **times,
    )
