"""How far a service's feed goes, and how far it has followed those of others."""

from typing import Annotated

from pydantic import Field

from huaxiao.shared.wire.base import Moment, Resource

Position = Annotated[int, Field(ge=0, lt=2**63, description="0 before the first entry")]


class FollowedFeed(Resource):
    """How far a peer's feed has been taken up."""

    source: Annotated[str, Field(examples=["/contracts"], description="as its entries name it")]
    position: Position
    """The last entry whose effect is stored."""
    followed_at: Moment | None
    """When that was; None is that nothing has been taken up."""


class FeedStanding(Resource):
    """How far a service's own feed goes in a branch, and how far it has followed its peers'.

    A lag is what the position of a peer is ahead of what was followed of it.
    """

    position: Position
    """The last entry of its own feed."""
    followed: list[FollowedFeed]
    """Every peer that it follows, by ``source``."""
