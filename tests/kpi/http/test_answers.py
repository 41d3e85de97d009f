import asyncio
from collections.abc import Callable, Collection
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection
from support.kpi_feeds import NOVEMBER, Peers, booked

from huaxiao.kpi.answers import Answers, Marks
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.kpi import KpiClient
from huaxiao.shared.database import Database
from huaxiao.shared.periods import Period
from huaxiao.shared.wire.figures import FigureSetIn
from huaxiao.shared.wire.kpi import Measure

PATHS = [
    "targets?period=201711",
    "figures?period=201711&span=year_to_date",
    "comparisons?period=201711&measure=net_revenue",
    "back-cast?period=201711",
    "contributions?period=201711&figure=revenue&centre_id=C1",
    "restatements?since=2017-01-01T00:00:00Z",
    "measures?period=201711",
    "forecasts?period=201711&centre_id=C1",
]


PAY = Measure(
    centre_id="C1",
    period=Period(201711),
    measure="pay",
    unit="fen",  # type: ignore[arg-type]
    amount=1,
    cost_class=None,
)


@pytest.fixture
def kept(app: FastAPI) -> Any:
    before = app.state.answers
    app.state.answers = Answers(app.state.database)
    yield app.state.answers
    app.state.answers = before


@pytest.mark.parametrize("path", PATHS)
async def test_a_report_is_told_again_until_something_becomes_known(
    peers: Peers,
    http: httpx.AsyncClient,
    token: Callable[..., str],
    kept: Answers,
    path: str,
) -> None:
    await peers.told(*NOVEMBER)
    url = f"/v1/branches/{peers.branch_id}/{path}"

    async def ask(role: Role, centre_ids: list[str] | None = None) -> str:
        signed = token(role, peers.branch_id, centre_ids)
        answer = await http.get(url, headers={"Authorization": f"Bearer {signed}"})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        return answer.text

    first = await ask(Role.COUNTY_MANAGER)
    made = len(kept)
    assert await ask(Role.COUNTY_MANAGER) == first
    assert await ask(Role.PROVINCE) == first
    assert len(kept) == made == 1
    # What others may see is another report.
    mine = await ask(Role.CONTRACTOR, ["C1"])
    assert '"C2"' not in mine
    assert len(kept) == 2
    await peers.told(booked(201711, "C1", revenue=-7, cost__commission=-50_000))
    assert await ask(Role.COUNTY_MANAGER) != first
    assert len(kept) == 2


async def test_a_decision_ends_what_was_told_before(
    peers: Peers, caller: Callable[..., KpiClient], kept: Answers
) -> None:
    manager = caller(Role.COUNTY_MANAGER)
    await manager.figures(peers.branch_id, period=201711)
    held = dict(kept.marks())
    await manager.draft_figures(peers.branch_id, 1, FigureSetIn(figures=[]))
    await manager.figures(peers.branch_id, period=201711)

    assert kept.marks().keys() == held.keys()
    assert kept.marks() != held


async def test_what_was_asked_for_is_made_anew_before_anybody_asks_again(
    peers: Peers, http: httpx.AsyncClient, token: Callable[..., str], kept: Answers
) -> None:
    await peers.told(*NOVEMBER)
    signed = {"Authorization": f"Bearer {token(Role.CONTRACTOR, peers.branch_id, ['C1'])}"}
    url = f"/v1/branches/{peers.branch_id}/targets?period=201711"
    before = (await http.get(url, headers=signed)).text
    assert await kept.renew() == 0

    await peers.told(booked(201711, "C1", revenue=-7, cost__commission=-50_000))
    assert await kept.renew() == 1
    renewed = kept.marks()
    after = (await http.get(url, headers=signed)).text

    assert kept.marks() == renewed
    assert after != before
    assert '"C2"' not in after
    # Nobody asks any more: it is made once more, and then left until somebody does.
    await peers.told(booked(201711, "C1", revenue=-7))
    assert await kept.renew() == 1
    await peers.told(booked(201711, "C1", revenue=-7))
    assert await kept.renew() == 0


async def test_who_asks_for_what_is_being_made_waits_for_it(peers: Peers, app: FastAPI) -> None:
    answers = Answers(app.state.database)
    begun, going, made = asyncio.Event(), asyncio.Event(), 0

    async def make(_: AsyncConnection) -> Measure:
        nonlocal made
        made += 1
        begun.set()
        await going.wait()
        if made == 1:
            raise ConnectionError("the database went away")
        return PAY

    async def ask() -> bytes:
        return bytes((await answers.tell(peers.branch_id, ("pay",), make)).body)

    waiting = [asyncio.create_task(ask()) for _ in range(4)]
    await begun.wait()
    waiting[0].cancel()
    going.set()
    failed = await asyncio.gather(*waiting, return_exceptions=True)

    assert made == 1
    assert isinstance(failed[0], asyncio.CancelledError)
    assert all(isinstance(one, ConnectionError) for one in failed[1:])
    # What failed is made anew.
    assert await asyncio.gather(*(ask() for _ in range(4))) == [PAY.model_dump_json().encode()] * 4
    assert made == 2


async def test_reports_are_kept_up_to_a_number_of_bytes(peers: Peers, app: FastAPI) -> None:
    size = len(PAY.model_dump_json())
    answers = Answers(app.state.database, most_bytes=3 * size)

    async def make(_: AsyncConnection) -> Measure:
        return PAY

    for asked in (1, 2, 3, 1, 4, 4):
        await answers.tell(peers.branch_id, (asked,), make)

    assert [asked for _, asked in answers.marks()] == [3, 1, 4]


class Counted(Marks):
    """Marks that tell which branches each read was for, and fail when they are told to."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.reads: list[list[int]] = []
        self.away = False

    async def _read(self, branch_ids: Collection[int]) -> dict[int, tuple[Any, ...]]:
        self.reads.append(sorted(branch_ids))
        if self.away:
            raise ConnectionError("the database went away")
        return await super()._read(branch_ids)


async def test_marks_that_are_asked_together_are_read_together(peers: Peers, app: FastAPI) -> None:
    marks = Counted(app.state.database)
    nowhere = peers.branch_id + 400_000
    asked = (peers.branch_id, nowhere, peers.branch_id)

    first, second, third = await asyncio.gather(*(marks.of(one) for one in asked))

    assert marks.reads == [[peers.branch_id, nowhere]]
    assert first == third != second == ()
    await peers.told(*NOVEMBER)
    assert await marks.of(peers.branch_id) != first


async def test_who_waits_for_a_mark_is_told_when_it_cannot_be_read(
    peers: Peers, app: FastAPI
) -> None:
    marks = Counted(app.state.database)
    marks.away = True
    with pytest.raises(ConnectionError):
        await marks.of(peers.branch_id)
    marks.away = False
    assert await marks.of(peers.branch_id)


async def test_while_many_reports_are_made_those_that_hold_are_told(
    peers: Peers, app: FastAPI
) -> None:
    answers = Answers(app.state.database)
    going, some, begun = asyncio.Event(), asyncio.Event(), 0

    async def make(_: AsyncConnection) -> Measure:
        return PAY

    async def make_slowly(_: AsyncConnection) -> Measure:
        nonlocal begun
        begun += 1
        some.set()
        await going.wait()
        return PAY

    await answers.tell(peers.branch_id, ("held",), make)
    many = [
        asyncio.create_task(answers.tell(peers.branch_id, ("slow", one), make_slowly))
        for one in range(40)
    ]
    await some.wait()
    told = await answers.tell(peers.branch_id, ("held",), make)
    at_once = begun
    going.set()

    assert told.body == PAY.model_dump_json().encode()
    assert at_once < len(many)
    assert {bytes((await one).body) for one in many} == {bytes(told.body)}
    assert begun == len(many)
