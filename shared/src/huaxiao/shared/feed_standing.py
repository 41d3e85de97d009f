"""The route that says how far a feed goes and how far others' were followed, the same in every service."""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter
from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.shared import web
from huaxiao.shared.auth import COUNTY_READERS, Principal, allow
from huaxiao.shared.feed import Feed
from huaxiao.shared.identifiers import BranchId
from huaxiao.shared.problems import Forbidden
from huaxiao.shared.unit_of_work import ReadTx
from huaxiao.shared.wire.feed_standing import FeedStanding, FollowedFeed

CountyReader = Annotated[Principal, allow(*COUNTY_READERS)]


def router(
    feed: Feed, *, positions: Table | None = None, sources: Collection[str] = ()
) -> APIRouter:
    """Return the route of a service with this feed, which follows ``sources`` in ``positions``."""
    routes = web.router(tags=["feed"])

    @routes.get("/feed/standing", responses=web.problem_responses(Forbidden))
    async def get_feed_standing(
        branch_id: BranchId, connection: ReadTx, _: CountyReader
    ) -> FeedStanding:
        """Show how far this service's feed goes, and how far it has followed each of its peers'."""
        followed = [] if positions is None else await _followed(connection, positions, branch_id)
        known = {one.source: one for one in followed}
        return FeedStanding(
            position=await feed.head(connection, branch_id),
            followed=[
                known.get(one) or FollowedFeed(source=one, position=0, followed_at=None)
                for one in sorted(sources)
            ],
        )

    return routes


async def _followed(
    connection: AsyncConnection, positions: Table, branch_id: int
) -> list[FollowedFeed]:
    held = positions.c
    rows = await connection.execute(
        select(held.source, held.position, held.followed_at).where(held.branch_id == branch_id)
    )
    return [FollowedFeed.model_validate(dict(row)) for row in rows.mappings()]
