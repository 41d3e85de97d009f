"""Answers of services that may be away: the page of operations shows the others all the same."""

from collections.abc import Awaitable
from http import HTTPStatus
from typing import TypeVar

import httpx

from huaxiao.shared.clients.base import PeerProblem

Answer = TypeVar("Answer")


async def answer_of(asked: Awaitable[Answer]) -> Answer | None:
    """Return what a service answers; None where it cannot be reached or is not able to.

    Raises:
        PeerProblem: it answers that this may not be asked.

    """
    try:
        return await asked
    except httpx.TransportError:
        return None
    except PeerProblem as problem:
        if problem.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        return None
