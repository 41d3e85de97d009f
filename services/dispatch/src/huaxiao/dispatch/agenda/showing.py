"""Plans, visits and choices in the words of the wire."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from huaxiao.dispatch.agenda.holders import named, people_of
from huaxiao.dispatch.agenda.minutes import moment_of
from huaxiao.dispatch.domain.planning.day import NotPlanned
from huaxiao.dispatch.domain.planning.model import (
    LeftOut,
    Obstacle,
    Problem,
    Reason,
    Route,
    Stop,
)
from huaxiao.dispatch.domain.planning.placing import Choice, Placement
from huaxiao.dispatch.domain.planning.prices import Cost
from huaxiao.dispatch.domain.planning.replanning import WORDS, Difference
from huaxiao.shared.wire import plans as wire

NOT_PLANNED: Mapping[str, tuple[str, str]] = {
    NotPlanned.NO_PLACE: ("nobody knows where it is on the map", "缺少坐标"),
    NotPlanned.SUSPENDED: ("it is suspended", "已挂起"),
    NotPlanned.PREDECESSORS_OPEN: ("an order before it is not done", "前置工单未完成"),
    NotPlanned.APPOINTMENT_PASSED: (
        "it was promised for an earlier day: make a new appointment",
        "预约日期已过，请重新预约",
    ),
    NotPlanned.AWAY: ("away all day", "全天不在岗"),
    "not_of_day": ("it is for another day, or over", "不属于当日，或已结束"),
    "ended": ("it is over", "工单已结束"),
    "suspended_since": ("it was suspended meanwhile", "其间已挂起"),
    "another_centre": ("another centre has it by now", "其间已转交其他中心"),
    "begun_otherwise": (
        "somebody else has set out for it, or begun it, meanwhile",
        "其间已由他人出发或开工",
    ),
    "another_day": ("it is planned on another day by now", "其间已排入其他日期"),
    "appointed_since": ("another time was agreed meanwhile", "其间预约时间已变"),
    "decided_since": ("a dispatcher decided otherwise meanwhile", "其间已另行指定或排除人员"),
    "given_since": ("it was given to somebody by hand meanwhile", "其间已人工派给他人"),
    "rejected_since": ("who was to do it has rejected it", "原定人员已拒单"),
    "arrived_since": ("it was planned after this plan was made", "方案生成后才排入"),
    "holder_gone": ("who was to do it has it no more, or is away", "原定人员已不承办或不在岗"),
    "cannot": ("who was to do it cannot any more", "原定人员已无法承办"),
}
"""Why something is not, or is no longer, part of a plan, in English and Chinese."""


def missing(name: str, reason: str) -> wire.PlanMissing:
    """Return what a plan could not consider, in words."""
    text, text_zh = NOT_PLANNED[reason]
    return wire.PlanMissing(id=name, reason=reason, text=text, text_zh=text_zh)


def cost(found: Cost) -> wire.PlanCost:
    """Return a cost, term by term."""
    terms = {name: getattr(found, name) for name in wire.PlanCost.model_fields if name != "total"}
    return wire.PlanCost(**terms, total=found.total)


def route(problem: Problem, one: Route, day: date) -> wire.PlanRoute:
    """Return somebody's day."""
    engineer_id, crew_id = named(one.engineer_id)
    return wire.PlanRoute(
        engineer_id=engineer_id,
        crew_id=crew_id,
        centre_id=problem.engineer[one.engineer_id].centre or "",
        stops=[
            wire.PlanStop(
                order_id=stop.order_id,
                travel_minutes=stop.travel,
                arrives_at=moment_of(stop.arrival, day),
                starts_at=moment_of(stop.start, day),
                ends_at=moment_of(stop.end, day),
            )
            for stop in one.stops
        ],
        home_minutes=one.travel_home,
    )


def obstacle(one: Obstacle) -> wire.PlanObstacle:
    """Return why somebody does not do an order."""
    engineer_id, crew_id = named(one.engineer_id)
    text, text_zh = _OF_ONE[one.reason]
    return wire.PlanObstacle(
        engineer_id=engineer_id,
        crew_id=crew_id,
        reason=one.reason,
        text=text,
        text_zh=text_zh,
        missing_skills=list(one.missing),
        price=one.price,
    )


_OF_ONE: Mapping[Reason, tuple[str, str]] = {
    Reason.STARTED: ("somebody else has begun it", "已由他人开工"),
    Reason.PINNED: ("it was given to somebody else by hand", "已人工指定他人"),
    Reason.FORBIDDEN: ("may not do it", "已被排除"),
    Reason.SKILL: ("lacks skills", "技能不足"),
    Reason.CAPACITY: ("no room for the material", "车辆装不下物料"),
    Reason.SHIFT: ("the shift leaves no time", "班次时间不够"),
    Reason.WINDOW: ("could not be there in time", "赶不上预约时段"),
    Reason.FULL: ("is fully booked", "已排满"),
    Reason.PRICE: ("it costs more than it is worth", "代价高于未派成本"),
    Reason.CREW: ("too few are free at the same time", "同一时间可到场人数不足"),
}


def left_out(one: LeftOut) -> wire.PlanLeftOut:
    """Return an order that nobody does, and why."""
    text, text_zh = WORDS[one.reason]
    return wire.PlanLeftOut(
        order_id=one.order_id,
        reason=one.reason,
        text=text,
        text_zh=text_zh,
        price=one.price,
        obstacles=[obstacle(each) for each in one.obstacles],
    )


def change(one: Difference) -> wire.PlanChange:
    """Return what happens to an order, in words."""
    return wire.PlanChange(kind=one.kind, order_id=one.order_id, text=one.text, text_zh=one.text_zh)


def choice(one: Choice, day: date) -> wire.PlacementChoice:
    """Return who can do an order, when, and what it costs."""
    engineers, crew_id = people_of(one.engineers)
    return wire.PlacementChoice(
        engineer_ids=engineers,
        crew_id=crew_id,
        starts_at=moment_of(one.start, day),
        price=one.price,
    )


def placement(found: Placement, day: date, minute: int) -> wire.Placement:
    """Return where an order goes, with the runners-up and why nobody else does it."""
    return wire.Placement(
        order_id=found.order_id,
        day=day,
        at=moment_of(minute, day),
        best=None if found.best is None else choice(found.best, day),
        choices=[choice(one, day) for one in found.choices],
        price_left_out=found.price_left_out,
        obstacles=[obstacle(one) for one in found.obstacles],
        not_planned=None,
    )


def visits(
    planned: Mapping[str, Sequence[tuple[str, Stop]]], day: date
) -> Iterable[wire.PlannedVisit]:
    """Yield who visits each order, and when."""
    for name, found in sorted(planned.items()):
        engineers, crew_id = people_of(who for who, _ in found)
        yield wire.PlannedVisit(
            order_id=name,
            engineer_ids=engineers,
            crew_id=crew_id,
            starts_at=moment_of(found[0][1].start, day),
        )
