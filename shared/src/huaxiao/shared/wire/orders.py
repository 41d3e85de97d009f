"""What front ends and monitoring ask for, and what an order is made of: tasks, materials, attachments."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from huaxiao.shared.addresses import AddressCode
from huaxiao.shared.identifiers import Identifier
from huaxiao.shared.wire.base import Count, Given, Moment, Name, Resource
from huaxiao.shared.wire.dispatch import CustomerClass, OrderKind, OrderWithSteps
from huaxiao.shared.wire.visits import CalendarMoment, Point, Window

_TEXT = r"^[^\x00]*$"
Note = Annotated[str, Field(min_length=1, max_length=2_000, pattern=_TEXT)]
Reference = Annotated[str, Field(min_length=1, max_length=200, pattern=_TEXT)]
Priority = Annotated[int, Field(strict=True, ge=1, le=4)]
"""1 is the most urgent."""
SerialNumber = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:\-]{3,63}$")]
"""A device's serial number, as its label has it."""
AttachmentName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._\-]{0,99}$", examples=["after-1.jpg"])
]


class OrderSource(StrEnum):
    """Who asks for work directly; a BSS asks through attribution."""

    FRONT_END = "front_end"
    MONITORING = "monitoring"


class TaskIn(Given):
    """A task of an order."""

    name: Name
    needed_skill: Identifier | None = None
    required: bool = True
    """The order is not finished before it is done."""


class NewTask(TaskIn):
    """A task that an order comes with."""

    task_id: Identifier


class TaskDoneIn(Given):
    """A task is done."""

    at: Moment | None = None
    """When; now when absent."""
    done_by: Identifier | None = None
    """Who did it, where somebody else tells; the caller when absent."""


class OrderTask(Resource):
    """A task, and who did it."""

    task_id: Identifier
    name: Name
    needed_skill: Identifier | None
    required: bool
    done_by: Identifier | None
    done_at: Moment | None
    recorded_by: str | None
    """Whose token said that it is done."""


class PlannedMaterial(Given):
    """Material an order is planned with."""

    material_id: Identifier
    quantity: Count
    unit: Name


class MaterialIn(Given):
    """What is planned or was used of a material; what is absent stays as it is."""

    planned: Count | None = None
    used: Count | None = None
    unit: Name | None = None
    """In what the quantities count; needed when the material is new to the order."""


class OrderMaterial(Resource):
    """A material of an order: planned and used, in the same unit."""

    material_id: Identifier
    unit: Name
    planned: int
    used: int


class SerialUse(StrEnum):
    """What an order does with a device."""

    PLANNED = "planned"
    USED = "used"
    RETURNED = "returned"


class SerialIn(Given):
    """What an order does with a device. To return one frees it for another order."""

    use: SerialUse
    material_id: Identifier | None = None


class OrderSerial(Resource):
    """A device of an order."""

    serial_number: SerialNumber
    use: SerialUse
    material_id: Identifier | None
    by: str
    at: Moment


class PredecessorsIn(Given):
    """The orders that must be done before this one is started."""

    order_ids: list[Identifier] = Field(max_length=50)


class NoteIn(Given):
    """Something worth knowing of an order."""

    text: Note


class OrderNote(Resource):
    """A note as it was written."""

    number: int
    text: Note
    by: str
    at: Moment


class AttachmentKind(StrEnum):
    """What an attachment shows."""

    BEFORE = "before"
    AFTER = "after"
    SIGNATURE = "signature"


class Attachment(Resource):
    """An uploaded photo or signature; its content never changes."""

    name: AttachmentName
    kind: AttachmentKind
    media_type: str
    size: int
    """In bytes."""
    sha256: str
    """Of the content, in hex."""
    by: str
    at: Moment
    erased_at: Moment | None
    """When what it shows was erased; who uploaded it, when, and its digest stay."""


class OrderIn(Given):
    """Work that a front end or monitoring asks for."""

    source: OrderSource
    reference: Reference
    """The source's own name of it: the same again is the same order."""
    kind: OrderKind
    priority: Priority = 3
    customer_class: CustomerClass = CustomerClass.PUBLIC
    customer_id: Identifier | None = None
    """Needed unless it is work on the network."""
    subscription_id: Identifier | None = None
    requester_centre_id: Identifier | None = None
    """Who asks; the enterprise centre where its customers are concerned."""
    standard_address: AddressCode
    where: Point | None = None
    requested_at: CalendarMoment | None = None
    """When it was asked for; now when absent."""
    wished: Window | None = None
    contact_note: Note | None = None
    needed_skills: list[Identifier] = Field(default_factory=list, max_length=20)
    people_needed: Annotated[int, Field(strict=True, ge=1, le=8)] = 1
    """So many work on it at once."""
    give_out: bool = True
    """Give it to somebody at once; else it waits for its appointment and for being assigned."""
    tasks: list[NewTask] = Field(default_factory=list, max_length=100)
    materials: list[PlannedMaterial] = Field(default_factory=list, max_length=100)
    serial_numbers: list[SerialNumber] = Field(default_factory=list, max_length=100)
    predecessors: list[Identifier] = Field(default_factory=list, max_length=50)


class OrderDetail(OrderWithSteps):
    """An order with all that belongs to it."""

    photo_needed: bool
    """Finishing it takes the name of the photo that shows the work."""
    tasks: list[OrderTask]
    materials: list[OrderMaterial]
    serials: list[OrderSerial]
    predecessors: list[Identifier]
    notes: list[OrderNote]
    attachments: list[Attachment]


class CrewIn(Given):
    """Several people who are sent together (施工队)."""

    centre_id: Identifier
    members: list[Identifier] = Field(min_length=1, max_length=50)
    vehicle: Name | None = None
    """The number plate."""
    company: Name | None = None
    """The contractor whose crew it is; null of one's own."""
    skills: list[Identifier] = Field(default_factory=list, max_length=20)
    """What an outside crew can do; of one's own people the register says it."""


class Crew(Resource):
    """A crew as registered."""

    crew_id: Identifier
    centre_id: Identifier
    members: list[Identifier]
    vehicle: Name | None
    company: Name | None
    skills: list[str]
    """All that its people can do together."""
