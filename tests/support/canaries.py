"""Personal data that nobody has: put in everywhere, and looked for in all that comes out."""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from huaxiao.shared.auth import Role

PHONE, IDENTITY, NAME = "13987650421", "130123197703052314", "欧阳金雀"
HOME = "130123100201777301"
"""An address of 18 digits: a flat in a village."""
NOTE = f"{NAME}，电话{PHONE}，身份证{IDENTITY}"
"""What people write who think of nothing."""
CANARIES = (PHONE, IDENTITY, NAME, HOME)
_READERS = (Role.COUNTY_MANAGER, Role.AUDITOR, Role.SUPPORT_CENTRE, Role.PROVINCE, Role.SERVICE)


def texts(content: bytes) -> str:
    """Return what an answer says, what is packed in it as well."""
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return "\n".join(packed.read(one).decode(errors="replace") for one in packed.namelist())
    return content.decode(errors="replace")


def found_in(text: str) -> list[str]:
    return [one for one in CANARIES if one in text]


async def what_everybody_reads(
    app: FastAPI,
    http: httpx.AsyncClient,
    token: Callable[..., str],
    branch_id: int,
    known: Mapping[str, str],
) -> list[tuple[str, int, str]]:
    """Read every route that is read, as everybody who reads for the branch; answers as text."""
    answers = []
    names: dict[str, Any] = {"branch_id": branch_id} | dict(known)
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or "GET" not in (route.methods or ()):
            continue
        url = re.sub(r"{(\w+)}", lambda one: str(names.get(one[1], "X1")), context.path or "")
        for role in _READERS:
            headers = {"Authorization": f"Bearer {token(role, branch_id)}"}
            answer = await http.get(url, headers=headers)
            answers.append((url, answer.status_code, texts(answer.content)))
    return answers
