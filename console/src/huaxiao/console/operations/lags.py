"""How far each service is behind those that it follows."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from huaxiao.console.answering import answer_of
from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.wire.feed_standing import FeedStanding


@dataclass(frozen=True, slots=True)
class Lag:
    """What a service has yet to take up of one that it follows."""

    follower: str
    source: str
    """Both by name, as ``contracts``."""
    followed: int
    """The last entry taken up."""
    followed_at: datetime | None
    behind: int | None
    """How many entries were told since; None where the source does not answer."""
    waiting_since: datetime | None = None
    """When the first of these became true; None where there is none, or it may not be read."""


def lags(standings: Mapping[str, FeedStanding]) -> list[Lag]:
    """Return how far each service that answered is behind each that it follows.

    The answers are a moment apart: whoever is ahead of what was seen of its source is not behind.
    """
    found = []
    for follower, standing in standings.items():
        for one in standing.followed:
            source = one.source.removeprefix("/")
            told = standings.get(source)
            behind = None if told is None else max(0, told.position - one.position)
            found.append(Lag(follower, source, one.position, one.followed_at, behind))
    return found


async def ask(
    services: Mapping[str, ServiceClient], branch_id: int, *, reads_feeds: bool
) -> list[Lag]:
    """Ask services how far they have come, and since when those that are behind are."""
    told = await asyncio.gather(
        *(answer_of(one.feed_standing(branch_id)) for one in services.values())
    )
    found = lags({name: one for name, one in zip(services, told, strict=True) if one is not None})
    if not reads_feeds:
        return found
    return list(await asyncio.gather(*(_dated(services, branch_id, one) for one in found)))


async def _dated(services: Mapping[str, ServiceClient], branch_id: int, lag: Lag) -> Lag:
    if not lag.behind:
        return lag
    feed = services[lag.source].feed(branch_id, after=lag.followed, limit=1)
    entries = await answer_of(feed)
    return replace(lag, waiting_since=entries[0].time) if entries else lag
