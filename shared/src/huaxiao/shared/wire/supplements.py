"""What happens to a signed contract: numbered supplements, and an end before its term (R1, R7)."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Day, Digest, Fact, Given, Moment, PeriodNumber, Resource
from huaxiao.shared.wire.settlement import Side, Text
from huaxiao.shared.wire.terms import ContractTerms, OrderFee, Parties


class SupplementIn(Given):
    """A supplement (补充协议): other terms or other parties from a period on."""

    effective_from: PeriodNumber
    reason: Text
    terms: ContractTerms | None = None
    parties: Parties | None = None
    field_ids: Any | None = Field(default=None, description="never: the fields are sealed (R21)")
    base: Any | None = Field(default=None, description="never: the base is sealed (R21)")
    term_from: Any | None = Field(default=None, description="never: the term is sealed (R21)")
    term_to: Any | None = Field(default=None, description="never: the term is sealed (R21)")


class SupplementSignature(Resource):
    """A side's signature under a supplement."""

    side: Side
    signed_by: str
    signed_at: Moment


class Supplement(Resource):
    """A supplement; it binds once both sides have signed the same digest."""

    contract_id: Identifier
    number: Count
    effective_from: PeriodNumber
    reason: str
    terms: ContractTerms | None
    parties: Parties | None
    digest: str
    drafted_by: str
    drafted_at: Moment
    signatures: list[SupplementSignature]
    binding: bool


class SignatureIn(Given):
    """What a side signs, so that nobody signs what they have not read."""

    digest: Digest


class ExitGround(StrEnum):
    """Why a contract ends before its term."""

    NOTICE = "notice"  # 提前通知
    SHORTFALL = "shortfall"  # 连续未达标
    RED_LINE = "red_line"  # 触碰红线


class ExitIn(Given):
    """An end before the term: which is the last period, and why."""

    ground: ExitGround
    noticed_on: Day
    """The day on which the other side was told."""
    last_period: PeriodNumber
    """The last one that counts; its statement is the contract's last."""
    reason: Text
    violation: Annotated[int, Field(strict=True, ge=1, lt=2**31)] | None = None
    """Of a red line: the number of the violation that stands."""
    quarters: list[PeriodNumber] = Field(default_factory=list, max_length=12)
    """Of a shortfall: the first periods of the quarters that fell short."""


class Exit(Resource):
    """An end before the term; a second person approves it."""

    contract_id: Identifier
    ground: ExitGround
    noticed_on: date
    last_period: PeriodNumber
    reason: str
    violation: int | None
    quarters: list[int]
    digest: str
    """SHA-256, in hex, over all of the above: what is approved."""
    drafted_by: str
    drafted_at: Moment
    approved_by: str | None
    approved_at: Moment | None


class ContractPhase(StrEnum):
    """Where a contract stands in a period."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"  # 审签中
    SIGNED = "signed"  # 已签署，未到期
    IN_FORCE = "in_force"  # 履行中
    SUSPENDED = "suspended"  # 中止
    ENDED = "ended"  # 终止


class ContractStanding(Resource):
    """What binds the sides of a contract in a period."""

    contract_id: Identifier
    period: PeriodNumber
    phase: ContractPhase
    terms: ContractTerms
    parties: Parties
    supplements: list[int]
    """The supplements in force, by number."""
    last_period: PeriodNumber
    """The term's end, or that of an early exit."""


SUPPLEMENT_SIGNED = "contracts.supplement.signed"
CONTRACT_SUSPENDED = "contracts.contract.suspended"
CONTRACT_EXITED = "contracts.contract.exited"


class SupplementSigned(Fact):
    """Both sides have signed a supplement."""

    contract_id: Identifier
    number: Count
    effective_from: PeriodNumber
    digest: str
    order_fees: list[OrderFee] | None = None
    """The fees for orders from then on; null where the terms stay as they are."""


class ContractSuspended(Fact):
    """A contract is suspended from a period on, or the last period of that is known."""

    contract_id: Identifier
    centre_id: Identifier | None
    number: Count
    from_period: PeriodNumber
    last_period: PeriodNumber | None


class ContractExited(Fact):
    """A contract ends before its term."""

    contract_id: Identifier
    centre_id: Identifier | None
    ground: ExitGround
    last_period: PeriodNumber
