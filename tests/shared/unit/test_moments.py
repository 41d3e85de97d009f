"""A moment or a day is written out: no number passes for one."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from huaxiao.shared.wire.base import Day, Moment

NUMBERS = (
    0,
    0.5,
    1_509_494_400,
    True,
    "0.5",
    "1509494400",
    "20171101",
    " 7 ",
    "1e9",
    "-1e-5",
    "NaN",
)


@pytest.mark.parametrize("given", NUMBERS)
@pytest.mark.parametrize("kind", [Day, Moment])
def test_a_number_is_no_date(kind: Any, given: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(given)


def test_what_is_written_out_is_read() -> None:
    moment = datetime(2017, 11, 1, tzinfo=UTC)
    for given in ("2017-11-01T08:00:00+08:00", "2017-11-01T00:00:00Z", moment):
        assert TypeAdapter(Moment).validate_python(given) == moment
    for day in ("2017-11-01", date(2017, 11, 1)):
        assert TypeAdapter(Day).validate_python(day) == date(2017, 11, 1)
