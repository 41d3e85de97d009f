"""Settlement statements (结算单): what a contract's period comes to, and what both sides say of it."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.attribution import DraftField
from huaxiao.shared.wire.base import (
    AmountFen,
    Count,
    Day,
    Digest,
    Fact,
    Given,
    Moment,
    Name,
    PeriodNumber,
    Resource,
    SumFen,
)
from huaxiao.shared.wire.contracts import BaseMonthIn
from huaxiao.shared.wire.terms import ContractTerms

Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]


class Side(StrEnum):
    """Whose word it is."""

    GRANTING = "granting"  # 发包方
    CONTRACTING = "contracting"  # 承包方


class StatementState(StrEnum):
    """Whether a statement may still be drafted anew."""

    DRAFT = "draft"
    CLOSED = "closed"


class StatementFormat(StrEnum):
    """How a statement is written down: to count on with, or to print."""

    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


class SettlementLine(Resource):
    """A line of a statement; those that count add up to the net."""

    number: Count
    code: str
    name: str
    name_zh: str
    amount_fen: SumFen
    counts: bool
    how: str | None
    """How the amount comes about, in figures; null where it was told and not computed."""
    about: dict[str, Any]


class Objection(Resource):
    """What a side holds against a line, and what it was answered."""

    number: Count
    revision: Count
    line: Count
    side: Side | None
    """Whose objection it is: the other side answers."""
    text: str
    by: str
    at: Moment
    answer: str | None
    answered_by: str | None
    answered_at: Moment | None


class Confirmation(Resource):
    """A side's word that a revision is right."""

    side: Side
    revision: Count
    by: str
    at: Moment


class SettlementSummary(Resource):
    """A statement in a list."""

    contract_id: Identifier
    centre_id: Identifier | None
    period: PeriodNumber
    state: StatementState
    revision: Count
    """Counts the drafts from 1: a draft with other figures is another revision."""
    digest: str
    """SHA-256, in hex, over the figures: what each side confirms."""
    known_at: Moment
    """The moment as of which attribution and dispatch were asked."""
    provisional: bool
    """The month's books were still open then; such a draft cannot be confirmed."""
    net_fen: SumFen
    payable_fen: SumFen
    carried_forward_fen: SumFen
    deposit_fen: SumFen
    payment_stopped: bool
    """A violation of severity A stands: nothing is paid out until the contract's fate is decided."""
    made_by: str
    made_at: Moment
    closed_at: Moment | None


class SettlementStatement(SettlementSummary):
    """A statement, line by line, with what both sides said of it."""

    lines: list[SettlementLine]
    confirmations: list[Confirmation]
    """Of this revision."""
    objections: list[Objection]


class SettlementIn(Given):
    """Which statements to draft; all contracts of the period when none is named."""

    period: PeriodNumber
    contract_ids: list[Identifier] | None = Field(default=None, min_length=1, max_length=2000)


class SettlementOutcome(Resource):
    """What became of the draft of one contract."""

    contract_id: Identifier
    outcome: Literal["drafted", "revised", "unchanged", "closed", "refused"]
    code: str | None
    """Why it was refused."""
    detail: str | None
    detail_zh: str | None
    statement: SettlementSummary | None


class ConfirmationIn(Given):
    """Which figures a side confirms, so that nobody confirms what they have not read."""

    digest: Digest


class ObjectionIn(Given):
    """What is wrong with which line."""

    line: Annotated[int, Field(strict=True, ge=1)]
    text: Text


class AnswerIn(Given):
    """What the granting side says to an objection."""

    text: Text


class SettlementVerification(Resource):
    """A statement computed again from the inputs stored with it."""

    revision: Count
    digest: str
    recomputed_digest: str
    agrees: bool
    first_difference: str | None
    """JSON Pointer to the first figure that differs."""


class CorrectionIn(Given):
    """A correction of a closed statement, to be counted in the next one."""

    of_period: PeriodNumber
    amount_fen: AmountFen
    reason: Text


class Correction(CorrectionIn):
    """A correction; a second person approves it before it counts."""

    model_config = Resource.model_config

    contract_id: Identifier
    number: Count
    drafted_by: str
    drafted_at: Moment
    approved_by: str | None
    approved_at: Moment | None


class DepositMovementIn(Given):
    """Risk deposit paid in, or paid back."""

    kind: Literal["paid_in", "paid_back"]
    person_id: Identifier
    amount_fen: Annotated[AmountFen, Field(gt=0)]
    day: Day
    document: Name
    """The receipt or voucher that shows it."""


class DepositMovement(DepositMovementIn):
    """A movement of a contract's risk deposit."""

    model_config = Resource.model_config

    contract_id: Identifier
    number: Count
    recorded_by: str
    recorded_at: Moment


class SettlementWhatIfIn(Given):
    """Past months under other terms, another base, or other fields; what is left out stays.

    The months are taken as a contract's first ones, so that a draft can be tried on the year before.
    """

    period_from: PeriodNumber
    period_to: PeriodNumber
    terms: ContractTerms | None = None
    base: list[BaseMonthIn] = Field(default_factory=list, max_length=120)
    """Months that replace the contract's own, or that it has none for."""
    field_ids: list[Identifier] | None = Field(default=None, max_length=1000)
    """These fields, whoever holds them, in place of the contract's own."""
    fields: list[DraftField] = Field(default_factory=list, max_length=100)
    """Fields drawn otherwise: whose the lines would be is asked of attribution, line by line; what
    lines have cost stays where it is booked."""


class SettledAmounts(Resource):
    """A month of a what-if."""

    period: PeriodNumber
    net_fen: SumFen
    payable_fen: SumFen
    share_fen: SumFen
    lines: list[SettlementLine]


class SettlementWhatIf(Resource):
    """The months as agreed and as asked, each settled by the same function."""

    contract_id: Identifier
    known_at: Moment
    as_agreed: list[SettledAmounts]
    as_asked: list[SettledAmounts]
    difference_fen: SumFen
    """What would have been paid more, over all the months."""


STATEMENT_CLOSED = "contracts.statement.closed"


class StatementClosed(Fact):
    """Both sides have confirmed a period's statement: this is paid."""

    contract_id: Identifier
    centre_id: Identifier | None
    period: PeriodNumber
    digest: str
    net_fen: SumFen
    payable_fen: SumFen
    carried_forward_fen: SumFen
    deposit_fen: SumFen
    payment_stopped: bool
