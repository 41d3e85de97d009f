"""A small county for decisions: two regional fields, a list, a hall, an agent, people."""

from datetime import UTC, date, datetime
from typing import Any

from huaxiao.attribution.domain.histories import Line
from huaxiao.attribution.domain.messages import Message
from huaxiao.attribution.domain.organisation import Channel, Organisation, SealedField
from huaxiao.shared.periods import Period
from huaxiao.shared.wire import events
from huaxiao.shared.wire.contracts import CentreKind, ChannelKind, ChannelMode, FieldKind

NOVEMBER, DECEMBER = Period(201711), Period(201712)
TOWN, RURAL = "130123001001", "130123105001"
NOW = datetime(2018, 1, 5, tzinfo=UTC)

ORGANISATION = Organisation(
    default_centre_id="C0",
    centres={
        "C0": CentreKind.DEFAULT,
        "C1": CentreKind.TOWN,
        "C2": CentreKind.TOWNSHIP,
        "C3": CentreKind.OWN_HALL,
        "G1": CentreKind.ENTERPRISE,
    },
    channels={
        "HALL": Channel(ChannelKind.OWN_HALL, "C3"),
        "HALL-2": Channel(ChannelKind.OWN_HALL, "C3"),
        "AGENT": Channel(ChannelKind.AGENT, "C2"),
        "PUSHED": Channel(ChannelKind.BUSINESS_DISTRICT, "C1"),
        "ONLINE": Channel(ChannelKind.ONLINE, "C0"),
    },
    people={
        "P1": ((date(2017, 1, 1), "C1"), (date(2017, 11, 20), "C2")),
        "P13": ((date(2017, 1, 1), "G1"),),
    },
    fields=(
        SealedField("F-TOWN", FieldKind.REGIONAL, "C1", 201711, 201810, (TOWN,), ("OLT-1",)),
        SealedField("F-RURAL", FieldKind.REGIONAL, "C2", 201711, 201810, (RURAL,), ("OLT-2",)),
        SealedField("F-TOWER", FieldKind.REGIONAL, "C2", 201711, 201810, (f"{TOWN}0099",), ()),
        SealedField(
            "F-KEY",
            FieldKind.CUSTOMER,
            "G1",
            201711,
            201810,
            customer_ids=frozenset({"ENT-1", "CAMPUS-1"}),
        ),
        SealedField(
            "F-HALL",
            FieldKind.CHANNEL,
            "C3",
            201711,
            201810,
            channel_ids=("HALL",),
            channel_mode=ChannelMode.ISOLATED,
        ),
        SealedField(
            "F-PUSHED",
            FieldKind.CHANNEL,
            "C1",
            201711,
            201810,
            channel_ids=("PUSHED",),
            channel_mode=ChannelMode.PUSHED_DOWN,
        ),
    ),
)


def line(subscription_id: str = "S-1", **given: Any) -> Line:
    """Return a person's mobile line of 2016, or what ``given`` makes of it."""
    facts: dict[str, Any] = {
        "customer_id": "PER-1",
        "product": "mobile",
        "opened_on": date(2016, 3, 1),
        "customer_kind": "person",
    }
    empty = dict.fromkeys(Line.__dataclass_fields__)
    return Line(**(empty | facts | given | {"subscription_id": subscription_id}))


def message(
    data: events.EventData,
    *,
    event_id: str = "E-1",
    at: datetime | None = None,
    kind: str | None = None,
) -> Message:
    """Wrap data as the event that carries it, of the first type that does unless one is named."""
    first = next(name for name, form in events.DATA_TYPES.items() if isinstance(data, form))
    return Message(
        "/bss", event_id, kind or first, at or datetime(2017, 11, 30, 2, tzinfo=UTC), data
    )
