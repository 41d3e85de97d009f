"""What the pages of plans make of a plan: days in order, their sums, and what changes in words."""

from datetime import UTC, datetime
from typing import Any

from huaxiao.console.language import CHINESE, ENGLISH, Words
from huaxiao.console.plans import views
from huaxiao.shared.wire.plans import Plan, PlanChange, PlanSummary


def at(hour: int, minute: int = 0) -> str:
    return f"2026-12-02T{hour:02}:{minute:02}:00Z"


def stop(order_id: str | None, travel: int, arrives: str, starts: str, ends: str) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "travel_minutes": travel,
        "arrives_at": arrives,
        "starts_at": starts,
        "ends_at": ends,
    }


def route(who: str | None, *stops: dict[str, Any], crew: str | None = None) -> dict[str, Any]:
    return {
        "engineer_id": who,
        "crew_id": crew,
        "centre_id": "B1",
        "stops": list(stops),
        "home_minutes": 15,
    }


def plan(*routes: dict[str, Any], **given: Any) -> Plan:
    facts = {
        "plan_id": "P",
        "round_id": None,
        "based_on": None,
        "kind": "day",
        "day": "2026-12-02",
        "centre_ids": ["B1"],
        "state": "done",
        "seed": 1,
        "seconds": 10,
        "iterations": None,
        "asked_by": "somebody",
        "asked_at": at(0),
        "started_at": None,
        "finished_at": None,
        "applied_by": None,
        "applied_at": None,
        "progress": {"share": 1.0, "iterations": 1, "cost": 1},
        "failure": None,
        "now": at(0),
        "travel_source": "distance",
        "orders": 3,
        "cost": None,
        "routes": list(routes),
        "left_out": [],
        "orders_not_planned": [],
        "people_not_sent": [],
    }
    return Plan.model_validate(facts | given)


def test_a_day_is_told_in_order_with_its_ways_and_its_work() -> None:
    found = plan(
        route(
            "P18",
            stop("B", 10, at(10, 10), at(10, 30), at(11)),
            stop("A", 20, at(8, 20), at(8, 20), at(10)),
            stop(None, 0, at(11), at(11), at(12)),
        )
    )

    (day,) = views.days(found)

    assert [one.order_id for one in day.stops] == ["A", "B", None]
    assert (day.visits, day.travel_minutes, day.work_minutes) == (2, 45, 130)
    assert day.begins_at == datetime(2026, 12, 2, 8, tzinfo=UTC)
    assert day.ends_at == datetime(2026, 12, 2, 12, 15, tzinfo=UTC)


def test_crews_come_behind_ones_own_people_and_a_day_may_be_empty() -> None:
    found = views.days(plan(route(None, crew="A-CREW"), route("P19"), route("P18")))

    assert [(one.who, one.crew) for one in found] == [
        ("P18", False),
        ("P19", False),
        ("A-CREW", True),
    ]
    assert (found[0].begins_at, found[0].ends_at, found[0].visits) == (None, None, 0)


def test_an_order_for_two_people_is_visited_once() -> None:
    visit = stop("A", 0, at(8), at(8), at(9))

    found = views.days(plan(route("P18", visit), route("P19", visit)))

    assert views.visited(found) == {"A"}


def test_what_changes_is_told_without_the_orders_code() -> None:
    change = PlanChange(
        kind="added", order_id="O-1", text="O-1: nobody -> P18", text_zh="O-1：新派"
    )

    assert views.told(Words(ENGLISH), change) == "nobody -> P18"
    assert views.told(Words(CHINESE), change) == "新派"


def test_plans_of_a_centre_are_listed_the_latest_first() -> None:
    def asked(plan_id: str, hour: int, *centre_ids: str) -> PlanSummary:
        return plan(plan_id=plan_id, asked_at=at(hour), centre_ids=centre_ids)

    known = [asked("1", 1, "B1"), asked("2", 2, "B1", "C1"), asked("3", 3, "C1")]

    assert [one.plan_id for one in views.newest_first(known, None)] == ["3", "2", "1"]
    assert [one.plan_id for one in views.newest_first(known, "B1")] == ["2", "1"]
