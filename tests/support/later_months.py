"""Months after the sample's own, so that a forecast has something to rest on: few events, each large."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM, sample_county
from huaxiao.cli.sample.generator import BILLING, generate
from huaxiao.cli.sample.registration import record_pay
from huaxiao.cli.story import Endpoints, until
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.wire.attribution import Entry
from huaxiao.shared.wire.kpi import Span

LATER = {201712: 970, 201801: 1_035}
"""Each month's revenue in thousandths of the sample's month."""
_MARKET_PER_MILLE = {"C1": 180, "C2": 186, "C3": 214, "G1": 126}
_NETWORK_PER_MILLE = 100
_PAID_PER_MILLE = 1_030
"""What is paid of revenue, with tax: a few do not pay."""


async def live_on(endpoints: Endpoints) -> None:
    """Have the sample county live through two more months, each event once whoever asks again."""
    county = sample_county()
    pay = generate(county, TERM_FROM, 50).payroll
    async with (
        AttributionClient(endpoints.attribution, endpoints.token(Role.COUNTY_MANAGER)) as books,
        ContractsClient(endpoints.contracts, endpoints.token(Role.COUNTY_MANAGER)) as contracts,
        KpiClient(endpoints.kpi, endpoints.token(Role.COUNTY_MANAGER)) as kpi,
    ):
        lines = {centre: await _line_of(books, centre) for centre in _MARKET_PER_MILLE}
        balances = await books.balances(BRANCH_ID, period=TERM_FROM)
        earned = {
            centre: -sum(
                one.amount_fen
                for one in balances
                if one.centre_id == centre and one.account == "revenue"
            )
            for centre in lines
        }
        for period, per_mille in LATER.items():
            events = [
                event
                for centre, line in lines.items()
                for event in _month(period, centre, line, earned[centre] * per_mille // 1_000)
            ]
            report = await books.post_events(events)
            assert report.booked + report.duplicates == len(events), report
            await record_pay(contracts, county, [replace(one, period=period) for one in pay])

        async def followed() -> bool:
            report = await kpi.targets(BRANCH_ID, period=max(LATER), span=Span.YEAR_TO_DATE)
            return report.county is not None and all(
                one.value is not None for one in report.county.targets
            )

        await until(followed, "kpi follows the later months")


async def _line_of(books: AttributionClient, centre_id: str) -> str:
    page = await books.entries(
        BRANCH_ID, period=TERM_FROM, centre_id=centre_id, account="revenue", limit=1
    )
    (one,) = page.items
    assert isinstance(one, Entry)
    assert one.subscription_id is not None
    return one.subscription_id


def _month(period: int, centre: str, line: str, revenue_fen: int) -> Iterator[dict[str, Any]]:
    number = f"{centre}-{period}"
    market = revenue_fen * _MARKET_PER_MILLE[centre] // 1_000
    network = revenue_fen * _NETWORK_PER_MILLE // 1_000
    of_line, of_centre = {"subscription_id": line}, {"centre_id": centre, "period": period}
    bill = {"bill_item_id": f"B-{number}", "period": period, "item_kind": "monthly"}
    paid = {"payment_id": f"PAY-{number}", "amount_fen": revenue_fen * _PAID_PER_MILLE // 1_000}
    for kind, subject, data in (
        ("bill_item.issued", f"B-{number}", bill | of_line | {"amount_fen": revenue_fen}),
        ("payment.received", f"PAY-{number}", paid | of_line),
        ("cost.incurred", f"K-{number}", of_centre | _cost(f"K-{number}", "commission", market)),
        ("cost.incurred", f"N-{number}", of_centre | _cost(f"N-{number}", "tower_rent", network)),
        ("cost.paid", f"KP-{number}", of_centre | _cost(f"KP-{number}", "commission", market)),
        ("cost.paid", f"NP-{number}", of_centre | _cost(f"NP-{number}", "tower_rent", network)),
    ):
        yield {
            "specversion": "1.0",
            "id": f"later-{kind}-{subject}",
            "source": BILLING,
            "type": kind,
            "time": f"{period // 100}-{period % 100:02}-28T10:00:00+08:00",
            "branchid": BRANCH_ID,
            "subject": subject,
            "data": data,
        }


def _cost(number: str, kind: str, amount_fen: int) -> dict[str, Any]:
    return {"cost_id": number, "kind": kind, "amount_fen": amount_fen}
