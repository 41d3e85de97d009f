"""How a feed's entries are described in OpenAPI, which is made of pydantic models."""

from typing import Any, Literal

from huaxiao.shared.wire.base import Moment, Resource


class FeedEntry(Resource):
    """One fact, at its place in a branch's feed. ``id`` is the place, as a string of digits."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: Moment
    branchid: int
    traceparent: str | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any]
