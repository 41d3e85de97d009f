"""The share register over HTTP."""

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError
from support.register import Caller, contractor, county_with_centres, member_of

from huaxiao.contracts.tables import share_movements
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.unit_of_work import sqlstate
from huaxiao.shared.wire.contracts import Engagement
from huaxiao.shared.wire.organisation import LeaveIn
from huaxiao.shared.wire.shares import CompanyIn, ShareMovementIn, ShareMovementKind

KIND = ShareMovementKind
DAY = date(2017, 11, 1)
COMPANY = CompanyIn(
    name_zh="云泽县通信承包经营有限公司",
    credit_code="91350100M000100Y43",
    authorised_shares=1_000,
)
P1, P2, PG = (contractor(centre) for centre in ("C1", "C2", "G1"))


@pytest.fixture
async def county(manager: ContractsClient, branch_id: int, caller: Caller) -> int:
    """Register a branch with three own employees, an outsourced one, and its company."""
    await county_with_centres(caller, branch_id)
    await manager.put_person(branch_id, "W1", member_of("C1", Engagement.OUTSOURCED))
    await manager.put_company(branch_id, COMPANY)
    return branch_id


def movement(kind: KIND, shares: int, **given: Any) -> ShareMovementIn:
    facts: dict[str, Any] = {"day": DAY, "price_fen": 100 * shares, "reason": "员工持股计划"}
    return ShareMovementIn(kind=kind, shares=shares, **(facts | given))


async def test_the_table_of_a_day_says_who_holds_and_who_should(
    county: int, manager: ContractsClient
) -> None:
    await manager.move_shares(county, movement(KIND.ISSUE, 300, to_person=P1))
    await manager.move_shares(county, movement(KIND.ISSUE, 600, to_person=P2))
    before = await manager.cap_table(county, on=DAY)
    later = date(2017, 12, 1)
    await manager.move_shares(
        county, movement(KIND.TRANSFER, 100, from_person=P2, to_person=PG, day=later)
    )

    after = await manager.cap_table(county, on=later)

    assert (before.everybody_holds, before.without_shares) == (False, [PG])
    assert [(one.person_id, one.shares, str(one.fraction)) for one in before.holdings] == [
        (P1, 300, "0.333333"),
        (P2, 600, "0.666667"),
    ]
    assert (after.everybody_holds, after.issued_shares, after.to_buy_back) == (True, 900, [])
    assert await manager.cap_table(county, on=DAY) == before
    assert [one.number for one in await manager.share_movements(county, person_id=PG)] == [3]


async def test_what_cannot_be_moved_is_refused_and_a_mistake_is_mirrored(
    county: int, manager: ContractsClient
) -> None:
    await manager.move_shares(county, movement(KIND.ISSUE, 300, to_person=P1))
    refused: list[tuple[ShareMovementIn, str]] = [
        (movement(KIND.ISSUE, 701, to_person=P2), "not-enough-shares"),
        (movement(KIND.BUY_BACK, 301, from_person=P1), "not-enough-shares"),
        (movement(KIND.ISSUE, 1, to_person="NOBODY"), "unknown-reference"),
        (movement(KIND.ISSUE, 1, from_person=P1, to_person=P2), "malformed"),
        (movement(KIND.CORRECTION, 299, from_person=P1, corrects=1), "mirrors-nothing"),
    ]
    for given, code in refused:
        with pytest.raises(PeerProblem) as problem:
            await manager.move_shares(county, given)
        assert problem.value.code == code

    await manager.move_shares(county, movement(KIND.CORRECTION, 300, from_person=P1, corrects=1))

    assert (await manager.cap_table(county, on=DAY)).issued_shares == 0
    facts = [one.subject for one in await manager.feed(county, after=0) if "shares" in one.type]
    assert facts == ["1", "2"]


async def test_of_sales_at_once_no_more_go_through_than_there_are_shares(
    county: int, manager: ContractsClient
) -> None:
    await manager.move_shares(county, movement(KIND.ISSUE, 250, to_person=P1))

    sold = await asyncio.gather(
        *(
            manager.move_shares(county, movement(KIND.TRANSFER, 100, from_person=P1, to_person=P2))
            for _ in range(5)
        ),
        return_exceptions=True,
    )

    codes = [one.code for one in sold if isinstance(one, PeerProblem)]
    assert codes == ["not-enough-shares"] * 3
    held = (await manager.cap_table(county, on=DAY)).holdings
    assert [(one.person_id, one.shares) for one in held] == [(P1, 50), (P2, 200)]


async def test_the_database_keeps_the_register_as_it_is(
    county: int, manager: ContractsClient, app: FastAPI
) -> None:
    await manager.move_shares(county, movement(KIND.ISSUE, 250, to_person=P1))

    for statement in (update(share_movements).values(shares=1), delete(share_movements)):
        with pytest.raises(DBAPIError) as denied:
            async with app.state.database.write(EVERYTHING) as connection:
                await connection.execute(statement)
        assert sqlstate(denied.value) == "42501"


async def test_a_wrong_credit_code_is_named_in_both_languages(
    county: int, http: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, county)}"}
    given = COMPANY.model_dump() | {"credit_code": "91350100M000100Y44"}

    answer = await http.put(f"/v1/branches/{county}/company", json=given, headers=headers)

    (fault,) = answer.json()["errors"]
    assert (fault["code"], fault["message_zh"]) == (
        "credit-code-check",
        "统一社会信用代码校验位不符",
    )


async def test_who_has_left_is_given_no_shares_and_may_give_theirs_back(
    county: int, manager: ContractsClient
) -> None:
    await manager.move_shares(county, movement(KIND.ISSUE, 300, to_person=P1))
    gone = date(2018, 1, 1)
    await manager.leave(county, P1, LeaveIn(day=gone, reason="辞职"))

    with pytest.raises(PeerProblem) as refused:
        await manager.move_shares(county, movement(KIND.ISSUE, 1, to_person=P1, day=gone))
    await manager.move_shares(county, movement(KIND.BUY_BACK, 300, from_person=P1, day=gone))

    assert refused.value.code == "not-working-here"
    assert (await manager.cap_table(county, on=gone)).issued_shares == 0


async def test_a_company_of_very_many_shares_has_a_table(
    manager: ContractsClient, branch_id: int, caller: Caller
) -> None:
    await county_with_centres(caller, branch_id)
    many = COMPANY.model_copy(update={"authorised_shares": 10**12})
    await manager.put_company(branch_id, many)
    await manager.move_shares(branch_id, movement(KIND.ISSUE, 10**11, to_person=P1, price_fen=0))

    table = await manager.cap_table(branch_id, on=DAY)

    assert (table.authorised_shares, table.issued_shares) == (10**12, 10**11)
