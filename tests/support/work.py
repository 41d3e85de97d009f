"""Work as the feeds of the other services bring it, and an engineer who does it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from huaxiao.shared.wire.dispatch import Evidence, OrderStepIn, StepName
from huaxiao.shared.wire.feed import FeedEntry

START = datetime(2017, 11, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADDRESS = "130123100201"


def entry(branch_id: Any, kind: Any, data: Any) -> Any:
    return FeedEntry(
        id="1", source="/test", type=kind, subject="x", time=START, branchid=branch_id, data=data
    )


def centre(branch_id: Any, centre_id: Any, kind: Any) -> Any:
    data = {"centre": {"centre_id": centre_id, "kind": kind, "name": kind, "name_zh": kind}}
    return entry(branch_id, "contracts.centre.registered", data)


def person(
    branch_id: Any,
    person_id: Any,
    centre_id: Any,
    skills: Any = ("install",),
    *,
    primary: Any = True,
) -> Any:
    assignment = {
        "person_id": person_id,
        "centre_id": centre_id,
        "position": "engineer",
        "primary": primary,
        "from_day": "2017-11-01",
    }
    known = {"person_id": person_id, "engagement": "own", "skills": list(skills)}
    data = {"person": known, "assignment": assignment}
    return entry(branch_id, "contracts.person.assigned", data)


def work(
    branch_id: Any,
    order_id: Any,
    kind: Any = "install",
    customer_class: Any = "key",
    address: Any = ADDRESS,
) -> Any:
    data = {
        "order_id": order_id,
        "kind": kind,
        "customer_class": customer_class,
        "customer_id": "K1",
        "standard_address": address,
        "requested_at": START.isoformat(),
    }
    return entry(branch_id, "attribution.work.requested", data)


FIELD = {
    "field_id": "F1",
    "kind": "regional",
    "centre_id": "C1",
    "name_zh": "片区",
    "term_from": 201711,
    "term_to": 201810,
    "scope": {"address_prefixes": ["130123100"]},
    "digest": "d",
}


async def finish(client: Any, branch_id: Any, order_id: Any, **evidence: Any) -> Any:
    for hours, name in enumerate((StepName.ACCEPT, StepName.START, StepName.FINISH)):
        given = OrderStepIn(step=name, at=START + hours * HOUR)
        if name is StepName.FINISH:
            given = given.model_copy(update={"evidence": Evidence(**evidence)})
        order = await client.step(branch_id, order_id, given)
    return order
