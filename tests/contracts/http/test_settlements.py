"""Settlements over the real services: contracts asks attribution and dispatch for what it settles."""

import asyncio
import io
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pypdf import PdfReader
from sqlalchemy import event, insert, update
from sqlalchemy.exc import DBAPIError
from support import work
from support.register import (
    Caller,
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
from huaxiao.contracts.settlements.peers import Peers
from huaxiao.contracts.sheets.files import read_rows
from huaxiao.contracts.tables import statements
from huaxiao.dispatch import main as dispatch_main
from huaxiao.dispatch.settings import Settings as DispatchSettings
from huaxiao.dispatch.tables import appraisal_revisions, appraisals
from huaxiao.dispatch.worker import apply_attribution as work_comes
from huaxiao.dispatch.worker import apply_contracts as dispatch_follows
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.money import fen_of_yuan
from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.unit_of_work import sqlstate
from huaxiao.shared.wire.attribution import DraftField
from huaxiao.shared.wire.contracts import CentreIn, CentreKind, FieldKind, FieldScopeIn
from huaxiao.shared.wire.negative_list import DecisionIn, ViolationIn
from huaxiao.shared.wire.products import Product
from huaxiao.shared.wire.settlement import (
    AnswerIn,
    CorrectionIn,
    DepositMovementIn,
    ObjectionIn,
    SettlementStatement,
    SettlementWhatIfIn,
    Side,
    StatementFormat,
    StatementState,
)
from huaxiao.shared.wire.supplements import SUPPLEMENT_SIGNED, ExitGround, ExitIn, SupplementIn
from huaxiao.shared.wire.terms import (
    ContractTerms,
    ExitTerms,
    LineFee,
    Parties,
    ProfitShare,
    RiskDeposit,
    SupportPerformance,
)

YUAN = 100
TERM = 201711
SETTLING_ROUNDS = int(os.environ.get("SETTLING_ROUNDS", "2"))
"""How often twenty settle one period at once; ``SETTLING_ROUNDS=50`` for a thousand."""


@pytest.fixture(scope="session")
async def peers(
    app: FastAPI, settings_for: Callable[[str], dict[str, Any]]
) -> AsyncIterator[dict[str, FastAPI]]:
    """Run attribution and dispatch beside contracts."""
    made = {
        "attribution": attribution_main.create_app(
            AttributionSettings(**settings_for("attribution"))
        ),
        "dispatch": dispatch_main.create_app(DispatchSettings(**settings_for("dispatch"))),
    }
    transports = {f"{name}_transport": httpx.ASGITransport(app=one) for name, one in made.items()}
    app.state.peers = Peers("http://attribution", "http://dispatch", **transports)
    yield made
    for one in made.values():
        await one.state.database.close()


@dataclass
class County:
    """A county whose C1 and C2 contract, with attribution and dispatch following."""

    branch_id: int
    contracts: ContractsClient
    source: AttributionClient
    books: AttributionClient
    finance_of_books: AttributionClient
    peers: dict[str, FastAPI]
    sent: int = 0

    async def bill(self, centre: str, period: int, yuan: int) -> None:
        """Bill a line in a centre's field, without VAT."""
        self.sent += 1
        line = f"S-{self.sent}"
        place = f"{self.branch_id}10{centre[-1]}201"
        opened = {"customer_id": "P", "product": "broadband", "opened_on": "2016-05-01"}
        await self._post(
            period,
            ("subscription.opened", {"subscription_id": line, "standard_address": place} | opened),
            (
                "bill_item.issued",
                {
                    "bill_item_id": f"BI-{self.sent}",
                    "subscription_id": line,
                    "period": period,
                    "item_kind": "monthly",
                    "amount_fen": yuan * YUAN,
                    "tax_fen": 0,
                },
            ),
        )

    async def _post(self, period: int, *events: tuple[str, dict[str, Any]]) -> None:
        given = [
            {
                "specversion": "1.0",
                "id": f"E-{self.sent}-{index}",
                "source": "/bss",
                "type": kind,
                "time": f"{period // 100}-{period % 100:02d}-28T10:00:00+08:00",
                "branchid": self.branch_id,
                "data": data,
            }
            for index, (kind, data) in enumerate(events)
        ]
        report = await self.source.post_events(given)
        assert report.booked == len(given), report

    async def close(self, *periods: int) -> None:
        for period in periods:
            await self.books.begin_closing(self.branch_id, period)
            await self.finance_of_books.close_period(self.branch_id, period)

    async def settle(self, contract_id: str, period: int) -> SettlementStatement:
        """Draft a statement and let both sides confirm it."""
        [outcome] = await self.contracts.settle(self.branch_id, period, [contract_id])
        assert outcome.statement is not None, outcome
        return await self.contracts.settlement_statement(self.branch_id, contract_id, period)


@pytest.fixture
async def county(
    peers: dict[str, FastAPI],
    manager: ContractsClient,
    branch_id: int,
    token: Callable[..., str],
    caller: Caller,
) -> AsyncIterator[County]:
    await county_with_centres(caller, branch_id)
    for centre in ("C1", "C2"):
        field_id = f"F{centre[-1]}"
        await manager.put_field(
            branch_id, field_id, regional(f"{branch_id}10{centre[-1]}", centre_id=centre)
        )
        given = contract(centre, field_id, base_fen=1_000 * YUAN, install_fee_fen=70 * YUAN)
        await manager.put_contract(branch_id, f"CT-{centre}", given)
        await bind(caller, branch_id, f"CT-{centre}")
    entries = await manager.feed(branch_id, after=0)
    for name, follow in (("attribution", attribution_follows), ("dispatch", dispatch_follows)):
        async with peers[name].state.database.write(EVERYTHING) as connection:
            await follow(connection, branch_id, entries)
    transport = httpx.ASGITransport(app=peers["attribution"])
    books = [
        AttributionClient(
            "http://attribution", partial(str, token(role, branch_id)), transport=transport
        )
        for role in (Role.BSS_SOURCE, Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)
    ]
    source, chief, finance = books
    yield County(branch_id, manager, source, chief, finance, peers)
    for client in books:
        await client.close()


@pytest.fixture
def finance(caller: Caller) -> ContractsClient:
    return caller(Role.COUNTY_FINANCE)


@pytest.fixture
def boss(caller: Caller) -> ContractsClient:
    """Return the contractor of C1."""
    return caller(Role.CONTRACTOR, ["C1"])


def amounts(statement: SettlementStatement, code: str) -> list[int]:
    return [line.amount_fen for line in statement.lines if line.code == code]


async def both_confirm(
    county: County, finance: ContractsClient, boss: ContractsClient, period: int = TERM
) -> SettlementStatement:
    statement = await county.settle("CT-C1", period)
    key = (county.branch_id, "CT-C1", period, statement.digest)
    await finance.confirm_settlement(*key)
    return await boss.confirm_settlement(*key)


async def test_a_month_is_settled_from_what_attribution_booked_to_a_statement_both_confirm(
    county: County, finance: ContractsClient, boss: ContractsClient
) -> None:
    await county.bill("C1", TERM, 1_200)
    await county.bill("C2", TERM, 900)
    await county.close(TERM)

    [one, two, of_county] = await county.contracts.settle(county.branch_id, TERM)
    drafted = await boss.settlement_statement(county.branch_id, "CT-C1", TERM)
    after_one = await finance.confirm_settlement(county.branch_id, "CT-C1", TERM, drafted.digest)
    closed = await boss.confirm_settlement(county.branch_id, "CT-C1", TERM, drafted.digest)

    assert [each.contract_id for each in (one, two, of_county)] == ["CT-C1", "CT-C2", "CT-COUNTY"]
    assert amounts(drafted, "revenue") == [1_200 * YUAN]
    # 200 yuan over the base of 1,000: 50 at 5 %, 150 at 10 %, of which 80 % is paid in advance.
    assert amounts(drafted, "share.tier") == [250, 1_500]
    assert drafted.net_fen == 1_400
    assert of_county.statement is not None
    assert of_county.statement.net_fen > 0
    assert after_one.state is StatementState.DRAFT
    assert (closed.state, len(closed.confirmations)) == (StatementState.CLOSED, 2)
    facts = await county.contracts.feed(county.branch_id, after=0)
    assert [one.subject for one in facts if one.type == "contracts.statement.closed"] == [
        f"CT-C1/{TERM}"
    ]
    [again, *_] = await county.contracts.settle(county.branch_id, TERM, ["CT-C1"])
    assert again.outcome == "closed"


async def test_a_support_centre_is_paid_by_its_reverse_score_and_corrected_when_it_is_restated(
    county: County, caller: Caller, finance: ContractsClient
) -> None:
    branch_id, manager = county.branch_id, county.contracts
    await manager.put_centre(
        branch_id, "SS", CentreIn(kind=CentreKind.SUPPORT, name="SS", name_zh="综合服务支撑中心")
    )
    await manager.put_person(branch_id, contractor("SS"), member_of("SS"))
    agreed = contract("SS", base_fen=0)
    pay = SupportPerformance(amount_fen=10_000 * YUAN)
    terms = agreed.terms.model_copy(update={"support_performance": pay})
    base = [one.model_copy(update={"revenue_fen": 0, "market_cost_fen": 0}) for one in agreed.base]
    await manager.put_contract(
        branch_id, "CT-SS", agreed.model_copy(update={"terms": terms, "base": base})
    )
    await bind(caller, branch_id, "CT-SS")
    await _reverse_score(county, 1, "175/2")
    await county.close(TERM)

    drafted = await county.settle("CT-SS", TERM)

    assert amounts(drafted, "support.fixed") == [6_000 * YUAN]
    assert amounts(drafted, "support.appraised") == [3_500 * YUAN]
    assert drafted.net_fen == 9_500 * YUAN
    await finance.confirm_settlement(branch_id, "CT-SS", TERM, drafted.digest)
    leads = caller(Role.CONTRACTOR, ["SS"])
    await leads.confirm_settlement(branch_id, "CT-SS", TERM, drafted.digest)
    await _reverse_score(county, 2, "80")
    await county.close(TERM + 1)
    second = await county.settle("CT-SS", TERM + 1)
    assert amounts(second, "correction.support") == [-300 * YUAN]
    verified = await manager.verify_settlement(branch_id, "CT-SS", TERM)
    assert verified.agrees


async def test_lines_in_care_are_paid_for_as_attribution_counts_them(
    county: County, boss: ContractsClient
) -> None:
    terms = await terms_with(county, line_fees=[LineFee(product=Product.BROADBAND, fee_fen=350)])
    given = SettlementWhatIfIn(period_from=TERM, period_to=TERM, terms=terms)
    for centre in ("C1", "C1", "C2"):
        await county.bill(centre, TERM, 600)
    await county.close(TERM)

    tried = await county.contracts.settle_what_if(county.branch_id, "CT-C1", given)

    assert tried.difference_fen == 2 * 350
    agreed = SupplementIn(effective_from=TERM, reason="自聘装维", terms=terms)
    supplement = await county.contracts.draft_supplement(county.branch_id, "CT-C1", agreed)
    for client in (boss, county.contracts):
        await client.sign_supplement(
            county.branch_id, "CT-C1", supplement.number, supplement.digest
        )
    drafted = await county.settle("CT-C1", TERM)
    assert amounts(drafted, "line_fee") == [2 * 350]
    verified = await county.contracts.verify_settlement(county.branch_id, "CT-C1", TERM)
    assert verified.agrees


async def _reverse_score(county: County, revision: int, exact: str) -> None:
    """Let dispatch have a reverse card of the support centre, at its next revision."""
    card = {"branch_id": county.branch_id, "appraisal_id": "R1-1"}
    when = datetime.now(UTC)
    async with county.peers["dispatch"].state.database.write(EVERYTHING) as connection:
        if revision == 1:
            await connection.execute(
                insert(appraisals).values(
                    **card,
                    kind="reverse",
                    period=TERM,
                    ratee_centre_id="SS",
                    made_at=when,
                    confirmed_at=when,
                    published_at=when,
                    given={},
                    explanation={},
                )
            )
        await connection.execute(
            insert(appraisal_revisions).values(
                **card,
                number=revision,
                cause="submitted",
                exact_score=exact,
                explanation={},
                by="x",
                at=when,
                recorded_at=when,
            )
        )


@pytest.mark.parametrize("wanted", [StatementFormat.CSV, StatementFormat.XLSX])
async def test_a_statement_is_a_sheet_whose_counting_lines_add_up_to_the_net(
    county: County, finance: ContractsClient, boss: ContractsClient, wanted: StatementFormat
) -> None:
    await county.bill("C1", TERM, 1_200)
    await county.close(TERM)
    closed = await both_confirm(county, finance, boss)

    content = await boss.settlement_sheet(county.branch_id, "CT-C1", TERM, wanted)

    _, *read = read_rows(io.BytesIO(content))
    rows = [[*row, *[""] * (7 - len(row))] for row in read]
    lines = [row for row in rows if row[0]]
    assert len(lines) == len(closed.lines)
    counted = [fen_of_yuan(row[3]) for row in lines if row[4] == "是"]
    assert sum(counted) == closed.net_fen == 1_400
    assert [row[6] for row in rows if row[1] == "摘要"] == [closed.digest]
    assert [row[1] for row in rows[-2:]] == ["发包方确认", "承包方确认"]


def pages_of(content: bytes) -> list[str]:
    """Read a PDF back, each page's text without the spaces and breaks that setting it brought."""
    return ["".join(one.extract_text().split()) for one in PdfReader(io.BytesIO(content)).pages]


async def test_a_statement_is_printed_with_its_state_and_digest_on_every_page(
    county: County, finance: ContractsClient, boss: ContractsClient, caller: Caller
) -> None:
    key = (county.branch_id, "CT-C1", TERM)
    await county.bill("C1", TERM, 1_200)
    provisional = await county.settle("CT-C1", TERM)
    first = pages_of(await boss.settlement_sheet(*key, StatementFormat.PDF))
    await county.close(TERM)
    drafted = await county.settle("CT-C1", TERM)
    second = pages_of(await boss.settlement_sheet(*key, StatementFormat.PDF))
    closed = await both_confirm(county, finance, boss)

    written = await boss.settlement_sheet(*key, StatementFormat.PDF)

    assert all("草案" in page and "暂估" in page for page in first)
    assert all(provisional.digest in page for page in first)
    assert all("草案" in page and "暂估" not in page for page in second)
    assert "双方均未确认" in second[-1]
    assert drafted.digest == closed.digest
    pages = pages_of(written)
    for number, page in enumerate(pages, 1):
        assert f"摘要（SHA-256）：{closed.digest}" in page
        assert f"第{number}页/共{len(pages)}页" in page
        assert "草案" not in page
        assert "暂估" not in page
    text = "".join(pages)
    for expected in (
        "CT-C1", "云泽县分公司", f"承包方（{contractor('C1')}）", str(TERM), "已关闭Closed",
        f"{closed.known_at.astimezone(BUSINESS_ZONE):%Y-%m-%d%H:%M:%S}",
        "净额Net14.00", "本期分成Shareofthisperiod14.00",
        *(line.name_zh for line in closed.lines),
        *(one.by for one in closed.confirmations),
    ):  # fmt: skip
        assert expected in text, expected
    assert await boss.settlement_sheet(*key, StatementFormat.PDF) == written
    with pytest.raises(PeerProblem) as refused:
        await caller(Role.CONTRACTOR, ["C2"]).settlement_sheet(*key, StatementFormat.PDF)
    assert refused.value.status == 404


async def test_the_same_figures_again_are_the_same_statement_and_others_a_new_revision(
    county: County,
) -> None:
    await county.bill("C1", TERM, 1_200)

    [first] = await county.contracts.settle(county.branch_id, TERM, ["CT-C1"])
    [again] = await county.contracts.settle(county.branch_id, TERM, ["CT-C1"])
    await county.bill("C1", TERM, 100)
    [other] = await county.contracts.settle(county.branch_id, TERM, ["CT-C1"])

    assert (first.outcome, again.outcome, other.outcome) == ("drafted", "unchanged", "revised")
    assert first.statement is not None
    assert other.statement is not None
    assert first.statement == again.statement
    assert (first.statement.revision, other.statement.revision) == (1, 2)


async def test_two_runs_at_once_give_one_statement(county: County) -> None:
    await county.bill("C1", TERM, 1_200)

    runs = await asyncio.gather(
        *(county.contracts.settle(county.branch_id, TERM) for _ in range(4))
    )

    outcomes = sorted(one.outcome for run in runs for one in run if one.contract_id == "CT-C1")
    assert outcomes == ["drafted", "unchanged", "unchanged", "unchanged"]
    found = await county.contracts.settlement_statements(county.branch_id, contract_id="CT-C1")
    assert [one.revision for one in found] == [1]


async def test_of_many_runs_at_once_one_drafts_and_none_fails(county: County) -> None:
    clients = 20
    for _ in range(SETTLING_ROUNDS):
        await county.bill("C1", TERM, 100)
        runs = await asyncio.gather(
            *(county.contracts.settle(county.branch_id, TERM, ["CT-C1"]) for _ in range(clients))
        )
        outcomes = Counter(one.outcome for run in runs for one in run)
        assert outcomes["unchanged"] == clients - 1
        assert outcomes["drafted"] + outcomes["revised"] == 1


class CrashError(Exception):
    """Stands for the end of the process: nothing after it is done."""


async def test_a_run_that_is_cut_off_at_any_step_leaves_nothing_and_is_the_same_again(
    county: County, app: FastAPI
) -> None:
    """Cut off before every statement that it sends, and before its commit, one after another."""
    await county.bill("C1", TERM, 1_200)
    engine = app.state.database.engine.sync_engine
    written: list[str] = []
    step, cut_at = 0, 0

    def at_statement(
        _connection: Any, _cursor: Any, statement: str, given: Any, _context: Any, _many: Any
    ) -> None:
        at_step()
        if statement.startswith("INSERT INTO contracts.statements "):
            written.append(repr(given))

    def at_step(_connection: Any = None) -> None:
        nonlocal step
        step += 1
        if step == cut_at:
            raise CrashError

    now, moment = app.state.clock, app.state.clock()
    app.state.clock = lambda: moment
    event.listen(engine, "before_cursor_execute", at_statement)
    event.listen(engine, "commit", at_step)
    try:
        while True:
            step, cut_at = 0, cut_at + 1
            try:
                [outcome] = await county.contracts.settle(county.branch_id, TERM, ["CT-C1"])
                break
            except CrashError:
                found = await county.contracts.settlement_statements(county.branch_id)
                assert found == [], f"cut off at step {cut_at}"
    finally:
        event.remove(engine, "before_cursor_execute", at_statement)
        event.remove(engine, "commit", at_step)
        app.state.clock = now

    assert cut_at > 10
    assert outcome.outcome == "drafted"
    assert len(written) > 2
    assert len(set(written)) == 1
    [again] = await county.contracts.settle(county.branch_id, TERM, ["CT-C1"])
    assert (again.outcome, again.statement) == ("unchanged", outcome.statement)


async def test_open_books_other_figures_and_an_unanswered_objection_are_not_confirmed(
    county: County, finance: ContractsClient, boss: ContractsClient
) -> None:
    await county.bill("C1", TERM, 1_200)
    provisional = await county.settle("CT-C1", TERM)
    assert provisional.provisional
    key = (county.branch_id, "CT-C1", TERM)

    async def code_of(confirming: ContractsClient, digest: str) -> str:
        with pytest.raises(PeerProblem) as refused:
            await confirming.confirm_settlement(*key, digest)
        return refused.value.code

    assert await code_of(finance, provisional.digest) == "books-open"
    await county.close(TERM)
    final = await county.settle("CT-C1", TERM)
    assert (final.revision, final.net_fen) == (2, provisional.net_fen)
    assert await code_of(finance, provisional.digest) == "digest-mismatch"
    objected = await boss.object_to_settlement(*key, ObjectionIn(line=1, text="少计一户"))
    assert await code_of(finance, final.digest) == "objection-open"
    with pytest.raises(PeerProblem) as own:
        await boss.answer_objection(*key, 1, AnswerIn(text="无"))
    answered = await finance.answer_objection(*key, 1, AnswerIn(text="该户属乡镇中心"))
    with pytest.raises(PeerProblem) as again:
        await finance.answer_objection(*key, 1, AnswerIn(text="另一答复"))
    with pytest.raises(PeerProblem) as nowhere:
        await boss.object_to_settlement(*key, ObjectionIn(line=999, text="无此行"))
    closed = await both_confirm(county, finance, boss)

    assert [one.answer for one in objected.objections] == [None]
    assert [one.answer for one in answered.objections] == ["该户属乡镇中心"]
    assert (own.value.code, again.value.code, nowhere.value.code) == (
        "two-people",
        "conflict",
        "no-such-line",
    )
    assert closed.state is StatementState.CLOSED
    with pytest.raises(PeerProblem) as late:
        await boss.object_to_settlement(*key, ObjectionIn(line=1, text="太晚"))
    assert late.value.code == "statement-closed"


async def test_a_period_is_settled_when_the_one_before_is_closed(
    county: County, finance: ContractsClient, boss: ContractsClient
) -> None:
    await county.bill("C1", TERM, 1_200)
    await county.bill("C1", 201712, 1_200)
    await county.close(TERM)

    [early] = await county.contracts.settle(county.branch_id, 201712, ["CT-C1"])
    [outside] = await county.contracts.settle(county.branch_id, 201710, ["CT-C1"])
    await both_confirm(county, finance, boss)
    second = await county.settle("CT-C1", 201712)

    assert (early.outcome, early.code) == ("refused", "earlier-statement-open")
    assert (outside.outcome, outside.code) == ("refused", "not-in-term")
    assert amounts(second, "gross_profit.to_date") == [2_400 * YUAN]
    assert amounts(second, "share.settled_before") == [1_400]
    assert amounts(second, "share") == [1_400]


async def test_a_month_before_the_first_booking_is_closed_with_the_first_that_is(
    county: County, finance: ContractsClient, boss: ContractsClient
) -> None:
    await county.bill("C1", 201712, 1_200)
    before = await county.settle("CT-C1", TERM)
    await county.close(201712)

    closed = await both_confirm(county, finance, boss)
    second = await county.settle("CT-C1", 201712)

    assert before.provisional
    assert (closed.state, closed.provisional) == (StatementState.CLOSED, False)
    assert not second.provisional


async def finish_order(county: County, token: Callable[..., str], order_id: str) -> None:
    """Have an order of November asked for, and done by C1's contractor himself."""
    dispatch = county.peers["dispatch"]
    async with dispatch.state.database.write(EVERYTHING) as connection:
        place = f"{county.branch_id}101201"
        entry = work.work(county.branch_id, order_id, customer_class="public", address=place)
        await work_comes(connection, county.branch_id, [entry])
    signed = token(Role.ENGINEER, county.branch_id, ["C1"], contractor("C1"))
    transport = httpx.ASGITransport(app=dispatch)
    async with DispatchClient("http://dispatch", lambda: signed, transport=transport) as engineer:
        await work.finish(engineer, county.branch_id, order_id)


async def test_orders_are_paid_by_their_fees_and_one_that_comes_late_is_a_correction(
    county: County, finance: ContractsClient, boss: ContractsClient, token: Callable[..., str]
) -> None:
    await county.bill("C1", TERM, 1_000)
    await county.close(TERM)
    await finish_order(county, token, "O-1")
    first = await both_confirm(county, finance, boss)
    await finish_order(county, token, "O-2")

    second = await county.settle("CT-C1", 201712)

    assert amounts(first, "order_fee") == [70 * YUAN]
    assert first.net_fen == 70 * YUAN
    assert amounts(second, "order_fee") == []
    [late] = [line for line in second.lines if line.code == "correction.order_fees"]
    assert (late.amount_fen, late.about) == (70 * YUAN, {"period": TERM})


async def test_a_statement_is_computed_again_to_the_fen_and_a_changed_one_is_found(
    county: County, tamper: Callable[[str], Any]
) -> None:
    await county.bill("C1", TERM, 1_200)
    await county.settle("CT-C1", TERM)
    key = (county.branch_id, "CT-C1", TERM)

    sound = await county.contracts.verify_settlement(*key)
    await tamper(
        "UPDATE contracts.statement_revisions SET answer = jsonb_set(answer, '{net_fen}', '9')"
        f" WHERE branch_id = {county.branch_id}"
    )
    changed = await county.contracts.verify_settlement(*key)

    assert (sound.agrees, sound.first_difference) == (True, None)
    assert (changed.agrees, changed.first_difference) == (False, "/net_fen")


async def test_a_closed_statement_is_held_by_the_database(
    county: County, finance: ContractsClient, boss: ContractsClient, app: FastAPI
) -> None:
    await county.bill("C1", TERM, 1_200)
    await county.close(TERM)
    await both_confirm(county, finance, boss)

    with pytest.raises(DBAPIError) as held:
        async with app.state.database.write(EVERYTHING) as connection:
            await connection.execute(
                update(statements)
                .where(statements.c.branch_id == county.branch_id)
                .values(closed_at=None)
            )

    assert sqlstate(held.value) == "23001"


async def test_a_correction_takes_two_people_and_counts_once(
    county: County, finance: ContractsClient, boss: ContractsClient
) -> None:
    await county.bill("C1", TERM, 1_000)
    await county.close(TERM, 201712)
    given = CorrectionIn(of_period=TERM, amount_fen=5_000, reason="漏计一单")
    with pytest.raises(PeerProblem) as too_early:
        await finance.draft_correction(county.branch_id, "CT-C1", given)
    await both_confirm(county, finance, boss)

    drafted = await finance.draft_correction(county.branch_id, "CT-C1", given)
    with pytest.raises(PeerProblem) as alone:
        await finance.approve_correction(county.branch_id, "CT-C1", drafted.number)
    before = await county.settle("CT-C1", 201712)
    await county.contracts.approve_correction(county.branch_id, "CT-C1", drafted.number)
    await both_confirm(county, finance, boss, 201712)
    second = await boss.settlement_statement(county.branch_id, "CT-C1", 201712)
    third = await county.settle("CT-C1", 201801)

    assert too_early.value.code == "statement-not-closed"
    assert alone.value.code == "two-people"
    assert amounts(before, "correction.agreed") == []
    assert amounts(second, "correction.agreed") == [5_000]
    assert amounts(third, "correction.agreed") == []
    assert [one.approved_by for one in await boss.corrections(county.branch_id, "CT-C1")] == [
        "test:county_manager"
    ]


async def test_the_deposit_is_shown_as_it_moves_and_never_falls_below_nothing(
    county: County, finance: ContractsClient, boss: ContractsClient
) -> None:
    def moved(kind: Any, yuan: int) -> DepositMovementIn:
        return DepositMovementIn(
            kind=kind,
            person_id=contractor("C1"),
            amount_fen=yuan * YUAN,
            day=date(2017, 11, 1),
            document="收据 001",
        )

    await finance.record_deposit(county.branch_id, "CT-C1", moved("paid_in", 10_000))
    with pytest.raises(PeerProblem) as refused:
        await finance.record_deposit(county.branch_id, "CT-C1", moved("paid_back", 10_001))
    await finance.record_deposit(county.branch_id, "CT-C1", moved("paid_back", 4_000))
    statement = await county.settle("CT-C1", TERM)

    assert refused.value.code == "deposit-too-small"
    assert amounts(statement, "deposit.movement") == [10_000 * YUAN, -4_000 * YUAN]
    assert statement.deposit_fen == 6_000 * YUAN
    assert [one.number for one in await boss.deposit_movements(county.branch_id, "CT-C1")] == [1, 2]


async def test_another_centres_contractor_sees_and_confirms_nothing(
    county: County, caller: Caller
) -> None:
    statement = await county.settle("CT-C1", TERM)
    other = caller(Role.CONTRACTOR, ["C2"])
    asks = (
        other.settlement_statement(county.branch_id, "CT-C1", TERM),
        other.verify_settlement(county.branch_id, "CT-C1", TERM),
        other.confirm_settlement(county.branch_id, "CT-C1", TERM, statement.digest),
        other.corrections(county.branch_id, "CT-C1"),
        other.deposit_movements(county.branch_id, "CT-C1"),
        other.settlement_statement(county.branch_id, "CT-COUNTY", TERM),
    )

    for ask in asks:
        with pytest.raises(PeerProblem) as refused:
            await ask
        assert refused.value.status == 404
    assert await other.settlement_statements(county.branch_id) == []
    with pytest.raises(PeerProblem) as drafting:
        await other.settle(county.branch_id, TERM)
    assert drafting.value.status == 403


async def test_past_months_are_tried_under_other_terms_and_other_fields(county: County) -> None:
    for period in (TERM, 201712):
        await county.bill("C1", period, 1_200)
        await county.bill("C2", period, 1_500)
    agreed = await county.contracts.contract(county.branch_id, "CT-C1")
    generous = agreed.terms.model_copy(
        update={
            "profit_share": ProfitShare.model_validate(
                {"tiers": [{"growth_from": "0", "share": "0.5"}]}
            )
        }
    )
    months = {"period_from": TERM, "period_to": 201712}

    other_terms = await county.contracts.settle_what_if(
        county.branch_id, "CT-C1", SettlementWhatIfIn(**months, terms=generous)
    )
    other_fields = await county.contracts.settle_what_if(
        county.branch_id, "CT-C1", SettlementWhatIfIn(**months, field_ids=["F1", "F2"])
    )
    with pytest.raises(PeerProblem) as unknown:
        await county.contracts.settle_what_if(
            county.branch_id,
            "CT-C1",
            SettlementWhatIfIn(period_from=201610, period_to=201610),
        )

    assert [one.net_fen for one in other_terms.as_agreed] == [1_400, 1_400]
    assert [one.net_fen for one in other_terms.as_asked] == [8_000, 8_000]
    assert other_terms.difference_fen == 13_200
    revenue = [line.amount_fen for line in other_fields.as_asked[0].lines if line.code == "revenue"]
    assert revenue == [2_700 * YUAN]
    assert (unknown.value.code, unknown.value.body["periods"]) == ("base-missing", [201510])


async def test_what_the_other_services_do_not_tell_is_named(
    county: County, app: FastAPI, manager: ContractsClient
) -> None:
    known = app.state.peers
    app.state.peers = Peers("http://127.0.0.1:9", "http://127.0.0.1:9")
    try:
        with pytest.raises(PeerProblem) as refused:
            await manager.settle(county.branch_id, TERM)
    finally:
        app.state.peers = known

    assert (refused.value.status, refused.value.code) == (503, "unavailable")


async def test_what_a_violation_costs_is_taken_off_and_given_back_when_the_appeal_wins(
    county: County, finance: ContractsClient, boss: ContractsClient, caller: Caller
) -> None:
    await county.bill("C1", TERM, 11_000)
    await county.close(TERM, 201712)
    told = await caller(Role.AUDITOR).report_violation(
        county.branch_id,
        ViolationIn(entry="NL-16", centre_id="C1", day=date(2017, 11, 20), evidence="回访"),
    )
    await boss.hear_violation(county.branch_id, told.number, "无话可说")
    upheld = DecisionIn(upheld=True, points=5, recover_fen=3_000, reason="属实")
    await county.contracts.decide_violation(county.branch_id, told.number, upheld)
    first = await both_confirm(county, finance, boss)
    await boss.appeal_violation(county.branch_id, told.number, "有收据")
    dismissed = DecisionIn(upheld=False, reason="收据属实")
    await caller(Role.PROVINCE).decide_violation_appeal(county.branch_id, told.number, dismissed)

    second = await county.settle("CT-C1", 201712)

    # Five points at 100 yuan each would be more than 30 % of the month's 79,800 fen.
    [share] = amounts(first, "share")
    assert amounts(first, "deduction.points") == [-50_000]
    assert amounts(first, "deduction.recovered") == [-3_000]
    taken = min(50_000, round(share * 0.30)) + 3_000
    assert first.net_fen == share - taken
    assert amounts(second, "correction.deductions") == [taken]


async def terms_with(county: County, **changed: Any) -> ContractTerms:
    agreed = await county.contracts.contract(county.branch_id, "CT-C1")
    return agreed.terms.model_copy(update=changed)


HALF = ProfitShare.model_validate({"tiers": [{"growth_from": "0", "share": "0.5"}]})


async def test_a_supplement_binds_from_its_period_once_both_sides_have_signed_it(
    county: County, finance: ContractsClient, boss: ContractsClient, caller: Caller
) -> None:
    await county.bill("C1", TERM, 1_200)
    await county.bill("C1", 201712, 1_200)
    await county.close(TERM, 201712)
    given = SupplementIn(
        effective_from=201712, reason="提高分成", terms=await terms_with(county, profit_share=HALF)
    )
    drafted = await county.contracts.draft_supplement(county.branch_id, "CT-C1", given)
    key = (county.branch_id, "CT-C1", drafted.number)
    with pytest.raises(PeerProblem) as unread:
        await boss.sign_supplement(*key, "0" * 64)
    with pytest.raises(PeerProblem) as stranger:
        await caller(Role.CONTRACTOR, ["C2"]).sign_supplement(*key, drafted.digest)
    one = await boss.sign_supplement(*key, drafted.digest)
    before = await boss.standing_of(county.branch_id, "CT-C1", 201712)
    both = await county.contracts.sign_supplement(*key, drafted.digest)
    (told,) = [
        one.data
        for one in await caller(Role.SERVICE).feed(county.branch_id, after=0)
        if one.type == SUPPLEMENT_SIGNED
    ]
    assert told["order_fees"] == drafted.model_dump(mode="json")["terms"]["order_fees"]
    first = await both_confirm(county, finance, boss)
    second = await county.settle("CT-C1", 201712)

    assert (unread.value.code, stranger.value.status) == ("digest-mismatch", 404)
    assert (one.binding, both.binding) == (False, True)
    assert (before.supplements, before.phase) == ([], "in_force")
    assert amounts(first, "share") == [1_400]
    # The first month counts alone and in full now; of the second half of 200 yuan, 80 % of it.
    assert amounts(second, "share.earlier_stretches") == [1_750]
    assert amounts(second, "share") == [1_750 + 8_000 - 1_400]
    after = await boss.standing_of(county.branch_id, "CT-C1", 201712)
    assert (after.supplements, after.terms.profit_share) == ([1], HALF)
    assert (await boss.standing_of(county.branch_id, "CT-C1", TERM)).supplements == []


async def test_a_supplement_neither_touches_a_seal_nor_reaches_behind_a_statement(
    county: County, finance: ContractsClient, boss: ContractsClient
) -> None:
    await county.bill("C1", TERM, 1_200)
    await county.close(TERM)
    await both_confirm(county, finance, boss)
    terms = await terms_with(county, profit_share=HALF)
    refused = [
        (
            SupplementIn(effective_from=201801, reason="换田", field_ids=["F9"]),
            "seal-under-amendment",
        ),
        (SupplementIn(effective_from=TERM, reason="追溯", terms=terms), "too-late"),
        (SupplementIn(effective_from=201811, reason="期外", terms=terms), "malformed"),
        (
            SupplementIn(
                effective_from=201801,
                reason="转包",
                terms=terms.model_copy(update={"free_scope_zh": "可以转包"}),
            ),
            "on-negative-list",
        ),
    ]

    for given, code in refused:
        with pytest.raises(PeerProblem) as problem:
            await county.contracts.draft_supplement(county.branch_id, "CT-C1", given)
        assert problem.value.code == code

    recorded = await county.contracts.refused_changes(county.branch_id)
    assert [(one.subject_id, one.code) for one in recorded] == [("CT-C1", "seal-under-amendment")]
    assert (await county.contracts.verify_seals(county.branch_id)).agrees


async def test_a_contract_that_ends_early_settles_its_last_period_in_full(
    county: County, finance: ContractsClient, boss: ContractsClient, caller: Caller
) -> None:
    province = caller(Role.PROVINCE)
    await county.bill("C1", TERM, 1_200)
    await county.close(TERM)
    short = ExitIn(
        ground=ExitGround.NOTICE, noticed_on=date(2017, 11, 2), last_period=TERM, reason="另有安排"
    )
    with pytest.raises(PeerProblem) as too_short:
        await county.contracts.put_exit(county.branch_id, "CT-C1", short)
    with pytest.raises(PeerProblem) as no_red_line:
        await county.contracts.put_exit(
            county.branch_id, "CT-C1", short.model_copy(update={"ground": ExitGround.RED_LINE})
        )
    with pytest.raises(PeerProblem) as no_shortfall:
        await county.contracts.put_exit(
            county.branch_id, "CT-C1", short.model_copy(update={"ground": ExitGround.SHORTFALL})
        )
    given = short.model_copy(update={"noticed_on": date(2017, 11, 1)})
    drafted = await county.contracts.put_exit(county.branch_id, "CT-C1", given)
    with pytest.raises(PeerProblem) as alone:
        await county.contracts.approve_exit(county.branch_id, "CT-C1", drafted.digest)
    with pytest.raises(PeerProblem) as unread:
        await province.approve_exit(county.branch_id, "CT-C1", "0" * 64)
    assert unread.value.code == "digest-mismatch"
    approved = await province.approve_exit(county.branch_id, "CT-C1", drafted.digest)
    with pytest.raises(PeerProblem) as again:
        await county.contracts.put_exit(county.branch_id, "CT-C1", given)

    last = await county.settle("CT-C1", TERM)
    [outside, *_] = await county.contracts.settle(county.branch_id, 201712, ["CT-C1"])
    standing = await boss.standing_of(county.branch_id, "CT-C1", 201712)

    assert [one.value.code for one in (too_short, no_red_line, no_shortfall)] == ["no-ground"] * 3
    assert (alone.value.code, again.value.code) == ("two-people", "conflict")
    assert approved.last_period == TERM
    assert amounts(last, "share") == [1_750]
    assert (outside.outcome, outside.code) == ("refused", "earlier-statement-open")
    assert (standing.phase, standing.last_period) == ("ended", TERM)


async def drafted_for(county: County, period: int = TERM) -> tuple[int, str, int, str]:
    """Draft C1's statement over closed books; return what a side needs to confirm it."""
    statement = await county.settle("CT-C1", period)
    return county.branch_id, "CT-C1", period, statement.digest


async def outdated(client: ContractsClient, key: tuple[int, str, int, str]) -> bool:
    with pytest.raises(PeerProblem) as refused:
        await client.confirm_settlement(*key)
    return refused.value.code == "statement-outdated"


async def test_a_draft_is_not_confirmed_once_an_exit_a_supplement_or_the_deposit_has_changed_it(
    county: County, finance: ContractsClient, boss: ContractsClient, caller: Caller
) -> None:
    await county.bill("C1", TERM, 1_200)
    await county.close(TERM)
    branch_id = county.branch_id

    before_deposit = await drafted_for(county)
    await finance.confirm_settlement(*before_deposit)
    given = DepositMovementIn(
        kind="paid_in",
        person_id=contractor("C1"),
        amount_fen=10_000,
        day=date(2017, 11, 2),
        document="R-1",
    )
    await finance.record_deposit(branch_id, "CT-C1", given)
    assert await outdated(boss, before_deposit)

    before_supplement = await drafted_for(county)
    changed = SupplementIn(
        effective_from=TERM,
        reason="分成",
        terms=await terms_with(county, risk_deposit=RiskDeposit(contractor_fen=2_000_000)),
    )
    drafted = await county.contracts.draft_supplement(branch_id, "CT-C1", changed)
    for side in (county.contracts, boss):
        await side.sign_supplement(branch_id, "CT-C1", drafted.number, drafted.digest)
    assert await outdated(finance, before_supplement)

    before_exit = await drafted_for(county)
    leaving = ExitIn(
        ground=ExitGround.NOTICE,
        noticed_on=date(2017, 11, 1),
        last_period=TERM,
        reason="协商",
    )
    exit_ = await county.contracts.put_exit(branch_id, "CT-C1", leaving)
    await caller(Role.PROVINCE).approve_exit(branch_id, "CT-C1", exit_.digest)
    assert await outdated(finance, before_exit)

    closed = await both_confirm(county, finance, boss)
    assert amounts(closed, "share") == [1_750]
    assert closed.deposit_fen == 10_000


async def test_what_an_earlier_run_was_told_does_not_replace_what_a_later_one_was(
    county: County, app: FastAPI
) -> None:
    await county.bill("C1", TERM, 1_200)
    await county.close(TERM)
    newer = await county.settle("CT-C1", TERM)
    now = app.state.clock

    app.state.clock = lambda: newer.known_at - timedelta(seconds=1)
    try:
        [outcome] = await county.contracts.settle(county.branch_id, TERM, ["CT-C1"])
    finally:
        app.state.clock = now

    assert outcome.outcome == "unchanged"
    assert outcome.statement is not None
    assert (outcome.statement.revision, outcome.statement.digest) == (1, newer.digest)


async def test_runs_and_confirmations_at_once_leave_one_closed_statement(
    county: County, finance: ContractsClient, boss: ContractsClient
) -> None:
    await county.bill("C1", TERM, 1_200)
    await county.close(TERM)
    key = await drafted_for(county)

    answers = await asyncio.gather(
        *(county.contracts.settle(county.branch_id, TERM) for _ in range(3)),
        finance.confirm_settlement(*key),
        boss.confirm_settlement(*key),
        return_exceptions=True,
    )

    assert [one for one in answers if isinstance(one, BaseException)] == []
    shown = await boss.settlement_statement(county.branch_id, "CT-C1", TERM)
    assert (shown.state, shown.digest) == (StatementState.CLOSED, key[-1])


async def test_a_side_does_not_answer_its_own_objection(
    county: County, boss: ContractsClient, token: Callable[..., str], http: httpx.AsyncClient
) -> None:
    await county.bill("C1", TERM, 1_200)
    await county.close(TERM)
    key = (await drafted_for(county))[:3]
    await boss.object_to_settlement(*key, ObjectionIn(line=1, text="收入偏低"))
    issuer_of_another = token(Role.CONTRACTOR, county.branch_id, ["C1", "C2"], "P-other")
    path = f"/v1/branches/{county.branch_id}/contracts/CT-C1/statements/{TERM}/objections/1/answer"

    own = await http.put(
        path, json={"text": "同意"}, headers={"Authorization": f"Bearer {issuer_of_another}"}
    )
    answered = await county.contracts.answer_objection(*key, 1, AnswerIn(text="已核对"))

    assert own.status_code == 409
    assert own.json()["code"] in {"two-people", "other-side-answers"}
    [objection] = answered.objections
    assert (objection.side, objection.answered_by) == (Side.CONTRACTING, "test:county_manager")


async def test_what_is_corrected_after_the_last_statement_is_settled_after_it(
    county: County, finance: ContractsClient, boss: ContractsClient, caller: Caller
) -> None:
    await county.bill("C1", TERM, 1_200)
    await county.close(TERM)
    leaving = ExitIn(
        ground=ExitGround.NOTICE, noticed_on=date(2017, 11, 1), last_period=TERM, reason="协商"
    )
    exit_ = await county.contracts.put_exit(county.branch_id, "CT-C1", leaving)
    await caller(Role.PROVINCE).approve_exit(county.branch_id, "CT-C1", exit_.digest)
    await both_confirm(county, finance, boss)

    [unchanged] = await county.contracts.settle(county.branch_id, 201801, ["CT-C1"])
    of_all = await county.contracts.settle(county.branch_id, 201801)
    given = CorrectionIn(of_period=TERM, amount_fen=-300, reason="多计")
    correction = await finance.draft_correction(county.branch_id, "CT-C1", given)
    await county.contracts.approve_correction(county.branch_id, "CT-C1", correction.number)
    after = await both_confirm(county, finance, boss, 201801)
    [again] = await county.contracts.settle(county.branch_id, 201802, ["CT-C1"])

    assert (unchanged.outcome, unchanged.code) == ("refused", "nothing-to-settle")
    assert "CT-C1" not in {one.contract_id for one in of_all}
    assert (after.state, after.net_fen, amounts(after, "share")) == (
        StatementState.CLOSED,
        -300,
        [0],
    )
    assert amounts(after, "revenue") == []
    assert (again.outcome, again.statement is None) == ("drafted", False)
    assert (await boss.verify_settlement(county.branch_id, "CT-C1", 201801)).agrees


async def test_an_exit_is_judged_by_the_terms_in_force_and_bounded_by_the_contract(
    county: County, boss: ContractsClient, caller: Caller
) -> None:
    branch_id = county.branch_id
    longer = SupplementIn(
        effective_from=TERM,
        reason="通知期",
        terms=await terms_with(county, exit=ExitTerms(notice_days=300)),
    )
    drafted = await county.contracts.draft_supplement(branch_id, "CT-C1", longer)
    for side in (county.contracts, boss):
        await side.sign_supplement(branch_id, "CT-C1", drafted.number, drafted.digest)
    given = ExitIn(
        ground=ExitGround.NOTICE, noticed_on=date(2017, 11, 1), last_period=201712, reason="协商"
    )

    async def code(contract_id: str, **changed: Any) -> str:
        with pytest.raises(PeerProblem) as refused:
            await county.contracts.put_exit(
                branch_id, contract_id, given.model_copy(update=changed)
            )
        return refused.value.code

    assert await code("CT-C1") == "no-ground"
    assert await code("CT-C1", noticed_on=date(2000, 1, 1)) == "malformed"
    assert await code("CT-COUNTY") == "centres-outlive"
    assert await code("CT-C1", ground=ExitGround.RED_LINE, violation=2**31 - 1) == "no-ground"
    bound_to_c2 = caller(Role.COUNTY_MANAGER, ["C2"])
    with pytest.raises(PeerProblem) as foreign:
        await bound_to_c2.put_exit(branch_id, "CT-C1", given)
    assert foreign.value.status == 403


async def test_past_months_are_tried_under_fields_drawn_otherwise(
    county: County, boss: ContractsClient
) -> None:
    await county.bill("C1", TERM, 1_200)
    await county.bill("C2", TERM, 1_500)
    wider = DraftField(
        field_id="F1",
        kind=FieldKind.REGIONAL,
        centre_id="C1",
        scope=FieldScopeIn(address_prefixes=[f"{county.branch_id}{one}" for one in ("101", "102")]),
    )
    none = DraftField(
        field_id="F2",
        kind=FieldKind.REGIONAL,
        centre_id="C2",
        scope=FieldScopeIn(address_prefixes=[f"{county.branch_id}109"]),
    )
    asked = SettlementWhatIfIn(period_from=TERM, period_to=TERM, fields=[wider, none])

    found = await county.contracts.settle_what_if(county.branch_id, "CT-C1", asked)
    own = await boss.settle_what_if(
        county.branch_id, "CT-C1", SettlementWhatIfIn(period_from=TERM, period_to=TERM)
    )
    with pytest.raises(PeerProblem) as beyond:
        await boss.settle_what_if(county.branch_id, "CT-C1", asked)

    revenue = [line.amount_fen for line in found.as_asked[0].lines if line.code == "revenue"]
    assert revenue == [2_700 * YUAN]
    assert own.as_agreed == found.as_agreed
    assert beyond.value.status == 403


async def test_a_supplement_changes_something_and_names_people_a_contract_may_have(
    county: County,
) -> None:
    held = await county.contracts.contract(county.branch_id, "CT-C1")

    async def faults(parties: Parties | None) -> list[str]:
        given = SupplementIn(effective_from=TERM, reason="换人", parties=parties)
        with pytest.raises(PeerProblem) as refused:
            await county.contracts.draft_supplement(county.branch_id, "CT-C1", given)
        assert refused.value.code == "malformed"
        return [one["code"] for one in refused.value.body["errors"]]

    nobody = held.parties.contracting.model_copy(update={"represented_by": None})
    people = [contractor("C1"), contractor("C2"), contractor("C2")]
    assert await faults(None) == ["missing"]
    assert await faults(held.parties.model_copy(update={"contracting": nobody})) == ["missing"]
    assert await faults(held.parties.model_copy(update={"member_ids": people})) == [
        "repeated",
        "contractor-among-members",
    ]
