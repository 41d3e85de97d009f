"""How a contract comes to bind: reviewed, signed by both sides, suspended; and its history (R1, R7)."""

from enum import StrEnum

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Given, Moment, PeriodNumber, Resource
from huaxiao.shared.wire.settlement import Side, Text


class SideSignature(Resource):
    """A side's signature."""

    side: Side
    signed_by: str
    """Subject of the token that signed."""
    signed_at: Moment


class FieldDigest(Resource):
    """A field as the contract names it: by what would be sealed, or is."""

    field_id: Identifier
    digest: str


class ContractReview(Resource):
    """A round of review (审签): what both sides are asked to sign, and who has."""

    contract_id: Identifier
    round: Count
    digest: str
    """SHA-256 over the contract and its fields' digests, in hex: what is signed."""
    fields: list[FieldDigest]
    submitted_by: str
    submitted_at: Moment
    signatures: list[SideSignature]
    withdrawn_by: str | None
    withdrawn_at: Moment | None
    reason: str | None
    """Why it was withdrawn."""


class ReasonIn(Given):
    """Why something is taken back."""

    reason: Text


class SuspensionIn(Given):
    """A suspension (中止) from a period on that is not settled yet, and why."""

    from_period: PeriodNumber
    reason: Text


class SuspensionEndIn(Given):
    """The end of a suspension: its last period, and why."""

    last_period: PeriodNumber
    reason: Text


class SuspensionStepKind(StrEnum):
    """What becomes of a suspension, in this order; each approval is of a second person."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    END_PROPOSED = "end_proposed"
    END_APPROVED = "end_approved"


class SuspensionStep(Resource):
    """A step of a suspension."""

    kind: SuspensionStepKind
    period: PeriodNumber | None
    """The first period of what is proposed, the last one of an end that is."""
    reason: str | None
    by: str
    at: Moment


class Suspension(Resource):
    """A suspension: no share is paid for its periods until it is over; every seal holds on (R21)."""

    contract_id: Identifier
    number: Count
    from_period: PeriodNumber
    last_period: PeriodNumber | None
    """Null while no end is approved."""
    in_force: bool
    """It is approved."""
    steps: list[SuspensionStep]


class ContractStepKind(StrEnum):
    """What has happened to a contract."""

    SUBMITTED = "submitted"  # 提交审签
    WITHDRAWN = "withdrawn"  # 撤回
    SIGNED = "signed"  # 一方签署
    SEALED = "sealed"  # 双方签署，锁定
    SUPPLEMENT_DRAFTED = "supplement_drafted"
    SUPPLEMENT_SIGNED = "supplement_signed"
    SUSPENSION_PROPOSED = "suspension_proposed"
    SUSPENSION_APPROVED = "suspension_approved"
    SUSPENSION_END_PROPOSED = "suspension_end_proposed"
    SUSPENSION_END_APPROVED = "suspension_end_approved"
    EXIT_DRAFTED = "exit_drafted"
    EXIT_APPROVED = "exit_approved"
    STATEMENT_CLOSED = "statement_closed"


class ContractStep(Resource):
    """A step in the life of a contract."""

    position: Count
    """Counts the steps from 1, in the order in which they were taken."""
    kind: ContractStepKind
    at: Moment
    by: str | None
    """Subject of the token that did it; null for what follows from what others did."""
    number: int | None
    """The round, supplement, suspension, or the period of a statement."""
    side: Side | None
    digest: str | None
    reason: str | None
