"""The sample's day, where its villages lie, and what is said of a plan that breaks a rule."""

from datetime import date, timedelta
from itertools import combinations
from typing import Any

import pytest

from huaxiao.cli.sample import day as sample
from huaxiao.cli.sample.county import County, sample_county
from huaxiao.cli.sample.places import SEAT, village_points
from huaxiao.cli.work.rules import Given, broken_rules
from huaxiao.shared.wire.dispatch import Order, OrderKind, OrderState
from huaxiao.shared.wire.plans import Plan, PlanKind, PlanProgress, PlanRoute, PlanState, PlanStop
from huaxiao.shared.wire.visits import Window

DAY = date(2026, 3, 3)
BEGINS = sample.moment(DAY, sample.SHIFTS["P19"][0])
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def county() -> County:
    return sample_county()


def test_every_village_has_a_place_of_its_own_within_the_county(county: County) -> None:
    points = village_points(county)
    assert set(points) == {one.code for one in county.villages}
    assert len({(one.latitude, one.longitude) for one in points.values()}) == len(points)
    assert all(
        abs(float(one.latitude) - SEAT[0]) < 0.15 and abs(float(one.longitude) - SEAT[1]) < 0.15
        for one in points.values()
    )
    assert village_points(county) == points


def test_the_day_is_asked_for_alike_again_and_again(county: County) -> None:
    asked = sample.orders_of_day(county, DAY)
    assert asked == sample.orders_of_day(county, DAY)
    assert len({one.reference for one in asked}) == len(asked)
    assert sum(sample.UNKNOWN_SKILL in one.needed_skills for one in asked) == 1
    assert sum(one.people_needed > 1 for one in asked) == 1
    free = [one for one in asked if one.kind is OrderKind.REPAIR and one.wished is None]
    assert len(free) > sample.APPOINTED, "one is left to be told that the slot is taken"


def order(name: str, **more: Any) -> Order:
    given: dict[str, Any] = {
        "order_id": name,
        "source": "front_end",
        "reference": name,
        "kind": OrderKind.REPAIR,
        "priority": 3,
        "customer_class": "public",
        "standard_address": "1301230010010001",
        "state": OrderState.NEW,
        "requested_at": BEGINS,
        "visits": 0,
        "reworks": 0,
        "handovers": 0,
        "needed_skills": [],
        "unmet_skills": [],
        "flags": [],
    }
    absent = dict.fromkeys(Order.model_fields) | {"people_needed": 1}
    return Order.model_validate(absent | given | more)


def stop(name: str, start: int, *, minutes: int = 60, travel: int = 10) -> PlanStop:
    """Return a visit that begins so many minutes after the shift."""
    starts_at = BEGINS + start * MINUTE
    return PlanStop(
        order_id=name,
        travel_minutes=travel,
        arrives_at=starts_at,
        starts_at=starts_at,
        ends_at=starts_at + minutes * MINUTE,
    )


def plan(routes: dict[str, list[PlanStop]]) -> Plan:
    return Plan.model_construct(
        plan_id="p",
        kind=PlanKind.DAY,
        state=PlanState.DONE,
        progress=PlanProgress(share=1, iterations=1, cost=0),
        routes=[
            PlanRoute(engineer_id=who, crew_id=None, centre_id="B1", stops=stops, home_minutes=10)
            for who, stops in routes.items()
        ],
        left_out=[],
        orders_not_planned=[],
    )


def given(*orders: Order, pinned: dict[str, str] | None = None) -> Given:
    skills = frozenset({"install", "repair", "maintain"})
    return Given(
        orders={one.order_id: one for one in orders},
        skills={"P19": skills, "P20": frozenset({"install"})},
        shifts=dict.fromkeys(("P19", "P20"), (BEGINS, BEGINS + 600 * MINUTE)),
        lengths={OrderKind.REPAIR: 60, OrderKind.INSTALL: 90},
        pinned=pinned or {},
    )


A, B = order("A"), order("B")
EARLY = Window(opens_at=BEGINS, closes_at=BEGINS + 30 * MINUTE)
FAULTS = {
    "is in two places": (given(A, B), {"P19": [stop("A", 10), stop("B", 75)]}),
    "lacks": (given(A), {"P20": [stop("A", 10)]}),
    "takes": (given(A), {"P19": [stop("A", 10, minutes=45)]}),
    "outside of its window": (given(order("A", wished=EARLY)), {"P19": [stop("A", 30)]}),
    "is P20's": (given(A, pinned={"A": "P20"}), {"P19": [stop("A", 10)]}),
    "sets out before": (given(A), {"P19": [stop("A", 5)]}),
    "is home after": (given(A), {"P19": [stop("A", 535)]}),
    "which takes 2": (given(order("A", people_needed=2)), {"P19": [stop("A", 10)]}),
    "is neither done nor left out": (given(A, B), {"P19": [stop("A", 10)]}),
    "is not to be done": (given(), {"P19": [stop("A", 10)]}),
}


def test_a_plan_that_keeps_every_rule_is_told_nothing() -> None:
    routes = {"P19": [stop("A", 10), stop("B", 80)], "P20": list[PlanStop]()}
    assert broken_rules(plan(routes), given(A, B)) == []


@pytest.mark.parametrize("said", FAULTS)
def test_each_broken_rule_is_named(said: str) -> None:
    kept_to, routes = FAULTS[said]
    (fault,) = broken_rules(plan(routes), kept_to)
    assert said in fault


def test_people_of_one_order_begin_together() -> None:
    order_of_two = order("A", kind=OrderKind.INSTALL, people_needed=2)
    routes = {who: [stop("A", at, minutes=90)] for who, at in (("P19", 10), ("P20", 12))}
    (fault,) = broken_rules(plan(routes), given(order_of_two))
    assert "do not begin together" in fault


def test_slots_are_booked_until_one_is_full() -> None:
    slots = sample.slots_booked(DAY)
    assert len(slots) == sample.APPOINTED
    assert slots.count(slots[0]) == len(sample.SHIFTS)
    assert all(one <= other for one, other in combinations(slots, 2))
