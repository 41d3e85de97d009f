"""What nobody owns is warned of, keeps a month open, and is worked off by somebody."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from attribution.conftest import TOWN, Sender, fact
from fastapi import FastAPI
from sqlalchemy import event

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.pages import Page
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.attribution import (
    DisputeIn,
    PeriodState,
    RulingIn,
    UnresolvedLimits,
    UnresolvedLine,
    UnresolvedShare,
    UnresolvedStanding,
)
from huaxiao.shared.wire.feed import FeedEntry

MONTH = 201711
NOWHERE = "440101001001"
_S = UnresolvedStanding
Pool = Callable[[str, int], Awaitable[UnresolvedShare]]


@pytest.fixture
def pool(manager: AttributionClient, county: int, sender: Sender) -> Pool:
    """Return a way to bill one more line that no field covers, and to ask what that makes."""

    async def add(subscription_id: str, amount_fen: int) -> UnresolvedShare:
        events = [
            sender.opened(subscription_id, standard_address=NOWHERE),
            sender.bill(f"BI-{subscription_id}", subscription_id, amount_fen=amount_fen, tax_fen=0),
        ]
        await manager.post_events(events)
        return await share(manager, county)

    return add


@pytest.fixture
async def booked(manager: AttributionClient, county: int, sender: Sender) -> int:
    await manager.post_events(
        [sender.opened("S-1"), sender.bill("BI-1", amount_fen=9_700, tax_fen=0)]
    )
    return county


async def share(client: AttributionClient, branch_id: int) -> UnresolvedShare:
    found = (await client.period(branch_id, MONTH)).unresolved
    assert found is not None
    return found


# --- limits and closing -------------------------------------------------------------------------


async def test_limits_are_of_the_branch_and_set_by_its_manager(
    manager: AttributionClient, finance: AttributionClient, booked: int
) -> None:
    assert await finance.unresolved_limits(booked) == UnresolvedLimits(
        warn_above_basis_points=100, block_above_basis_points=300, overdue_days=30
    )
    for given in (
        UnresolvedLimits(warn_above_basis_points=0, block_above_basis_points=50),
        UnresolvedLimits(overdue_days=10),
    ):
        assert await manager.put_unresolved_limits(booked, given) == given
        assert await finance.unresolved_limits(booked) == given
    with pytest.raises(PeerProblem) as refused:
        await finance.put_unresolved_limits(booked, UnresolvedLimits())
    assert refused.value.status == 403
    with pytest.raises(PeerProblem) as refused:
        await manager.put_unresolved_limits(
            booked,
            UnresolvedLimits.model_construct(
                warn_above_basis_points=301, block_above_basis_points=300, overdue_days=30
            ),
        )
    assert refused.value.code == "malformed"


async def test_a_month_is_warned_of_above_one_limit_and_blocked_above_the_other(
    manager: AttributionClient, finance: AttributionClient, booked: int, pool: Pool
) -> None:
    assert (await share(finance, booked)).standing is _S.WITHIN
    assert (await pool("S-2", 97)).standing is _S.WITHIN
    found = await pool("S-3", 203)
    assert (found.unresolved_fen, found.net_revenue_fen, found.share, found.standing) == (
        300,
        10_000,
        Decimal("0.03"),
        _S.WARNING,
    )
    limits = UnresolvedLimits(block_above_basis_points=299)
    await manager.put_unresolved_limits(booked, limits)
    assert (await share(finance, booked)).standing is _S.BLOCKED
    await manager.put_unresolved_limits(booked, UnresolvedLimits())
    assert (await manager.begin_closing(booked, MONTH)).unresolved == found
    closed = await finance.close_period(booked, MONTH)
    assert (closed.state, closed.unresolved) == (PeriodState.CLOSED, found)
    await manager.put_unresolved_limits(booked, limits)
    (listed,) = await finance.periods(booked)
    assert listed.unresolved == found
    assert (await manager.verification(booked, MONTH)).findings == []


async def test_the_share_is_for_those_who_read_the_whole_branch(
    caller: Callable[..., AttributionClient], booked: int
) -> None:
    contractor = caller(Role.CONTRACTOR, ["C1"])
    assert (await contractor.period(booked, MONTH)).unresolved is None
    assert [one.unresolved for one in await contractor.periods(booked)] == [None]
    assert (await caller(Role.AUDITOR).period(booked, MONTH)).unresolved is not None


async def test_what_was_booked_late_into_the_pool_is_told_by_the_month_it_is_of_and_worked_off_there(
    manager: AttributionClient,
    finance: AttributionClient,
    booked: int,
    pool: Pool,
    sender: Sender,
) -> None:
    await finance.begin_closing(booked, MONTH)
    await manager.close_period(booked, MONTH)
    await pool("S-2", 500)
    later = sender.bill("BI-12", "S-1", period=201712, amount_fen=1_000, tax_fen=0)
    await manager.post_events([later])
    await finance.begin_closing(booked, 201712)
    with pytest.raises(PeerProblem) as refused:
        await manager.close_period(booked, 201712)
    assert refused.value.code == "too-much-unresolved"
    assert refused.value.body["booked_late"] == [{"period": MONTH, "unresolved_fen": 500}]
    assert "5.00 yuan of 201711" in refused.value.body["detail"]
    (line,) = await manager.unresolved(booked, period=MONTH)
    assert (line.subscription_id, line.revenue_fen) == ("S-2", 500)
    told = await manager.explanation(booked, "S-2", period=MONTH)
    assert told.revenue_fen == 500
    assert (await manager.explanation(booked, "S-2", period=201712)).revenue_fen == 0
    ruling = RulingIn(
        subscription_ids=["S-2"],
        centre_id="C1",
        field_id="F-TOWN",
        from_period=MONTH,
        to_period=201810,
        reason="found by hand",
        restate=True,
    )
    await manager.put_ruling(booked, "R-1", ruling)
    await finance.approve_ruling(booked, "R-1")
    closed = await manager.close_period(booked, 201712)
    assert closed.unresolved is not None
    assert closed.unresolved.unresolved_fen == 0


async def test_too_much_unresolved_is_closed_with_an_approval_for_as_much_by_another_person(
    manager: AttributionClient,
    finance: AttributionClient,
    booked: int,
    pool: Pool,
    http: httpx.AsyncClient,
    token: Callable[..., str],
) -> None:
    await pool("S-2", 301)
    await finance.begin_closing(booked, MONTH)
    with pytest.raises(PeerProblem) as refused:
        await manager.close_period(booked, MONTH)
    assert (refused.value.status, refused.value.code) == (409, "too-much-unresolved")
    assert refused.value.body["unresolved"]["share"] == "0.030097"
    assert "3.0097 %" in refused.value.body["detail"]
    signed = {"Authorization": f"Bearer {token(Role.COUNTY_MANAGER, booked)}"}
    path = f"/v1/branches/{booked}/periods/{MONTH}/close"
    told = await http.post(path, headers=signed | {"Accept-Language": "zh"})
    assert "3.0097 %，上限 3 %" in told.json()["detail"]
    with pytest.raises(PeerProblem) as refused:
        await finance.approve_unresolved(booked, MONTH, "listed by hand")
    assert refused.value.status == 403
    approved = (await manager.approve_unresolved(booked, MONTH, "listed by hand")).unresolved
    assert approved is not None
    assert approved.approval is not None
    assert (approved.standing, approved.approval.reason) == (_S.APPROVED, "listed by hand")
    assert approved.approval.approved_by == "test:county_manager"
    with pytest.raises(PeerProblem) as refused:
        await manager.close_period(booked, MONTH)
    assert refused.value.code == "two-people"


async def test_an_approval_is_for_the_share_that_it_was_given_for(
    manager: AttributionClient, finance: AttributionClient, booked: int, pool: Pool, sender: Sender
) -> None:
    await pool("S-2", 400)
    await manager.begin_closing(booked, MONTH)
    await manager.approve_unresolved(booked, MONTH, "four")
    assert (await pool("S-3", 1)).standing is _S.BLOCKED
    with pytest.raises(PeerProblem) as refused:
        await finance.close_period(booked, MONTH)
    assert refused.value.code == "too-much-unresolved"
    await manager.post_events([sender.bill("BI-9", amount_fen=1_000, tax_fen=0)])
    less = await share(finance, booked)
    assert (less.standing, less.unresolved_fen) == (_S.APPROVED, 401)
    closed = await finance.close_period(booked, MONTH)
    assert closed.unresolved == less
    assert (await manager.verification(booked, MONTH)).findings == []
    with pytest.raises(PeerProblem) as refused:
        await manager.approve_unresolved(booked, MONTH, "late")
    assert refused.value.code == "approval-not-needed"


async def test_only_what_stands_in_the_way_is_approved_and_again_when_it_has_risen(
    manager: AttributionClient, finance: AttributionClient, booked: int, pool: Pool
) -> None:
    await pool("S-2", 300)
    with pytest.raises(PeerProblem) as refused:
        await manager.approve_unresolved(booked, MONTH, "early")
    assert refused.value.code == "approval-not-needed"
    with pytest.raises(PeerProblem) as refused:
        await manager.approve_unresolved(booked, 209912, "early")
    assert refused.value.code == "period-not-over"
    await pool("S-3", 100)
    await manager.approve_unresolved(booked, MONTH, "four")
    with pytest.raises(PeerProblem) as refused:
        await manager.approve_unresolved(booked, MONTH, "again")
    assert refused.value.code == "approval-not-needed"
    await pool("S-4", 100)
    await manager.approve_unresolved(booked, MONTH, "five")
    await manager.begin_closing(booked, MONTH)
    closed = await finance.close_period(booked, MONTH)
    assert closed.unresolved is not None
    assert closed.unresolved.approval is not None
    assert (closed.unresolved.approval.reason, closed.unresolved.approval.unresolved_fen) == (
        "five",
        500,
    )


async def test_a_month_whose_whole_revenue_cancels_out_is_not_passed_over(
    manager: AttributionClient, finance: AttributionClient, booked: int, sender: Sender
) -> None:
    december = {"period": 201712, "amount_fen": 500, "tax_fen": 0}
    refund = sender.event("refund.issued", refund_id="R-1", bill_item_id="BI-1", amount_fen=500)
    await manager.post_events(
        [
            sender.opened("S-2", standard_address=NOWHERE),
            sender.bill("BI-2", "S-2", **december),
            refund | {"time": "2017-12-30T10:00:00+08:00"},
        ]
    )
    found = (await finance.period(booked, 201712)).unresolved
    assert found is not None
    assert (found.unresolved_fen, found.net_revenue_fen, found.share, found.standing) == (
        500,
        0,
        None,
        _S.BLOCKED,
    )
    await manager.begin_closing(booked, MONTH)
    await finance.close_period(booked, MONTH)
    await manager.begin_closing(booked, 201712)
    with pytest.raises(PeerProblem) as refused:
        await finance.close_period(booked, 201712)
    assert refused.value.code == "too-much-unresolved"
    await manager.approve_unresolved(booked, 201712, "they cancel out")
    assert (await finance.close_period(booked, 201712)).state is PeriodState.CLOSED


async def test_a_month_in_which_nothing_was_booked_is_within_the_limits(
    manager: AttributionClient, county: int
) -> None:
    found = await share(manager, county)
    assert (found.share, found.standing) == (Decimal(0), _S.WITHIN)


APPROVAL = "UPDATE attribution.unresolved_approvals SET {} WHERE branch_id = {{branch}}"
CLOSING = "UPDATE attribution.periods SET {} WHERE branch_id = {{branch}}"


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (APPROVAL.format("approved_by = 'x'"), "approved_by is x, test:county_manager was"),
        (APPROVAL.format("reason = 'x'"), "approved_reason is x, by hand was published"),
        (APPROVAL.format("unresolved_fen = 1"), "approved_unresolved_fen is 1, 400 was published"),
        (CLOSING.format("approval = NULL"), "approved_by is None, test:county_manager was"),
        (CLOSING.format("unresolved_fen = 1"), "unresolved_fen is 1, 400 was published"),
        (CLOSING.format("block_above_basis_points = 900"), "block_above_basis_points is 900, 300"),
    ],
)
async def test_whoever_changes_what_was_approved_is_found_out(
    manager: AttributionClient,
    finance: AttributionClient,
    booked: int,
    pool: Pool,
    tamper: Callable[[str], Awaitable[None]],
    change: str,
    finding: str,
) -> None:
    await pool("S-2", 400)
    await manager.approve_unresolved(booked, MONTH, "by hand")
    await manager.begin_closing(booked, MONTH)
    await finance.close_period(booked, MONTH)
    assert (await manager.verification(booked, MONTH)).findings == []
    await tamper(change.format(branch=booked))
    findings = (await manager.verification(booked, MONTH)).findings
    assert "the seal is not that of the closing it stands under" in findings
    assert any(one.startswith(finding) for one in findings), findings


# --- lines that are worked off ------------------------------------------------------------------

START = datetime(2026, 11, 2, 2, tzinfo=UTC)


def person(person_id: str) -> FeedEntry:
    return fact(
        contracts.PERSON_ASSIGNED,
        person_id,
        contracts.PersonAssigned.model_validate(
            {
                "person": {"person_id": person_id, "engagement": "own", "skills": []},
                "assignment": {
                    "person_id": person_id,
                    "centre_id": "C0",
                    "position": "accountant",
                    "primary": True,
                    "from_day": "2017-01-01",
                },
            }
        ),
    )


@pytest.fixture
async def lines(
    manager: AttributionClient,
    county: int,
    pool: Pool,
    sender: Sender,
    follow: Callable[[Sequence[FeedEntry]], Awaitable[None]],
    set_clock: Callable[[datetime], None],
) -> int:
    """Return a branch with two lines in the pool, and two people to work them off."""
    await follow([person("P1"), person("P2")])
    set_clock(START)
    await manager.post_events([sender.opened("S-1"), sender.bill("BI-1", amount_fen=9_700)])
    await pool("S-2", 200)
    await pool("S-3", 100)
    return county


async def listed(client: AttributionClient, branch_id: int, **wanted: Any) -> list[str]:
    found = await client.unresolved(branch_id, period=MONTH, **wanted)
    return [one.subscription_id for one in found]


async def test_a_line_is_assigned_and_every_reassignment_is_kept(
    manager: AttributionClient, finance: AttributionClient, lines: int
) -> None:
    assert await listed(finance, lines, unassigned=True) == ["S-2", "S-3"]
    first = await finance.assign_unresolved(lines, "S-2", "P1")
    assert (first.number, first.person_id, first.assigned_by) == (1, "P1", "test:county_finance")
    assert await manager.assign_unresolved(lines, "S-2", "P1") == first
    assert await listed(finance, lines, assignee_id="P1") == ["S-2"]
    assert await listed(finance, lines, unassigned=True) == ["S-3"]
    assert await listed(finance, lines, unassigned=False) == ["S-2"]
    second = await manager.assign_unresolved(lines, "S-2", "P2")
    assert await listed(finance, lines, assignee_id="P1") == []
    third = await manager.assign_unresolved(lines, "S-2", None)
    assert await listed(finance, lines, unassigned=True) == ["S-2", "S-3"]
    assert [one.assignee_id for one in await finance.unresolved(lines, period=MONTH)] == [None] * 2
    assert await finance.unresolved_assignments(lines, "S-2") == [first, second, third]
    assert (second.number, third.number) == (2, 3)


async def test_a_line_is_assigned_by_the_county_to_a_person_of_it(
    caller: Callable[..., AttributionClient], manager: AttributionClient, lines: int
) -> None:
    with pytest.raises(PeerProblem) as refused:
        await manager.assign_unresolved(lines, "S-2", "P9")
    assert refused.value.code == "assignment-not-possible"
    assert refused.value.body["errors"][0]["pointer"] == "/person_id"
    with pytest.raises(PeerProblem) as refused:
        await manager.assign_unresolved(lines, "S-99", "P1")
    assert refused.value.status == 404
    for role in (Role.CONTRACTOR, Role.SUPPORT_CENTRE, Role.AUDITOR):
        with pytest.raises(PeerProblem) as refused:
            await caller(role).assign_unresolved(lines, "S-2", "P1")
        assert refused.value.status == 403
    assert await manager.unresolved_assignments(lines, "S-2") == []


async def test_a_line_ages_from_when_it_became_unresolved_and_is_overdue_by_the_branchs_limit(
    manager: AttributionClient, lines: int, set_clock: Callable[[datetime], None], sender: Sender
) -> None:
    async def ages() -> dict[str, tuple[int, bool]]:
        found = await manager.unresolved(lines, period=MONTH)
        return {one.subscription_id: (one.age_days, one.overdue) for one in found}

    set_clock(START + timedelta(days=30))
    assert await ages() == {"S-2": (30, False), "S-3": (30, False)}
    set_clock(START + timedelta(days=31))
    assert await ages() == {"S-2": (31, True), "S-3": (31, True)}
    await manager.put_unresolved_limits(lines, UnresolvedLimits(overdue_days=40))
    assert await ages() == {"S-2": (31, False), "S-3": (31, False)}

    def moved(day: str, address: str) -> dict[str, Any]:
        return sender.event(
            "subscription.moved",
            subscription_id="S-2",
            effective_on=day,
            standard_address=address,
        )

    await manager.post_events([moved("2017-10-20", TOWN)])
    assert await ages() == {"S-3": (31, False)}
    set_clock(START + timedelta(days=35))
    await manager.post_events([moved("2017-10-25", NOWHERE)])
    set_clock(START + timedelta(days=36))
    assert await ages() == {"S-2": (1, False), "S-3": (36, False)}


async def test_the_list_says_what_is_done_about_a_line(
    caller: Callable[..., AttributionClient],
    manager: AttributionClient,
    finance: AttributionClient,
    lines: int,
) -> None:
    async def done(client: AttributionClient) -> dict[str, tuple[str | None, str | None]]:
        found = await client.unresolved(lines, period=MONTH)
        return {one.subscription_id: (one.drafted_ruling_id, one.dispute_id) for one in found}

    assert await done(manager) == {"S-2": (None, None), "S-3": (None, None)}
    ruling = {"subscription_ids": ["S-2"], "centre_id": "C1", "reason": "seen on site"}
    for ruling_id, first, last in (("R-1", 201710, 201710), ("R-2", 201712, None)):
        given = RulingIn.model_validate(ruling | {"from_period": first, "to_period": last})
        await manager.put_ruling(lines, ruling_id, given)
    assert await done(manager) == {"S-2": (None, None), "S-3": (None, None)}
    given = RulingIn.model_validate(ruling | {"from_period": MONTH, "to_period": MONTH})
    await manager.put_ruling(lines, "R-3", given)
    claim = {
        "subscription_id": "S-3",
        "from_period": MONTH,
        "claimant_centre_id": "C2",
        "centre_id": "C2",
        "text": "it lies in our village",
    }
    rural = caller(Role.CONTRACTOR, ["C2"])
    await rural.raise_dispute(lines, "D-1", DisputeIn.model_validate(claim))
    assert await done(manager) == {"S-2": ("R-3", None), "S-3": (None, "D-1")}
    await rural.withdraw_dispute(lines, "D-1")
    await finance.approve_ruling(lines, "R-3")
    assert await done(manager) == {"S-3": (None, None)}


async def test_who_reads_no_rulings_is_not_told_of_one(
    caller: Callable[..., AttributionClient], manager: AttributionClient, lines: int
) -> None:
    given = {"subscription_ids": ["S-2"], "centre_id": "C1", "reason": "x", "from_period": MONTH}
    await manager.put_ruling(lines, "R-1", RulingIn.model_validate(given))
    for role, told in ((Role.SUPPORT_CENTRE, "R-1"), (Role.CONTRACTOR, None)):
        first, _ = await caller(role, ["C0"]).unresolved(lines, period=MONTH)
        assert (first.subscription_id, first.drafted_ruling_id) == ("S-2", told)


async def test_many_lines_are_listed_with_as_many_queries_as_one(
    app: FastAPI, manager: AttributionClient, lines: int, sender: Sender
) -> None:
    asked: list[str] = []

    def count(_: Any, __: Any, statement: str, *___: Any) -> None:
        asked.append(statement)

    async def queries_of(page_of: int) -> int:
        asked.clear()
        await manager._get(  # noqa: SLF001 - a page of a size that the client does not ask for
            Page[UnresolvedLine],
            f"/v1/branches/{lines}/unresolved",
            params={"period": MONTH, "limit": page_of},
        )
        return len(asked)

    events = []
    for number in range(300):
        line = f"T-{number:03}"
        events.append(sender.opened(line, standard_address=NOWHERE))
        events.append(sender.bill(f"BI-{line}", line))
    await manager.post_events(events)
    await manager.assign_unresolved(lines, "T-007", "P1")
    assert len(await manager.unresolved(lines, period=MONTH)) == 302
    engine = app.state.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", count)
    try:
        assert await queries_of(1) == await queries_of(300) > 0
    finally:
        event.remove(engine, "before_cursor_execute", count)
