"""Personal data: masked wherever it is shown, and in full by a call of its own with a purpose."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from huaxiao.shared.addresses import AddressCode
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.masking import hidden, masked, masked_address, masked_body, masked_name
from huaxiao.shared.wire.base import Count, Given, Moment, Resource
from huaxiao.shared.wire.visits import Point

ShownName = Annotated[str, AfterValidator(masked_name), Field(examples=["张***"])]
"""A customer's name, of which the first character is shown."""
ShownAddress = Annotated[
    str, AfterValidator(masked_address), Field(examples=["130123100201***"], description="标准地址")
]
"""An address down to its village."""
HiddenNote = Annotated[str, AfterValidator(hidden), Field(examples=["***"])]
"""That there is a note; nothing of what it says."""
ShownBody = Annotated[str, AfterValidator(masked_body)]
"""A text in JSON, with personal data masked."""
ShownMembers = Annotated[dict[str, Any], AfterValidator(masked)]
"""JSON, with personal data masked."""


class Purpose(StrEnum):
    """What personal data is looked at for."""

    VISIT = "visit"
    """To find a customer, and to be let in."""
    APPOINTMENT = "appointment"
    """To agree with a customer when to come."""
    SUPPORT = "support"
    """To answer a question or a ticket."""
    SALE = "sale"
    """To speak with a customer about what they want."""
    MENDING = "mending"
    """To mend what was recorded wrong."""
    DISPUTE = "dispute"
    """To decide whose a line is."""
    REQUEST_OF_THE_PERSON = "request_of_the_person"
    """Whoever the data is about asks to see it."""


class FullViewIn(Given):
    """What somebody needs personal data for; it goes on record."""

    purpose: Annotated[Purpose, Field(strict=False)]
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class FullView(Resource):
    """A view in full, as it is on record."""

    full_view_id: Identifier


class OrderContact(FullView):
    """Whom an order is for, and where."""

    order_id: Identifier
    customer_id: Identifier | None
    standard_address: AddressCode
    where: Point | None
    contact_note: str | None
    """Null where there is none, or where it has been erased."""


class TicketPlace(FullView):
    """Where what a ticket is about is."""

    ticket_id: Identifier
    customer_id: Identifier | None
    standard_address: str | None
    """Null where none was given; down to the village once it has been erased."""


class LeadCustomer(FullView):
    """Whom a lead is about."""

    lead_id: Identifier
    customer_id: Identifier | None
    customer_name: str | None
    """Null once it has been erased."""


class LineAddresses(FullView):
    """Where a line is, as its last decision knew it."""

    subscription_id: Identifier
    standard_address: str | None
    resource_address: str | None


class HeldBody(FullView):
    """An event in quarantine as it came."""

    held_id: Identifier
    body: str
    """Empty once it has been erased; bytes that are not UTF-8 are shown as replacement characters."""


class ErasureIn(Given):
    """A customer whose personal data is to be erased, and why."""

    customer_id: Identifier
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class Erasure(Resource):
    """An erasure that one person asks for, and what was erased once another has had it done."""

    erasure_id: Identifier
    customer_id: Identifier
    reason: str
    by: str
    """Who asks for it."""
    at: Moment
    done_by: str | None
    """Who has had it done; null while it waits for a second person."""
    done_at: Moment | None
    erased: Count | None
    """Things of the customer that held personal data and hold it no more."""
    waiting: Count | None
    """Things that were still needed at that moment, by work that goes on or books that are open."""
