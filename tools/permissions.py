"""Write who may do what, from the code: ``python tools/permissions.py``."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from huaxiao.cli.suite import service_at_rest
from huaxiao.shared.auth import Reach, Role, checks_of
from huaxiao.shared.provision import SERVICES

WRITTEN = Path(__file__).parents[1] / "docs" / "permissions.md"
_HEAD = """# Who may do what

Written by `make openapi` from the code; `tests/suite/test_permissions.py` tries every line with every role.
● may, ◐ may with a token that is bound to no centre, ◎ with one that is bound to no branch either, and what
has no mark is refused (403). What a caller may see of what it asks is a second question: a token that is
bound to centres sees those, an engineer's what is theirs, and anything else is not found (404).
A route without any mark takes a signature and no token (401).
"""
_MARKS = {Reach.ANY: "●", Reach.WHOLE_BRANCH: "◐", Reach.EVERY_BRANCH: "◎"}


@dataclass(frozen=True)
class Operation:
    """What a service can be asked, and by whom; ``roles`` is None where no token is needed."""

    method: str
    path: str
    roles: frozenset[Role] | None
    reach: Reach


def operations(app: FastAPI) -> Iterator[Operation]:
    """Yield every operation of a service."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute):
            continue
        checks = list(checks_of(context.dependant))
        roles = frozenset.intersection(*(one.allowed_roles for one in checks)) if checks else None
        reach = max((one.reach for one in checks), key=list(Reach).index, default=Reach.ANY)
        for method in sorted(route.methods or ()):
            yield Operation(method, context.path or "", roles, reach)


def table(service: str, app: FastAPI) -> str:
    """Return a service's operations as a table of roles."""
    lines = [
        f"\n## {service}\n",
        "| | " + " | ".join(role.replace("_", " ") for role in Role) + " |",
        "| --- |" + " :-: |" * len(Role),
    ]
    for one in sorted(operations(app), key=lambda one: (one.path, one.method)):
        mark = _MARKS[one.reach]
        marks = [mark if one.roles is None or role in one.roles else "" for role in Role]
        shown = one.path.replace("/v1/branches/{branch_id}", "…")
        lines.append(f"| `{one.method} {shown}` | " + " | ".join(marks) + " |")
    return "\n".join(lines) + "\n"


def document() -> str:
    """Return the whole document; no database is touched."""
    return _HEAD + "".join(table(one, service_at_rest(one)) for one in SERVICES)


if __name__ == "__main__":
    WRITTEN.write_text(document())
