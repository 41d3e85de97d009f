"""Travel times of a router with OSRM's table service, over the roads as they are.

The service takes some hundred places at once (``--max-table-size``), so a county's table is asked
for in pieces.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Any

import httpx

from huaxiao.dispatch.domain.planning.model import Problem
from huaxiao.dispatch.domain.planning.travel import Place, Table

_AT_ONCE = 50
_TIMEOUT_SECONDS = 10.0
_NO_WAY = 24 * 60
"""Minutes, where there is no road."""


class RouterError(Exception):
    """The router did not answer, or not with a table."""


async def over_roads(
    problem: Problem, url: str, *, transport: httpx.AsyncBaseTransport | None = None
) -> Problem:
    """Return a problem with the travel times that a router knows; ``transport`` is for tests.

    Raises:
        RouterError: it could not tell.

    """
    places = sorted(
        {one.place for one in problem.orders}
        | {one.start for one in problem.engineers}
        | {one.home for one in problem.engineers if one.home is not None},
        key=lambda one: (one.id, one.latitude, one.longitude),
    )
    named = {one: Place(str(at), one.latitude, one.longitude) for at, one in enumerate(places)}
    rows = await _table(places, url, transport)
    return replace(
        problem,
        engineers=tuple(
            replace(one, start=named[one.start], home=None if one.home is None else named[one.home])
            for one in problem.engineers
        ),
        orders=tuple(replace(one, place=named[one.place]) for one in problem.orders),
        travel=Table(tuple(one.id for one in named.values()), rows),
    )


async def _table(
    places: Sequence[Place], url: str, transport: httpx.AsyncBaseTransport | None
) -> tuple[tuple[int, ...], ...]:
    rows: list[list[int]] = [[] for _ in places]
    async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, transport=transport) as client:
        pieces = [
            range(first, min(first + _AT_ONCE, len(places)))
            for first in range(0, len(places), _AT_ONCE)
        ]
        for origins in pieces:
            for destinations in pieces:
                piece = await _ask(client, url, places, origins, destinations)
                for origin, minutes in zip(origins, piece, strict=True):
                    rows[origin] += minutes
    return tuple(tuple(row) for row in rows)


async def _ask(
    client: httpx.AsyncClient,
    url: str,
    places: Sequence[Place],
    origins: Sequence[int],
    destinations: Sequence[int],
) -> list[list[int]]:
    wanted = sorted({*origins, *destinations})
    points = ";".join(f"{places[one].longitude},{places[one].latitude}" for one in wanted)
    number = {one: at for at, one in enumerate(wanted)}
    query = {
        "sources": ";".join(str(number[one]) for one in origins),
        "destinations": ";".join(str(number[one]) for one in destinations),
        "annotations": "duration",
    }
    try:
        answer = await client.get(f"{url.rstrip('/')}/{points}", params=query)
        answer.raise_for_status()
        durations = answer.json()["durations"]
        return [[_minutes(one) for one in row] for row in durations]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise RouterError(repr(error)) from error


def _minutes(seconds: Any) -> int:
    return _NO_WAY if seconds is None else ceil(float(seconds) / 60)
