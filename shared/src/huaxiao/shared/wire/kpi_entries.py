"""What a measure sums, one by one, as the service that owns it tells it."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.attribution import Entry
from huaxiao.shared.wire.base import Moment, PeriodNumber, Resource
from huaxiao.shared.wire.contracts import PersonPay
from huaxiao.shared.wire.dispatch import Appraisal, FinishedOrder
from huaxiao.shared.wire.kpi import Unit, Whole
from huaxiao.shared.wire.organisation import HeldPosition
from huaxiao.shared.wire.tickets import Ticket


class LedgerLine(Resource):
    """A line of attribution's ledger; the amount is positive where it debits the account."""

    kind: Literal["ledger_entry"] = "ledger_entry"
    amount: Whole
    entry: Entry


class PayLine(Resource):
    """What a person was paid, as contracts recorded it."""

    kind: Literal["pay"] = "pay"
    amount: Whole
    pay: PersonPay


class PersonDay(Resource):
    """A person of the centre's own staff on the month's first or last day."""

    kind: Literal["person_day"] = "person_day"
    amount: Whole = 1
    day: date
    position: HeldPosition


class OrderLine(Resource):
    """An order that dispatch saw finished."""

    kind: Literal["order"] = "order"
    amount: Whole = 1
    order: FinishedOrder


class AppraisalLine(Resource):
    """An appraisal that stands: one that is counted, or its score in hundredths."""

    kind: Literal["appraisal"] = "appraisal"
    amount: Whole
    appraisal: Appraisal


class TicketLine(Resource):
    """A support ticket that the centre raised."""

    kind: Literal["ticket"] = "ticket"
    amount: Whole = 1
    ticket: Ticket


MeasureLine = Annotated[
    LedgerLine | PayLine | PersonDay | OrderLine | AppraisalLine | TicketLine,
    Field(discriminator="kind"),
]


class MeasureEntries(Resource):
    """A measure of a centre and month, and a page of what it sums, both as known at one moment."""

    centre_id: Identifier
    period: PeriodNumber
    measure: str
    unit: Unit
    known_at: Moment
    """As of which both are told; the last moment that is followed, if none was named."""
    owner: Literal["attribution", "contracts", "dispatch"]
    """The service that was asked."""
    figure: Whole | None
    """What the measure comes to here; null where nothing was known of it."""
    owner_sum: Whole
    """What all the owner's entries add up to, whatever the page."""
    difference: Whole
    """The owner's sum less the figure; anything but 0 has to be looked into."""
    items: list[MeasureLine]
    next_cursor: str | None
