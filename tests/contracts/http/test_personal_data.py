"""Whom leads are about: masked wherever it is shown, in full to those whose lead it is, erased."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from support.canaries import NAME, PHONE, found_in, what_everybody_reads
from support.register import contractor, county_with_centres

from huaxiao.contracts.personal.handlers import forget_names, known_branches
from huaxiao.contracts.tables import leads
from huaxiao.shared.audit.log import by_itself
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.rows import EVERYTHING, NO_BRANCH, Scope
from huaxiao.shared.wire.leads import LeadDecisionIn, LeadIn, LeadPersonIn
from huaxiao.shared.wire.personal import ErasureIn, FullViewIn, Purpose

SALE = FullViewIn(purpose=Purpose.SALE, reason="回访")
Caller = Callable[..., ContractsClient]


def lead() -> LeadIn:
    return LeadIn(
        customer_id="ENT-9",
        customer_name=NAME,
        about_zh=f"新厂区专线，联系 {PHONE}",
        people=[LeadPersonIn(person_id=contractor("C1"), share_basis_points=10_000)],
    )


@pytest.fixture
async def county(branch_id: int, caller: Caller) -> int:
    await county_with_centres(caller, branch_id)
    return branch_id


async def test_no_answer_feed_record_or_log_shows_whom_a_lead_is_about(
    app: FastAPI,
    county: int,
    manager: ContractsClient,
    caller: Caller,
    http: httpx.AsyncClient,
    token: Callable[..., str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    brought = await caller(Role.AUDITOR).bring_lead(county, lead())
    decided = await manager.decide_lead(
        county, brought.lead_id, LeadDecisionIn(approved=False, reason=f"已打 {PHONE}")
    )

    answers = await what_everybody_reads(app, http, token, county, {"lead_id": brought.lead_id})

    told = [brought.model_dump_json(), decided.model_dump_json(), caplog.text]
    assert [(url, found_in(text)) for url, _, text in answers if found_in(text)] == []
    assert [found_in(one) for one in told if found_in(one)] == []
    assert (decided.customer_name, decided.steps[-1].why) == ("欧***", "已打 139****0421")
    assert any(f"{PHONE[:3]}****" in text for _, _, text in answers)


async def test_those_whose_lead_it_is_see_the_name_and_each_view_is_on_record(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    brought = await caller(Role.AUDITOR).bring_lead(county, lead())
    viewers = [manager, caller(Role.CONTRACTOR, ["C1"]), caller(Role.SUPPORT_CENTRE)]

    seen = [await one.see_lead_customer(county, brought.lead_id, SALE) for one in viewers]
    codes = []
    for one in (caller(Role.CONTRACTOR, ["C2"]), caller(Role.AUDITOR), caller(Role.SERVICE)):
        with pytest.raises(PeerProblem) as refused:
            await one.see_lead_customer(county, brought.lead_id, SALE)
        codes.append(refused.value.code)

    assert {one.customer_name for one in seen} == {NAME}
    assert codes == ["not-found", "forbidden", "forbidden"]
    entries = await caller(Role.AUDITOR).audit_entries(county, route="see_lead_customer")
    views = [one["added"]["full_view_id"] for entry in entries for one in entry.changes]
    assert set(views) == {one.full_view_id for one in seen}
    assert found_in("".join(one.model_dump_json() for one in entries)) == []


async def test_a_name_is_erased_and_the_lead_stays_with_its_code(
    app: FastAPI, county: int, manager: ContractsClient, caller: Caller
) -> None:
    auditor = caller(Role.AUDITOR)
    brought = await auditor.bring_lead(county, lead())

    async def rows() -> list[Any]:
        async with app.state.database.read(EVERYTHING) as connection:
            found = await connection.execute(select(leads).where(leads.c.branch_id == county))
            return list(found.all())

    before = await rows()
    asked = await manager.ask_for_erasure(
        county, ErasureIn(customer_id="ENT-9", reason="客户要求删除")
    )
    with pytest.raises(PeerProblem) as alone:
        await manager.confirm_erasure(county, asked.erasure_id)
    erased = await caller(Role.COUNTY_FINANCE).confirm_erasure(county, asked.erasure_id)

    shown = await auditor.lead(county, brought.lead_id)
    assert alone.value.code == "two-people"
    assert (erased.erased, erased.waiting) == (1, 0)
    assert (shown.customer_id, shown.customer_name) == ("ENT-9", None)
    assert (await manager.see_lead_customer(county, brought.lead_id, SALE)).customer_name is None
    assert await rows() == before


async def test_names_are_forgotten_some_time_after_a_lead_is_over(
    app: FastAPI, county: int, manager: ContractsClient, caller: Caller
) -> None:
    brought = [await caller(Role.AUDITOR).bring_lead(county, lead()) for _ in range(3)]
    rejected, approved, undecided = (one.lead_id for one in brought)
    await manager.decide_lead(county, rejected, LeadDecisionIn(approved=False, reason="否"))
    await manager.decide_lead(
        county, approved, LeadDecisionIn(approved=True, reason="可", owner_centre_id="C1")
    )
    forget = forget_names(365)

    async def forgotten_in(days: int) -> int:
        now = app.state.clock() + timedelta(days=days)
        async with (
            app.state.database.write(Scope.of_branch(county)) as connection,
            by_itself(connection, county, what="names", clock=app.state.clock),
        ):
            return await forget(connection, county, now)

    async def named() -> list[str]:
        seen = [await manager.see_lead_customer(county, one.lead_id, SALE) for one in brought]
        return [one.lead_id for one in seen if one.customer_name == NAME]

    counts = [await forgotten_in(one) for one in (364, 366, 366 + 88)]
    first = await named()
    # One that was approved holds for 90 days more.
    counts.append(await forgotten_in(366 + 90))

    assert counts == [0, 1, 0, 1]
    assert (first, await named()) == ([approved, undecided], [undecided])
    entries = await caller(Role.AUDITOR).audit_entries(county, route="retention")
    assert [one.changes for one in entries] == [[{"table": "lead_customers", "erased": 1}]] * 2


async def test_leads_and_answers_are_looked_after_while_the_service_runs(app: FastAPI) -> None:
    assert (await known_branches(app.state.database))[0] == NO_BRANCH
