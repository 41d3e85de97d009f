"""The base of every JSON resource, and the types its fields share."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    field_validator,
)
from pydantic_core import PydanticCustomError

from huaxiao.shared.masking import masked_texts
from huaxiao.shared.money import MAX_AMOUNT_FEN
from huaxiao.shared.periods import as_period

_FREE_TEXT = (
    *("reason", "reason_zh", "reasons", "note", "text", "text_zh", "why", "title", "about_zh"),
    *("answer", "detail", "detail_zh", "message", "message_zh", "references", "evidence_zh"),
    *("story", "story_zh", "failure", "withdrawn_because", "approved_reason", "attributes"),
)
"""Members in which people write what they like."""


class _WithoutNumbers(BaseModel):
    """Free texts hold no mobile or identity number: neither as they come in nor as they go out.

    So none lies in what can only be appended to, however long it is kept. Where somebody needs a
    number there is a member for it, which is shown by a call of its own (``wire/personal.py``).
    """

    @field_validator(*_FREE_TEXT, mode="after", check_fields=False)
    @classmethod
    def _without_numbers(cls, value: Any) -> Any:
        return masked_texts(value)


class Given(_WithoutNumbers):
    """What a caller sends: an unknown field is an error, not a typo that passes."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)


class Resource(_WithoutNumbers):
    """What a service answers: readers pass over fields they do not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Fact(_WithoutNumbers):
    """The data of one feed entry: additive changes only; a new meaning is a new type."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def _utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("this moment lies beyond the calendar in UTC") from error


def _written_out(given: object) -> object:
    """Refuse a number where a date is asked for: pydantic would count it in seconds since 1970."""
    if isinstance(given, date):
        return given
    try:
        float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return given
    # The code by which pydantic refuses the numbers that it does not count to midnight.
    raise PydanticCustomError(
        "date_from_datetime_inexact", "a date is written out, not counted in seconds"
    )


WRITTEN_OUT = BeforeValidator(_written_out)
AmountFen = Annotated[
    int,
    Field(strict=True, ge=-MAX_AMOUNT_FEN, le=MAX_AMOUNT_FEN, description="金额，单位：分"),
]
SumFen = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63, description="金额合计，单位：分")]
"""A sum of amounts: it may pass the bound of a single one."""
Count = Annotated[int, Field(strict=True, ge=0, le=10**9)]
PeriodNumber = Annotated[
    int, AfterValidator(as_period), Field(strict=True, examples=[201711], description="账期 YYYYMM")
]
PeriodText = Annotated[
    int, AfterValidator(as_period), Field(examples=[201711], description="账期 YYYYMM")
]
"""A period in a path or query, where the digits are not a JSON number."""
Moment = Annotated[AwareDatetime, AfterValidator(_utc), WRITTEN_OUT]
Day = Annotated[
    date,
    Field(ge=date(2000, 1, 1), le=date(2099, 12, 31), examples=["2017-11-01"], description="日期"),
    WRITTEN_OUT,
]
"""A business day that a caller names, within the calendar that periods have."""
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""SHA-256, in hex."""
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Ratio = Annotated[
    Decimal, PlainSerializer(str, return_type=str, when_used="json"), Field(examples=["0.8240"])
]
"""A ratio: a decimal string in JSON, exact as computed, rounded only for display."""
