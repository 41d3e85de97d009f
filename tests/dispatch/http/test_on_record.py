"""What dispatch has on record: people's steps with before and after, and what the calendar does."""

from typing import Any

from support.appraising import FROZEN, PUBLISHED

from huaxiao.shared.auth import Role


async def test_a_step_of_an_order_is_on_record_with_what_was_before(
    appraising: Any, caller: Any
) -> None:
    await appraising.work(1)

    entries = await caller(Role.AUDITOR).audit_entries(appraising.county)
    steps = [one for one in entries if one.subject == "test:engineer"]

    assert steps
    (order,) = [one for one in steps[0].changes if one["table"] == "orders"]
    assert order["key"] == {"order_id": "O00"}
    assert order["before"]["state"] != order["after"]["state"]
    assert order["after"]["steps"] == order["before"]["steps"] + 1
    assert "kind" not in order["before"]
    assert any(one["table"] == "order_steps" and "added" in one for one in steps[0].changes)


async def test_evidence_and_cards_that_the_calendar_makes_are_on_record_as_the_services_own(
    appraising: Any, caller: Any
) -> None:
    await appraising.work(2)
    await appraising.to(FROZEN)
    await appraising.to(PUBLISHED)

    entries = await caller(Role.AUDITOR).audit_entries(
        appraising.county, subject="service:dispatch"
    )
    tables = {change["table"] for one in entries for change in one.changes}

    assert {one.route for one in entries} >= {"appraisals"}
    assert {"appraisal_months", "appraisal_evidence"} <= tables
    assert "order_clocks" not in tables
