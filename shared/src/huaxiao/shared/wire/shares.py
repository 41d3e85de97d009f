"""The operating company and its share register (员工持股, R6)."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Day, Fact, Given, Moment, Name, Ratio, Resource
from huaxiao.shared.wire.terms import NotNegativeFen

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = [3**place % 31 for place in range(17)]


def _credit_code(value: str) -> str:
    """Check a unified social credit code by its last character (GB 32100-2015)."""
    total = sum(_ALPHABET.index(one) * weight for one, weight in zip(value, _WEIGHTS, strict=False))
    if _ALPHABET[(31 - total % 31) % 31] != value[-1]:
        raise PydanticCustomError(
            "credit_code_check",
            "the last character of {code} does not fit the others",
            {"code": value},
        )
    return value


CreditCode = Annotated[
    str,
    Field(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$", examples=["91350100M000100Y43"]),
    AfterValidator(_credit_code),
]
Shares = Annotated[int, Field(strict=True, gt=0, le=10**12)]
HeldShares = Annotated[int, Field(strict=True, ge=0, le=10**12)]
Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


class CompanyIn(Given):
    """The operating company of a branch as it is registered."""

    name_zh: Name
    credit_code: CreditCode
    authorised_shares: Shares
    """No more may be issued."""


class Company(CompanyIn):
    """The operating company of a branch."""

    model_config = Resource.model_config


class ShareMovementKind(StrEnum):
    """How shares move: each time between two sides, one of which may be the company."""

    ISSUE = "issue"  # 增发
    TRANSFER = "transfer"  # 转让
    BUY_BACK = "buy_back"  # 回购
    CORRECTION = "correction"  # 更正


class ShareMovementIn(Given):
    """Shares that move; ``from_person`` or ``to_person`` is null where that side is the company."""

    kind: ShareMovementKind
    day: Day
    from_person: Identifier | None = None
    to_person: Identifier | None = None
    shares: Shares
    price_fen: NotNegativeFen
    """For all of them."""
    reason: Text
    corrects: Annotated[int, Field(strict=True, ge=1)] | None = None
    """Of a correction: the number of the movement it mirrors."""


class ShareMovement(ShareMovementIn):
    """A movement of the register; none is ever changed."""

    model_config = Resource.model_config

    number: Count
    """Counts from 1 without gaps."""
    recorded_by: str
    recorded_at: Moment


class Holding(Resource):
    """What somebody holds on a day."""

    person_id: Identifier
    shares: HeldShares
    fraction: Ratio
    """Of all issued shares, at six decimals; the fractions of the table add up to 1."""
    works_here: bool


class CapTable(Resource):
    """Who holds the company on a day (R6)."""

    on: date
    authorised_shares: HeldShares
    issued_shares: HeldShares
    holdings: list[Holding]
    everybody_holds: bool
    """Every own employee of that day holds shares."""
    without_shares: list[Identifier]
    """Own employees who hold none."""
    to_buy_back: list[Identifier]
    """Holders who do not work here any more."""


SHARES_MOVED = "contracts.shares.moved"


class SharesMoved(Fact):
    """The share register has another line."""

    movement: ShareMovement
