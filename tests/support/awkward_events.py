"""Events that cannot be booked as they stand: one waits, one is wrong, one is wrong and names a home."""

from typing import Any

from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM
from huaxiao.cli.story import Endpoints
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.identifiers import new_id
from huaxiao.shared.issuer import TokenSource

HOME_ADDRESS = "130123001001000001"
ELSEWHERE = 659_999
"""A branch that no token of these tests reaches."""


async def post_awkward_events(endpoints: Endpoints) -> str:
    """Post them, numbered with a gap, and return their source: new each time."""
    mark = str(new_id())[-12:]
    source = f"/billing-{mark}"

    def event(number: int, kind: str, **data: Any) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": f"{mark}-{number}",
            "source": source,
            "sequence": str(number),
            "type": kind,
            "time": "2017-11-30T10:00:00+08:00",
            "branchid": BRANCH_ID,
            "data": data,
        }

    def bill(number: int, line: str, amount_fen: float) -> dict[str, Any]:
        facts = {"period": TERM_FROM, "item_kind": "monthly", "tax_fen": 0}
        facts |= {"bill_item_id": f"BI-{mark}-{number}", "subscription_id": line}
        return event(number, "bill_item.issued", **facts, amount_fen=amount_fen)

    def opened(number: int, product: str) -> dict[str, Any]:
        facts = {"subscription_id": f"S-{mark}-{number}", "customer_id": "PER-1"}
        facts |= {"opened_on": "2016-05-01", "standard_address": HOME_ADDRESS}
        return event(number, "subscription.opened", **facts, product=product)

    line = f"S-{mark}-1"
    sent = [
        opened(1, "broadband"),
        bill(2, line, 1.5),
        opened(5, "balloon"),
        bill(6, f"S-{mark}-NOBODY", 100),
        bill(7, f"S-{mark}-NOBODY", 200),
    ]
    async with AttributionClient(
        endpoints.attribution, endpoints.token(Role.COUNTY_MANAGER)
    ) as attribution:
        report = await attribution.post_events(sent)
    assert (report.booked, report.refused, report.parked) == (1, 2, 2)
    return source


async def post_astray(endpoints: Endpoints, token: TokenSource) -> str:
    """Post two events of a branch beyond a token, and return their source: new each time."""
    mark = str(new_id())[-12:]
    source = f"/astray-{mark}"
    sent = [
        {
            "specversion": "1.0",
            "id": f"{mark}-{number}",
            "source": source,
            "type": "subscription.opened",
            "time": "2017-11-30T10:00:00+08:00",
            "branchid": ELSEWHERE,
            "data": {
                "subscription_id": f"S-{mark}-{number}",
                "customer_id": "PER-1",
                "product": "broadband",
                "opened_on": "2016-05-01",
            },
        }
        for number in (1, 2)
    ]
    async with AttributionClient(endpoints.attribution, token) as attribution:
        report = await attribution.post_events(sent)
    assert report.refused == len(sent)
    return source
