"""An entry of a feed: a CloudEvent (1.0) in the HTTP Feeds form.

It is a msgspec struct, not a pydantic model: who catches up with a peer reads a million of them.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

FEED_MEDIA_TYPE = "application/cloudevents-batch+json"


class FeedEntry(Struct, frozen=True, kw_only=True):
    """One fact, at its place in a branch's feed. ``id`` is the place, as a string of digits."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: Annotated[datetime, Meta(tz=True)]
    branchid: int
    traceparent: str | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any]

    @property
    def position(self) -> int:
        """The entry's place in its branch's feed: 1, 2, 3 …, without a gap."""
        return int(self.id)
