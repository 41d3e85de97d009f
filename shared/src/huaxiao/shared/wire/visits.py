"""Where and when somebody is: points on the map, and the windows that customers are promised."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer, model_validator

from huaxiao.shared.wire.base import Given, Moment

_MICRODEGREE = Decimal("0.000001")


def _to_microdegrees(degrees: Decimal) -> Decimal:
    return degrees.quantize(_MICRODEGREE, ROUND_HALF_UP)


_Degrees = [
    AfterValidator(_to_microdegrees),
    PlainSerializer(str, return_type=str, when_used="json"),
]
Latitude = Annotated[Decimal, Field(ge=-90, le=90, examples=["38.042800"]), *_Degrees]
"""Degrees north (WGS 84), kept to a millionth, some ten centimetres; a decimal string in JSON."""
Longitude = Annotated[Decimal, Field(ge=-180, le=180, examples=["114.514900"]), *_Degrees]
"""Degrees east, like ``Latitude``."""


CalendarMoment = Annotated[
    Moment,
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2100, 1, 1, tzinfo=UTC)),
]
"""A moment that a caller names, within the calendar that periods have."""


class Point(Given):
    """A place on the map."""

    latitude: Latitude
    longitude: Longitude


class Window(Given):
    """A span of time in which a visit begins; the end is not part of it."""

    opens_at: CalendarMoment
    closes_at: CalendarMoment

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> "Window":
        if self.opens_at >= self.closes_at:
            raise ValueError("a window opens before it closes")
        return self
