"""An event that could be read: what bookings are made from."""

from dataclasses import dataclass
from datetime import datetime

from huaxiao.shared.periods import Period, period_of
from huaxiao.shared.values import Value
from huaxiao.shared.wire.events import EventData


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event cannot be booked as it stands; ``code`` is stable."""

    code: str
    message: str
    message_zh: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """The event must wait for another one, which it names: ``subscription:…``, ``bill_item:…``."""

    code: str
    waiting_for: str
    message: str
    message_zh: str


Answer = Refusal | Waiting | None
"""What becomes of an event that is taken in; None is success."""


class Message(Value, frozen=True):
    """An event with its context."""

    source: str
    event_id: str
    type: str
    time: datetime
    data: EventData

    @property
    def key(self) -> tuple[str, str]:
        """The event's identity: its sender, and the sender's identifier."""
        return self.source, self.event_id

    @property
    def name(self) -> str:
        """The event's identity as one text."""
        return f"{self.source}#{self.event_id}"

    @property
    def period(self) -> Period:
        """The period of the event's own moment."""
        return period_of(self.time)
