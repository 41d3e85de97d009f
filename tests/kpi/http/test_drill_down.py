"""What a measure sums, asked of the real services that own it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from support import work
from support.register import (
    bind,
    contract,
    contractor,
    county_with_centres,
    member_of,
    regional,
)

from huaxiao.attribution import main as attribution_main
from huaxiao.attribution.settings import Settings as AttributionSettings
from huaxiao.attribution.worker import apply_contracts as attribution_follows
from huaxiao.contracts import main as contracts_main
from huaxiao.contracts.settings import Settings as ContractsSettings
from huaxiao.dispatch import main as dispatch_main
from huaxiao.dispatch.settings import Settings as DispatchSettings
from huaxiao.dispatch.worker import apply_attribution as work_comes
from huaxiao.dispatch.worker import apply_contracts as dispatch_follows
from huaxiao.kpi.drill_down.owners import Owners
from huaxiao.kpi.settings import Settings
from huaxiao.kpi.worker import follower
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem, ServiceClient
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.contracts import PayIn
from huaxiao.shared.wire.dispatch import Appraisal, FinalIn, HorizontalIn
from huaxiao.shared.wire.kpi import Measure
from huaxiao.shared.wire.kpi_entries import MeasureEntries

NOVEMBER = 201711
Caller = Callable[..., KpiClient]


@dataclass
class Suite:
    """A county on the four services, with kpi following the other three."""

    branch_id: int
    apps: dict[str, FastAPI]
    issuer: Issuer
    kpi: FastAPI
    made: list[ServiceClient]
    sent: int = 0

    def client(
        self,
        kind: type[ServiceClient],
        service: str,
        role: Role,
        centre_ids: list[str] | None = None,
        person_id: str | None = None,
    ) -> Any:
        signed = self.issuer.token(
            f"test:{role}",
            roles=[role],
            branch_ids=[self.branch_id],
            centre_ids=centre_ids,
            person_id=person_id,
        )
        transport = httpx.ASGITransport(app=self.apps[service])
        self.made.append(kind(f"http://{service}", lambda: signed, transport=transport))
        return self.made[-1]

    def contracts(self, role: Role, centre_ids: list[str] | None = None) -> ContractsClient:
        return self.client(ContractsClient, "contracts", role, centre_ids)

    async def bill(self, centre: str, period: int, amount_fen: int) -> None:
        self.sent += 1
        line, place = f"S-{self.sent}", f"{self.branch_id}10{centre[-1]}201"
        events = (
            (
                "subscription.opened",
                {
                    "subscription_id": line,
                    "standard_address": place,
                    "customer_id": "P",
                    "product": "broadband",
                    "opened_on": "2016-05-01",
                },
            ),
            (
                "bill_item.issued",
                {
                    "bill_item_id": f"BI-{self.sent}",
                    "subscription_id": line,
                    "period": period,
                    "item_kind": "monthly",
                    "amount_fen": amount_fen,
                    "tax_fen": 6,
                },
            ),
        )
        await self.post(*events, period=period)

    async def post(self, *events: tuple[str, dict[str, Any]], period: int = NOVEMBER) -> None:
        """Post what happened on the 28th of a month."""
        given = [
            {
                "specversion": "1.0",
                "id": f"E-{uuid4()}",
                "source": "/bss",
                "type": kind,
                "time": f"{period // 100}-{period % 100:02d}-28T10:00:00+08:00",
                "branchid": self.branch_id,
                "data": data,
            }
            for kind, data in events
        ]
        source = self.client(AttributionClient, "attribution", Role.BSS_SOURCE)
        assert (await source.post_events(given)).booked == len(given)

    async def follow(self) -> None:
        for service in self.apps:
            reader = self.client(ServiceClient, service, Role.AUDITOR)
            one = follower(f"/{service}", reader, self.kpi.state.database)
            while await one.step(self.branch_id):
                pass


@pytest.fixture
async def suite(
    app: FastAPI,
    settings_for: Callable[[str], dict[str, Any]],
    issuer: Issuer,
    branch_id: int,
) -> AsyncIterator[Suite]:
    apps = {
        "contracts": contracts_main.create_app(ContractsSettings(**settings_for("contracts"))),
        "attribution": attribution_main.create_app(
            AttributionSettings(**settings_for("attribution"))
        ),
        "dispatch": dispatch_main.create_app(DispatchSettings(**settings_for("dispatch"))),
    }
    made = Suite(branch_id, apps, issuer, app, [])
    before = app.state.owners
    app.state.owners = Owners(
        Settings(**settings_for("kpi")),
        {name: httpx.ASGITransport(app=one) for name, one in apps.items()},  # type: ignore[misc]
    )
    yield made
    app.state.owners = before
    for client in made.made:
        await client.close()
    for one in apps.values():
        await one.state.database.close()


async def county(suite: Suite) -> None:
    """Register centres with fields, bill them, pay people, and let C1 finish orders and be rated."""
    branch = suite.branch_id

    def caller(role: Role, centre_ids: list[str] | None = None) -> ContractsClient:
        return suite.contracts(role, centre_ids)

    await county_with_centres(caller, branch)
    manager = caller(Role.COUNTY_MANAGER)
    for centre in ("C1", "C2"):
        field_id = f"F{centre[-1]}"
        given = regional(f"{branch}10{centre[-1]}", centre_id=centre)
        await manager.put_field(branch, field_id, given)
        await manager.put_contract(branch, f"CT-{centre}", contract(centre, field_id))
        await bind(caller, branch, f"CT-{centre}")
    told = await manager.feed(branch, after=0)
    for service, follow in (
        ("attribution", attribution_follows),
        ("dispatch", dispatch_follows),
    ):
        async with suite.apps[service].state.database.write(EVERYTHING) as connection:
            await follow(connection, branch, told)
    for amount in (10_000, 2_345, 7):
        await suite.bill("C1", NOVEMBER, amount)
    await suite.bill("C2", NOVEMBER, 999)
    await manager.record_payroll(
        branch,
        [
            PayIn(person_id=contractor(one), centre_id=one, period=NOVEMBER, pay_fen=pay)
            for one, pay in (("C1", 7_000), ("C2", 6_000))
        ],
    )


async def orders(suite: Suite, count: int = 3) -> None:
    branch = suite.branch_id
    asked = [work.work(branch, f"O{number}", address=f"{branch}101201") for number in range(count)]
    async with suite.apps["dispatch"].state.database.write(EVERYTHING) as connection:
        await work_comes(connection, branch, asked)
    manager = suite.client(DispatchClient, "dispatch", Role.COUNTY_MANAGER)
    for order in (await manager.orders(branch)).items:
        engineer = suite.client(
            DispatchClient, "dispatch", Role.ENGINEER, ["C1"], order.engineer_id
        )
        await work.finish(engineer, branch, order.order_id, photo=True, satisfaction=97)


async def every(kpi: KpiClient, branch_id: int) -> list[tuple[Measure, MeasureEntries]]:
    return [
        (
            one,
            await kpi.measure_entries(
                branch_id, one.measure, period=one.period, centre_id=one.centre_id
            ),
        )
        for one in await kpi.measures(branch_id)
    ]


async def test_every_measure_is_the_sum_of_what_its_owner_tells(
    suite: Suite, caller: Caller
) -> None:
    await county(suite)
    await orders(suite)
    await suite.follow()
    kpi = caller(Role.COUNTY_MANAGER)

    found = await every(kpi, suite.branch_id)

    for measure, entries in found:
        assert entries.figure == entries.owner_sum == measure.amount, measure
        assert entries.difference == 0
        assert sum(one.amount for one in entries.items) == measure.amount
        assert entries.next_cursor is None
    owners = {measure.measure: entries.owner for measure, entries in found}
    assert owners["revenue"] == owners["receivable"] == "attribution"
    assert owners["pay"] == owners["headcount.start"] == "contracts"
    assert owners["orders.done"] == "dispatch"
    kinds = {one.kind for _, entries in found for one in entries.items}
    assert kinds == {"ledger_entry", "pay", "person_day", "order"}


async def test_refunds_corrections_costs_and_what_comes_after_a_close_add_up_as_well(
    suite: Suite, caller: Caller
) -> None:
    await county(suite)
    line, item = {"subscription_id": "S-1"}, {"bill_item_id": "BI-1"}
    # Of a kind on no list, and of nobody in particular.
    costs = ({"kind": "lottery", "centre_id": "C1"}, {"kind": "hall_rent"}, {"kind": "tower_rent"})
    of_november: tuple[tuple[str, dict[str, Any]], ...] = (
        ("payment.received", {"payment_id": "P1", "amount_fen": 500} | line),
        ("refund.issued", {"refund_id": "R1", "amount_fen": 70} | item),
        ("adjustment.made", {"adjustment_id": "A1", "amount_fen": -30} | item),
        ("adjustment.made", {"adjustment_id": "A2", "amount_fen": 11} | item),
        ("write_off.made", {"write_off_id": "W1", "amount_fen": 9} | item),
        *(
            (f"cost.{what}", {"cost_id": f"{what}{n}", "period": NOVEMBER, "amount_fen": n} | one)
            for n, one in enumerate(costs, 1)
            for what in ("incurred", "paid")
        ),
    )
    await suite.post(*of_november)
    for role, step in (
        (Role.COUNTY_MANAGER, AttributionClient.begin_closing),
        (Role.COUNTY_FINANCE, AttributionClient.close_period),
    ):
        await step(suite.client(AttributionClient, "attribution", role), suite.branch_id, NOVEMBER)
    await suite.post(
        ("refund.issued", {"refund_id": "R2", "amount_fen": 5} | item),
        ("adjustment.made", {"adjustment_id": "A3", "amount_fen": -4} | item),
    )
    await suite.follow()
    kpi = caller(Role.COUNTY_MANAGER)

    found = await every(kpi, suite.branch_id)

    for measure, entries in found:
        assert entries.difference == 0, measure
        assert sum(one.amount for one in entries.items) == measure.amount, measure
    amounts = {
        (one.period == NOVEMBER, one.measure): one.amount
        for one, _ in found
        if one.centre_id == "C1"
    }
    assert amounts[True, "refunds"] == 70
    assert amounts[True, "adjustments"] == 19
    # What came after the close counts in the first open month.
    assert (amounts[False, "refunds"], amounts[False, "adjustments"]) == (5, 4)
    assert {"cost.lottery", "cash.in", "bad_debt"} <= {name for _, name in amounts}


async def test_a_figure_of_the_past_is_the_sum_of_what_was_booked_by_then(
    suite: Suite, caller: Caller
) -> None:
    await county(suite)
    await suite.follow()
    kpi = caller(Role.AUDITOR)
    key = {"period": NOVEMBER, "centre_id": "C1"}
    before = await kpi.measure_entries(suite.branch_id, "revenue", **key)
    await suite.bill("C1", NOVEMBER, 50)
    await suite.follow()

    now = await kpi.measure_entries(suite.branch_id, "revenue", **key)
    then = await kpi.measure_entries(suite.branch_id, "revenue", **key, known_at=before.known_at)

    assert then == before
    assert (now.figure, now.difference) == ((before.figure or 0) - 50, 0)
    assert len(now.items) == len(before.items) + 1


async def test_who_is_placed_later_leaves_the_heads_of_a_past_moment_as_they_were_known(
    suite: Suite, caller: Caller
) -> None:
    await county(suite)
    await suite.follow()
    kpi, key = caller(Role.AUDITOR), {"period": NOVEMBER, "centre_id": "C1"}
    before = await kpi.measure_entries(suite.branch_id, "headcount.end", **key)
    moved = member_of("C2").model_copy(update={"from_day": date(2017, 11, 15)})
    manager = suite.contracts(Role.COUNTY_MANAGER)
    await manager.put_person(suite.branch_id, contractor("C1"), moved)
    await suite.follow()

    now = await kpi.measure_entries(suite.branch_id, "headcount.end", **key)
    then = await kpi.measure_entries(
        suite.branch_id, "headcount.end", **key, known_at=before.known_at
    )

    assert then == before
    assert (now.figure, now.difference) == ((before.figure or 0) - 1, 0)


async def test_who_moves_within_a_month_is_counted_where_they_were_on_its_first_and_last_day(
    suite: Suite, caller: Caller
) -> None:
    await county(suite)
    manager, branch, december = suite.contracts(Role.COUNTY_MANAGER), suite.branch_id, 201712
    moved = member_of("C2").model_copy(update={"from_day": date(2017, 12, 15)})
    await manager.put_person(branch, contractor("C1"), moved)
    paid = [
        PayIn(person_id=contractor(one), centre_id=one, period=december, pay_fen=pay)
        for one, pay in (("C1", 3_000), ("C2", 4_000))
    ]
    await manager.record_payroll(branch, paid)
    await suite.follow()

    found = await every(caller(Role.COUNTY_MANAGER), branch)

    assert {
        (one.centre_id, one.measure): one.amount for one, _ in found if one.period == december
    } == {
        ("C1", "headcount.start"): 1,
        ("C1", "headcount.end"): 0,
        ("C1", "pay"): 3_000,
        ("C2", "headcount.start"): 1,
        ("C2", "headcount.end"): 2,
        ("C2", "pay"): 4_000,
    }
    for measure, entries in found:
        assert entries.difference == 0, measure
        assert sum(one.amount for one in entries.items) == measure.amount, measure


async def test_what_differs_from_the_owner_is_told_and_never_hidden(
    suite: Suite, caller: Caller, tamper: Callable[..., Any]
) -> None:
    await county(suite)
    await suite.follow()
    await tamper(
        "UPDATE kpi.measure_changes SET amount = amount - 5"
        f" WHERE branch_id = {suite.branch_id} AND measure = 'revenue' AND centre_id = 'C2'"
    )
    kpi = caller(Role.COUNTY_MANAGER)

    found = await kpi.measure_entries(suite.branch_id, "revenue", period=NOVEMBER, centre_id="C2")

    assert (found.figure, found.owner_sum, found.difference) == (-1_004, -999, 5)
    late = await kpi.measure_entries(
        suite.branch_id, "cost.lottery", period=NOVEMBER, centre_id="C2"
    )
    assert (late.figure, late.owner_sum, late.difference, late.items) == (None, 0, 0, [])


async def test_what_is_not_followed_yet_shows_as_a_difference_now(
    suite: Suite, caller: Caller
) -> None:
    await county(suite)
    await suite.follow()
    await suite.bill("C2", NOVEMBER, 106)
    kpi = caller(Role.COUNTY_MANAGER)
    key = {"period": NOVEMBER, "centre_id": "C2"}

    followed = await kpi.measure_entries(suite.branch_id, "revenue", **key)
    now = await kpi.measure_entries(suite.branch_id, "revenue", **key, known_at=datetime.now(UTC))

    assert (followed.owner_sum, followed.difference) == (-999, 0)
    assert (now.figure, now.owner_sum, now.difference) == (-999, -1_105, -106)


async def test_entries_come_in_pages_each_once_beside_the_whole_sum(
    suite: Suite, caller: Caller
) -> None:
    await county(suite)
    await orders(suite)
    await suite.follow()
    kpi = caller(Role.COUNTY_MANAGER)

    for measure, count in (("revenue", 3), ("orders.done", 3)):
        seen, cursor, pages = [], None, 0
        while True:
            page = await kpi.measure_entries(
                suite.branch_id, measure, period=NOVEMBER, centre_id="C1", cursor=cursor, limit=2
            )
            seen += page.items
            pages += 1
            cursor = page.next_cursor
            if cursor is None:
                break
        assert (len(seen), pages) == (count, 2)
        assert sum(one.amount for one in seen) == page.owner_sum


async def rated(suite: Suite) -> Appraisal:
    """Let G1 rate C1, which confirms."""
    given = HorizontalIn(
        period=NOVEMBER, rater_centre_id="G1", ratee_centre_id="C1", cooperation_stars=4
    )
    rater = suite.client(DispatchClient, "dispatch", Role.CONTRACTOR, ["G1"])
    ratee = suite.client(DispatchClient, "dispatch", Role.CONTRACTOR, ["C1"])
    made: Appraisal = await rater.appraise_horizontal(suite.branch_id, given)
    await ratee.confirm_appraisal(suite.branch_id, made.appraisal_id)
    return made


async def test_appraisals_are_counted_and_their_scores_summed(suite: Suite, caller: Caller) -> None:
    await county(suite)
    await orders(suite, 6)
    branch = suite.branch_id
    made = await rated(suite)
    await suite.follow()

    found = {
        measure.measure: entries
        for measure, entries in await every(caller(Role.PROVINCE), branch)
        if measure.measure.startswith("appraisal.")
    }

    assert made.score is not None
    assert found["appraisal.horizontal.count"].owner_sum == 1
    assert found["appraisal.horizontal.score"].owner_sum == int(made.score * 100)
    assert {one.difference for one in found.values()} == {0}


async def test_a_card_that_is_published_while_it_may_be_appealed_is_counted_and_listed(
    suite: Suite, caller: Caller
) -> None:
    await county(suite)
    await orders(suite, 6)
    branch = suite.branch_id
    await rated(suite)
    own = suite.client(DispatchClient, "dispatch", Role.CONTRACTOR, ["C1"])
    manager = suite.client(DispatchClient, "dispatch", Role.COUNTY_MANAGER)
    engineer_id = (await manager.orders(branch)).items[0].engineer_id
    given = FinalIn(period=NOVEMBER, person_id=engineer_id, stars={"own_sales": 4, "own_safety": 4})
    made = await own.appraise_final(branch, given)
    await suite.follow()

    found = {
        measure.measure: entries
        for measure, entries in await every(caller(Role.PROVINCE), branch)
        if measure.measure.startswith("appraisal.")
    }

    assert not made.confirmed
    assert {one.difference for one in found.values()} == {0}
    assert found["appraisal.final.count"].owner_sum == 1


async def test_nobody_drills_into_another_centre(suite: Suite, caller: Caller) -> None:
    await county(suite)
    await suite.follow()
    mine = caller(Role.CONTRACTOR, ["C1"])
    found = await mine.measure_entries(suite.branch_id, "pay", period=NOVEMBER, centre_id="C1")
    assert found.owner_sum == 7_000
    with pytest.raises(PeerProblem) as refused:
        await mine.measure_entries(suite.branch_id, "pay", period=NOVEMBER, centre_id="C2")
    assert refused.value.status == 404
    with pytest.raises(PeerProblem) as unknown:
        await mine.measure_entries(suite.branch_id, "luck", period=NOVEMBER, centre_id="C1")
    assert unknown.value.code == "not-found"


async def test_an_owner_that_is_away_or_refuses_is_named(
    suite: Suite, caller: Caller, app: FastAPI, settings_for: Callable[[str], dict[str, Any]]
) -> None:
    await county(suite)
    await suite.follow()
    kpi = caller(Role.COUNTY_MANAGER)
    key = {"period": NOVEMBER, "centre_id": "C1"}

    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    def refuses(_: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"code": "forbidden"})

    codes = []
    for answer in (away, refuses):
        transport = httpx.MockTransport(answer)
        app.state.owners = Owners(Settings(**settings_for("kpi")), {"attribution": transport})
        with pytest.raises(PeerProblem) as refused:
            await kpi.measure_entries(suite.branch_id, "revenue", **key)
        codes.append((refused.value.status, refused.value.code))
    keyless = settings_for("kpi") | {"signing_key_file": None}
    app.state.owners = Owners(Settings(**keyless))
    with pytest.raises(PeerProblem) as refused:
        await kpi.measure_entries(suite.branch_id, "revenue", **key)
    codes.append((refused.value.status, refused.value.code))

    assert codes == [(503, "unavailable"), (502, "owner-refused"), (503, "unavailable")]


async def test_pay_is_listed_by_person_as_it_was_recorded(suite: Suite) -> None:
    await county(suite)
    manager = suite.contracts(Role.COUNTY_MANAGER)
    found = await manager.payroll(suite.branch_id, period=NOVEMBER)
    assert [(one.person_id, one.pay_fen) for one in found] == [("P-C1", 7_000), ("P-C2", 6_000)]
    own = await suite.contracts(Role.CONTRACTOR, ["C2"]).payroll(suite.branch_id, period=NOVEMBER)
    assert [one.centre_id for one in own] == ["C2"]
    long_ago = datetime.combine(date(2017, 1, 1), datetime.min.time(), UTC)
    assert await manager.payroll(suite.branch_id, period=NOVEMBER, known_at=long_ago) == []
    assert await manager.payroll(suite.branch_id, period=201712) == []
