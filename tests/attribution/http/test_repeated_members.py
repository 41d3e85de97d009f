"""An event that names a member twice is in no books: it lies in quarantine until somebody says which it is."""

import json
from collections.abc import Callable

import httpx
import pytest
from attribution.conftest import Sender
from fastapi import FastAPI
from sqlalchemy import select, update

from huaxiao.attribution.intake.reading import read
from huaxiao.attribution.tables import held_events
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.rows import Scope
from huaxiao.shared.wire.attribution import HeldState, IntakeReport


async def post(http: httpx.AsyncClient, token: str, *raws: str) -> IntakeReport:
    answer = await http.post(
        "/v1/events",
        content="[" + ",".join(raws) + "]",
        headers={
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/cloudevents-batch+json",
        },
    )
    assert answer.status_code == 200, answer.text
    return IntakeReport.model_validate_json(answer.content)


@pytest.fixture
def bearer(token: Callable[..., str], county: int) -> str:
    return token(Role.COUNTY_MANAGER, county)


async def test_it_is_refused_alone_kept_as_it_came_and_booked_when_it_is_mended(
    http: httpx.AsyncClient, bearer: str, manager: AttributionClient, county: int, sender: Sender
) -> None:
    right = sender.bill()
    twice = json.dumps(right).replace('"amount_fen"', '"amount_fen": 1, "\\u0061mount_fen"')
    report = await post(http, bearer, json.dumps(sender.opened()), twice)
    assert (report.booked, report.refused) == (1, 1)
    assert [(one.index, one.code) for one in report.outcomes] == [(1, "repeated-member")]
    assert "amount_fen" in report.outcomes[0].message_zh
    (held,) = (await manager.quarantine(county, code="repeated-member")).items
    assert held.body == twice
    assert (await post(http, bearer, twice)).refused == 1
    assert len((await manager.quarantine(county)).items) == 1
    assert (await manager.replay(county, held.held_id, right)).booked == 1
    books = await manager.reconciliation(county, 201711)
    assert sum(one.amount_fen for one in books.revenue_by_centre) == 10_000
    (counted,) = await manager.completeness(county)
    assert (counted.received, counted.booked, counted.refused, counted.held_now) == (3, 1, 2, 0)


async def test_one_that_names_itself_twice_is_not_mended_by_either_of_the_two(
    http: httpx.AsyncClient, bearer: str, manager: AttributionClient, county: int, sender: Sender
) -> None:
    right = sender.bill()
    twice = json.dumps(right).replace('"id":', '"id": "E-0", "id":')
    await post(http, bearer, json.dumps(sender.opened()), twice, json.dumps(right))
    (held,) = (await manager.quarantine(county, state=HeldState.HELD)).items
    assert (held.source, held.event_id, held.code) == ("/bss", None, "repeated-member")


async def test_one_that_waits_since_such_were_taken_stays_with_the_reason_and_stops_nobody(
    app: FastAPI, manager: AttributionClient, county: int, sender: Sender
) -> None:
    bill = sender.bill()
    await manager.post_events([bill])
    raw = json.dumps(bill).replace('"period"', '"period": 201710, "period"').encode()
    async with app.state.database.write(Scope.of_branch(county)) as connection:
        digest = read(raw, now=app.state.clock()).digest
        await connection.execute(
            update(held_events)
            .where(held_events.c.branch_id == county)
            .values(body=raw, digest=digest)
        )
    assert (await manager.post_events([sender.opened(), sender.bill("BI-2")])).booked == 2
    (held,) = (await manager.quarantine(county, state=HeldState.HELD)).items
    assert (held.outcome, held.code) == ("refused", "repeated-member")
    async with app.state.database.read(Scope.of_branch(county)) as connection:
        waits = await connection.scalar(
            select(held_events.c.waiting_for).where(held_events.c.branch_id == county)
        )
    assert waits is None
    assert (await manager.replay(county, held.held_id, bill)).booked == 1
