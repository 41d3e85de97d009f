"""Answers of services that may be away: pages show the rest all the same."""

from collections.abc import Awaitable
from http import HTTPStatus
from typing import TypeVar

import httpx

from huaxiao.shared.clients.base import PeerProblem

Answer = TypeVar("Answer")
_NOTHING = {HTTPStatus.NOT_FOUND}


async def answer_of(asked: Awaitable[Answer]) -> Answer | None:
    """Return what a service answers; None where it cannot be reached, is not able to, or knows nothing.

    Raises:
        PeerProblem: it answers that this may not be asked.

    """
    try:
        return await asked
    except httpx.TransportError:
        return None
    except PeerProblem as problem:
        if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR or problem.status in _NOTHING:
            return None
        raise
