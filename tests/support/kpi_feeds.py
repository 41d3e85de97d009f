"""What the KPI service's peers tell of a county, as tests make it up."""

from datetime import UTC, datetime

import msgspec
from fastapi import FastAPI

from huaxiao.kpi.worker import follower
from huaxiao.shared.clients.attribution import FakeAttribution
from huaxiao.shared.clients.base import FakeFeed
from huaxiao.shared.clients.contracts import FakeContracts
from huaxiao.shared.clients.dispatch import FakeDispatch
from huaxiao.shared.wire import attribution, contracts, dispatch
from huaxiao.shared.wire.base import Fact
from huaxiao.shared.wire.feed import FeedEntry

AT = datetime(2017, 12, 1, tzinfo=UTC)


def entry(kind: str, fact: Fact) -> FeedEntry:
    return FeedEntry(
        id="1",
        source="/test",
        type=kind,
        subject="x",
        time=AT,
        branchid=110_000,
        data=fact.model_dump(mode="json"),
    )


def centre(centre_id: str) -> FeedEntry:
    made = contracts.Centre(
        centre_id=centre_id,
        kind=contracts.CentreKind.TOWN,
        name=f"Centre {centre_id}",
        name_zh=f"{centre_id} 营服中心",
    )
    return entry(contracts.CENTRE_REGISTERED, contracts.CentreRegistered(centre=made))


def person(person_id: str, centre_id: str) -> FeedEntry:
    return entry(
        contracts.PERSON_ASSIGNED,
        contracts.PersonAssigned.model_validate(
            {
                "person": {"person_id": person_id, "engagement": "own", "skills": []},
                "assignment": {
                    "person_id": person_id,
                    "centre_id": centre_id,
                    "position": "member",
                    "primary": True,
                    "from_day": "2017-01-01",
                },
            }
        ),
    )


def contract(
    contract_id: str, centre_id: str | None, months: dict[int, dict[str, int]]
) -> FeedEntry:
    return entry(
        contracts.CONTRACT_SIGNED,
        contracts.ContractSigned(
            contract_id=contract_id,
            level="county" if centre_id is None else "centre",
            centre_id=centre_id,
            term_from=201711,
            term_to=201810,
            field_ids=[],
            base=[contracts.BaseMonth(period=one, **given) for one, given in months.items()],
            digest="d",
            signed_at=AT,
        ),
    )


def paid(centre_id: str, period: int, pay_fen: int, start: int, end: int) -> FeedEntry:
    return entry(
        contracts.PAYROLL_RECORDED,
        contracts.PayrollRecorded(
            centre_id=centre_id,
            period=period,
            pay_fen=pay_fen,
            headcount_start=start,
            headcount_end=end,
        ),
    )


def booked(period: int, centre_id: str, **amounts: int) -> FeedEntry:
    changes = [
        attribution.BalanceChange(
            centre_id=centre_id,
            field_id=None,
            account=account.replace("__", "."),
            period=period,
            amount_fen=amount,
        )
        for account, amount in amounts.items()
    ]
    return entry(attribution.BALANCES_CHANGED, attribution.BalancesChanged(changes=changes))


def closed(period: int) -> FeedEntry:
    return entry(
        attribution.PERIOD_CLOSED,
        attribution.PeriodClosed(
            period=period,
            entries=0,
            entries_digest="",
            begun_by="finance",
            begun_at=AT,
            closed_by="manager",
            closed_at=AT,
            unresolved_fen=0,
            net_revenue_fen=0,
            warn_above_basis_points=100,
            block_above_basis_points=300,
            approved_by=None,
            approved_at=None,
            approved_reason=None,
            approved_unresolved_fen=None,
            approved_net_revenue_fen=None,
            seal_before="",
            seal="",
        ),
    )


def finished(order_id: str, centre_id: str, *, on_time: bool | None) -> FeedEntry:
    return entry(
        dispatch.ORDER_FINISHED,
        dispatch.OrderFinished(
            order_id=order_id,
            kind=dispatch.OrderKind.REPAIR,
            centre_id=centre_id,
            engineer_id="W01",
            period=201711,
            on_time=on_time,
        ),
    )


def month(**given: int) -> dict[str, int]:
    zero = dict.fromkeys(("revenue", "market_cost", "cash_in", "cash_out", "pay"), 0)
    named = {f"{name}_fen": given.pop(name, 0) for name in zero}
    return named | {"headcount": given.pop("headcount", 0)}


BASE_C1 = month(
    revenue=280_000, market_cost=50_000, cash_in=200_000, cash_out=100_000, pay=60_000, headcount=2
)
BASE_COUNTY = month(
    revenue=400_000, market_cost=70_000, cash_in=300_000, cash_out=150_000, pay=90_000, headcount=3
)


class Peers:
    """The three services as a test makes them speak, and the service that follows them."""

    def __init__(self, app: FastAPI, branch_id: int) -> None:
        self.branch_id = branch_id
        self.contracts = FakeContracts()
        self.attribution = FakeAttribution()
        self.dispatch = FakeDispatch()
        self.use(app)

    def use(self, app: FastAPI) -> None:
        database = app.state.database
        self.followers = [
            follower("/contracts", self.contracts, database),
            follower("/attribution", self.attribution, database),
            follower("/dispatch", self.dispatch, database),
        ]

    async def told(self, *entries: FeedEntry) -> None:
        """Publish entries, each in its service's feed, and follow them."""
        for one in entries:
            peer: FakeFeed = getattr(self, one.type.partition(".")[0])
            peer.publish(self.branch_id, [one])
        await self.follow()

    async def follow(self) -> None:
        for one in self.followers:
            while await one.step(self.branch_id):
                pass


NOVEMBER = (
    booked(201711, "C1", revenue=-300_000, cost__commission=54_000, cash__in=210_000),
    booked(201711, "C1", cash__out__commission=-33_400, receivable=123),
    booked(201711, "C2", revenue=-100_000, refunds=2_000, adjustments=-1_000, cash__in=70_000),
    booked(201711, "C2", cost__lottery=700, cost__tower_rent=4_000, cost__hall_rent=20_000),
    booked(201711, "C0", revenue=-10_000, cash__in=9_000, cash__out__refund=-500),
    paid("C1", 201711, 66_001, 2, 2),
    paid("C2", 201711, 20_000, 1, 1),
)


def at(moment: datetime, one: FeedEntry) -> FeedEntry:
    """Let an entry have been told at a moment."""
    return msgspec.structs.replace(one, time=moment)
