"""The planned day as the terminal shows it, and what must be true of it."""

from collections import Counter
from datetime import datetime, timedelta

from rich.console import Console
from rich.table import Table

from huaxiao.cli.checks import Checks
from huaxiao.cli.sample.day import CENTRE, SHIFTS, UNKNOWN_SKILL
from huaxiao.cli.work.day import ToldDay
from huaxiao.cli.work.rules import broken_rules
from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.wire.plans import PlanCost, PlanRoute

_SHOWN = 4
"""So many changes are shown by name."""
_BREAK = "休"


def show(console: Console, told: ToldDay) -> None:
    """Show who goes where when, what is left out and why, and what the urgent repair does to it."""
    plan = told.plan
    console.rule(f"Tomorrow 次日 {told.entered.day} · {CENTRE} 建设维护服务中心")
    visits = sum(stop.order_id is not None for route in plan.routes for stop in route.stops)
    console.print(
        f"{plan.orders} orders to plan, {told.entered.booked} of them with a slot promised;"
        f" {visits} visits by {len(plan.routes)} engineers; {_cost(plan.cost)}"
    )
    table = Table(title="The plan 排程方案", title_justify="left", show_lines=True)
    table.add_column("engineer")
    # A Chinese name is one word to a terminal: it is folded, or it would be cut.
    table.add_column("visits, each with its beginning 上门", overflow="fold")
    table.add_column("on the road", justify="right")
    table.add_column("home at", justify="right")
    for route in plan.routes:
        table.add_row(*_route(told, route))
    console.print(table)
    _show_left_out(console, told)
    _show_urgent(console, told)


def _cost(cost: PlanCost | None) -> str:
    if cost is None:
        return ""
    return (
        f"cost {cost.total} 代价 = road {cost.travel} + left out {cost.left_out}"
        f" + late {cost.late} + promises {cost.promises}"
    )


def _hour(moment: datetime) -> str:
    return f"{moment.astimezone(BUSINESS_ZONE):%H:%M}"


def _route(told: ToldDay, route: PlanRoute) -> tuple[str, str, str, str]:
    visits = [
        f"{_hour(one.starts_at)} {_BREAK if one.order_id is None else told.names[one.order_id]}"
        for one in route.stops
    ]
    road = sum(one.travel_minutes for one in route.stops) + route.home_minutes
    home = "–"
    if route.stops:
        home = _hour(route.stops[-1].ends_at + timedelta(minutes=route.home_minutes))
    return route.engineer_id or "", " → ".join(visits), f"{road} min", home


def _show_left_out(console: Console, told: ToldDay) -> None:
    table = Table(title="Left out, and why 未排工单及原因", title_justify="left")
    for column in ("order", "why", "原因", "of the engineers"):
        table.add_column(column)
    for one in told.plan.left_out:
        obstacles = Counter(each.text_zh for each in one.obstacles)
        named = ", ".join(f"{count} × {text}" for text, count in sorted(obstacles.items()))
        table.add_row(told.names[one.order_id], one.text, one.text_zh, named)
    for missing in told.plan.orders_not_planned:
        table.add_row(told.names[missing.id], missing.text, missing.text_zh, "–")
    console.print(table)
    console.print()


def _show_urgent(console: Console, told: ToldDay) -> None:
    found = told.placement
    console.print(
        f"An urgent repair arrives for 11:00 急修到单: {told.names[found.order_id]}"
        f" (to leave it out would cost {found.price_left_out})"
    )
    table = Table(title="Who could do it, and why nobody else 派单理由", title_justify="left")
    for column in ("engineer", "begins", "price", "why", "理由"):
        table.add_column(column, justify="right" if column == "price" else "left")
    for number, one in enumerate(found.choices):
        why, why_zh = _RANKS[min(number, len(_RANKS) - 1)]
        table.add_row(
            ", ".join(one.engineer_ids), _hour(one.starts_at), str(one.price), why, why_zh
        )
    for obstacle in found.obstacles:
        price = "–" if obstacle.price is None else str(obstacle.price)
        table.add_row(obstacle.engineer_id or "", "–", price, obstacle.text, obstacle.text_zh)
    console.print(table)
    changes = told.difference.changes
    kinds = ", ".join(
        f"{count} {kind}" for kind, count in sorted(Counter(one.kind for one in changes).items())
    )
    now, then = told.difference.cost_now, told.difference.cost_then
    saved = "" if now is None or then is None else f" cost {now.total} → {then.total};"
    console.print(
        f"To plan the rest anew 重新排程 would change:{saved} {kinds or 'nothing 无变化'}"
    )
    for change in changes[:_SHOWN]:
        name = told.names.get(change.order_id, change.order_id)
        console.print(f"  {change.text.replace(change.order_id, name)}")
        console.print(f"  {change.text_zh.replace(change.order_id, name)}")
    if len(changes) > _SHOWN:
        console.print(f"  and {len(changes) - _SHOWN} more 等")
    console.print()


_RANKS = (
    ("[green]the best place[/green]", "[green]最优[/green]"),
    ("the runner-up", "次优"),
    ("dearer", "更贵"),
)


def check(checks: Checks, told: ToldDay) -> None:
    """Check that the plan keeps every rule, comes again from its seed, and is what was applied."""
    broken = broken_rules(told.plan, told.given)
    checks.hold(
        "the plan breaks no rule as seen from outside: skills, shifts, windows, one place at a time"
        + "".join(f"; {one}" for one in broken),
        held=not broken and any(route.stops for route in told.plan.routes),
    )
    checks.equal(
        "the same seed gives the same plan",
        (told.again.cost, told.again.routes, told.again.left_out),
        (told.plan.cost, told.plan.routes, told.plan.left_out),
    )
    checks.hold(
        "every order left out says why of every engineer, in English and Chinese",
        held=all(
            one.text and one.text_zh and {each.engineer_id for each in one.obstacles} == set(SHIFTS)
            for one in told.plan.left_out
        ),
    )
    checks.hold(
        "what takes a skill that nobody has is left out for that skill (R13)",
        held=[
            {skill for each in one.obstacles for skill in each.missing_skills}
            for one in told.plan.left_out
            if UNKNOWN_SKILL in told.given.orders[one.order_id].needed_skills
        ]
        == [{UNKNOWN_SKILL}],
    )
    checks.equal(
        "the plan that was applied is the day's agenda",
        sorted(_visits_of_agenda(told)),
        sorted(
            (route.engineer_id, stop.order_id, stop.starts_at)
            for route in told.plan.routes
            for stop in route.stops
            if stop.order_id is not None
        ),
    )
    _check_urgent(checks, told)
    checks.equal(
        "a slot is never promised twice: whoever comes too late is told the next free ones",
        (told.entered.refused, bool(told.entered.next_free)),
        ("slot-taken", True),
    )


def _visits_of_agenda(told: ToldDay) -> list[tuple[str | None, str, datetime]]:
    return [
        (route.engineer_id, visit.order_id, visit.planned_from)
        for route in told.agenda.routes
        for visit in route.visits
        if visit.order_id is not None
    ]


def _check_urgent(checks: Checks, told: ToldDay) -> None:
    found = told.placement
    prices = [one.price for one in found.choices]
    considered = {who for one in found.choices for who in one.engineer_ids}
    considered |= {one.engineer_id for one in found.obstacles if one.engineer_id is not None}
    # A day that is full to the end has no place for it: then planning anew shows one.
    worth = [one for one in found.choices if one.price < found.price_left_out]
    checks.hold(
        "the urgent repair goes where it costs least, and everybody else's reason is told",
        held=prices == sorted(prices)
        and found.best == (worth[0] if worth else None)
        and (found.best is None or told.urgent.steps[0].engineer_id in found.best.engineer_ids)
        and considered == set(SHIFTS),
    )
