from collections.abc import Awaitable, Callable

import httpx
import pytest
from fastapi import FastAPI
from support.register import Caller, bind, contract, county_with_centres, regional

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.wire.contracts import CONTRACT_SIGNED, DivisionIn, DivisionLevel, LockState
from huaxiao.shared.wire.settlement import Side
from huaxiao.shared.wire.signing import (
    ContractStepKind,
    SuspensionEndIn,
    SuspensionIn,
)
from huaxiao.shared.wire.supplements import ContractPhase
from huaxiao.shared.wire.terms import OrderFee


@pytest.fixture
async def county(manager: ContractsClient, branch_id: int, caller: Caller) -> int:
    """Register a county with a contract of C1 over one field, both still drafts."""
    await county_with_centres(caller, branch_id)
    await manager.put_field(branch_id, "F1", regional(f"{branch_id}100"))
    await manager.put_contract(branch_id, "CT-C1", contract("C1", "F1", install_fee_fen=7_000))
    return branch_id


def refusal(raised: pytest.ExceptionInfo[PeerProblem]) -> tuple[int, str]:
    return raised.value.status, raised.value.code


async def test_what_was_drafted_before_more_could_be_agreed_on_is_signed_as_it_was_read(
    county: int,
    manager: ContractsClient,
    caller: Caller,
    tamper: Callable[..., Awaitable[None]],
) -> None:
    later = "'line_fees' - 'mode' - 'excess_profit' - 'pay_limit'"
    await tamper(
        f"UPDATE contracts.contracts SET terms = terms - {later}"
        f" WHERE branch_id = {county} AND contract_id = 'CT-C1'"
    )
    review = await manager.submit(county, "CT-C1")
    for client in (manager, caller(Role.CONTRACTOR, ["C1"])):
        await client.sign(county, "CT-C1", review.digest)

    assert (await manager.verify_seals(county)).agrees


async def test_what_is_in_review_stays_as_it_is_and_the_second_signature_seals_it(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    review = await manager.submit(county, "CT-C1")
    assert await manager.submit(county, "CT-C1") == review
    assert (review.round, review.signatures) == (1, [])
    assert (await manager.contract(county, "CT-C1")).state is LockState.IN_REVIEW
    assert (await manager.field(county, "F1")).state is LockState.IN_REVIEW
    with pytest.raises(PeerProblem) as of_contract:
        await manager.put_contract(county, "CT-C1", contract("C1", "F1", base_fen=1))
    with pytest.raises(PeerProblem) as of_field:
        await manager.put_field(county, "F1", regional(f"{county}101"))
    assert refusal(of_contract) == refusal(of_field) == (409, "in-review")

    half = await manager.sign(county, "CT-C1", review.digest)
    assert half == await manager.sign(county, "CT-C1", review.digest)
    assert (half.state, half.digest) == (LockState.IN_REVIEW, None)
    sealed = await caller(Role.CONTRACTOR, ["C1"]).sign(county, "CT-C1", review.digest)

    assert (sealed.state, sealed.digest) == (LockState.SEALED, review.digest)
    [of_f1] = review.fields
    assert (await manager.field(county, "F1")).digest == of_f1.digest
    assert [one.side for one in (await manager.review(county, "CT-C1")).signatures] == [
        Side.GRANTING,
        Side.CONTRACTING,
    ]
    facts = await caller(Role.SERVICE).feed(county, after=0)
    assert facts[-1].type == CONTRACT_SIGNED
    told = [OrderFee.model_validate(one) for one in facts[-1].data["order_fees"]]
    assert told == sealed.terms.order_fees != []
    assert (await manager.verify_seals(county)).agrees
    steps = await caller(Role.CONTRACTOR, ["C1"]).history(county, "CT-C1")
    assert [(one.position, one.kind, one.by) for one in steps] == [
        (1, ContractStepKind.SUBMITTED, "test:county_manager"),
        (2, ContractStepKind.SIGNED, "test:county_manager"),
        (3, ContractStepKind.SIGNED, "test:contractor"),
        (4, ContractStepKind.SEALED, None),
    ]


async def test_only_what_was_read_is_signed_and_each_side_by_somebody_else(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    with pytest.raises(PeerProblem) as too_early:
        await manager.sign(county, "CT-C1", "0" * 64)
    review = await manager.submit(county, "CT-C1")
    with pytest.raises(PeerProblem) as unread:
        await manager.sign(county, "CT-C1", "0" * 64)
    with pytest.raises(PeerProblem) as foreign:
        await caller(Role.CONTRACTOR, ["C2"]).sign(county, "CT-C1", review.digest)
    with pytest.raises(PeerProblem) as no_side:
        await caller(Role.PROVINCE).sign(county, "CT-C1", review.digest)
    with pytest.raises(PeerProblem) as finance:
        await caller(Role.COUNTY_FINANCE).sign(county, "CT-C1", review.digest)

    assert refusal(too_early) == (409, "not-in-review")
    assert refusal(unread) == (409, "digest-mismatch")
    assert refusal(foreign) == (404, "not-found")
    assert refusal(no_side) == refusal(finance) == (403, "forbidden")
    assert (await manager.review(county, "CT-C1")).signatures == []


async def test_what_is_withdrawn_is_a_draft_again_and_signed_anew(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    of_centre = caller(Role.CONTRACTOR, ["C1"])
    first = await manager.submit(county, "CT-C1")
    await of_centre.sign(county, "CT-C1", first.digest)

    withdrawn = await of_centre.withdraw(county, "CT-C1", "基数有误")
    with pytest.raises(PeerProblem) as gone:
        await manager.sign(county, "CT-C1", first.digest)
    await manager.put_contract(county, "CT-C1", contract("C1", "F1", base_fen=777))
    await manager.put_field(county, "F1", regional(f"{county}100", f"{county}101"))
    second = await manager.submit(county, "CT-C1")

    assert (withdrawn.withdrawn_by, withdrawn.reason) == ("test:contractor", "基数有误")
    assert refusal(gone) == (409, "not-in-review")
    assert (second.round, second.signatures) == (2, [])
    assert second.digest != first.digest
    sealed = await bind(caller, county, "CT-C1")
    assert (sealed.digest, sealed.base[0].revenue_fen) == (second.digest, 777)
    with pytest.raises(PeerProblem) as too_late:
        await manager.withdraw(county, "CT-C1", "太晚")
    assert refusal(too_late) == (409, "not-in-review")


async def test_a_field_is_in_the_review_of_one_contract_only(
    county: int, manager: ContractsClient
) -> None:
    await manager.put_contract(county, "CT-C1-B", contract("C1", "F1"))
    await manager.submit(county, "CT-C1")

    with pytest.raises(PeerProblem) as refused:
        await manager.submit(county, "CT-C1-B")

    assert refusal(refused) == (409, "not-signable")
    assert [one["code"] for one in refused.value.body["errors"]] == ["field-in-review"]


async def test_the_county_signs_with_its_coverage_and_what_was_covered_stays_on_record(
    manager: ContractsClient, branch_id: int, caller: Caller
) -> None:
    await county_with_centres(caller, branch_id)
    await manager.put_contract(branch_id, "CT-NEXT", contract(None, first=201811))
    villages = [
        DivisionIn(
            code=f"{branch_id}100{number}",
            name="村",
            level=DivisionLevel.VILLAGE,
            parent_code=f"{branch_id}100",
        )
        for number in (201, 202)
    ]
    await manager.add_divisions(branch_id, villages)
    await manager.put_field(branch_id, "F1", regional(f"{branch_id}100201", first=201811))

    await bind(caller, branch_id, "CT-NEXT")
    await manager.put_field(branch_id, "F2", regional(f"{branch_id}100202", first=201811))

    then = await manager.coverage_at_signature(branch_id, "CT-NEXT")
    now = await manager.coverage(branch_id, period=201811)
    assert (then.complete, then.gaps) == (False, [f"{branch_id}100202"])
    assert now.complete
    with pytest.raises(PeerProblem) as none:
        await manager.coverage_at_signature(branch_id, "CT-C1")
    assert none.value.status == 404


async def test_nobody_signs_for_both_sides_so_two_people_seal(
    county: int, manager: ContractsClient, app: FastAPI, issuer: Issuer
) -> None:
    review = await manager.submit(county, "CT-C1")

    async def sign(role: Role, centre_ids: list[str] | None) -> None:
        signed = issuer.token(
            "one person", roles=[role], branch_ids=[county], centre_ids=centre_ids
        )
        transport = httpx.ASGITransport(app=app)
        async with ContractsClient("http://contracts", lambda: signed, transport=transport) as own:
            await own.sign(county, "CT-C1", review.digest)

    await sign(Role.COUNTY_MANAGER, None)
    with pytest.raises(PeerProblem) as alone:
        await sign(Role.CONTRACTOR, ["C1"])

    assert refusal(alone) == (409, "two-people")
    assert (await manager.contract(county, "CT-C1")).state is LockState.IN_REVIEW


async def test_a_suspension_takes_two_people_and_ends_the_same_way(
    county: int, manager: ContractsClient, caller: Caller
) -> None:
    await bind(caller, county, "CT-C1")
    province, given = caller(Role.PROVINCE), SuspensionIn(from_period=201801, reason="审计中")

    proposed = await manager.suspend(county, "CT-C1", given)
    with pytest.raises(PeerProblem) as alone:
        await manager.approve_suspension(county, "CT-C1", 1)
    with pytest.raises(PeerProblem) as twice:
        await manager.suspend(county, "CT-C1", given)
    approved = await province.approve_suspension(county, "CT-C1", 1)
    phases = [
        (await manager.standing_of(county, "CT-C1", period)).phase
        for period in (201712, 201801, 201810)
    ]
    with pytest.raises(PeerProblem) as outside:
        await manager.suspend(county, "CT-C1", SuspensionIn(from_period=201811, reason="期外"))
    await manager.end_suspension(
        county, "CT-C1", 1, SuspensionEndIn(last_period=201802, reason="审计结束")
    )
    ended = await province.approve_suspension(county, "CT-C1", 1)

    assert (proposed.in_force, approved.in_force) == (False, True)
    assert refusal(alone) == (409, "two-people")
    assert refusal(twice) == (409, "conflict")
    assert phases == [ContractPhase.IN_FORCE, *[ContractPhase.SUSPENDED] * 2]
    assert refusal(outside) == (422, "malformed")
    assert (ended.from_period, ended.last_period) == (201801, 201802)
    after = await manager.standing_of(county, "CT-C1", 201803)
    assert after.phase is ContractPhase.IN_FORCE
    kinds = [one.kind for one in await manager.history(county, "CT-C1")]
    assert [one for one in kinds if one.startswith("suspension")] == [
        ContractStepKind.SUSPENSION_PROPOSED,
        ContractStepKind.SUSPENSION_APPROVED,
        ContractStepKind.SUSPENSION_END_PROPOSED,
        ContractStepKind.SUSPENSION_END_APPROVED,
    ]
