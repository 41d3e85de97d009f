"""The service clocks of the month's orders, and the warnings they had given when work was finished.

The month is told long after it was: while an order waits for its next step here, its clock of 2017 has
run on until today, and says so. What counts is what it had reached when the work was done.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from huaxiao.cli.checks import Checks
from huaxiao.cli.sample.county import BRANCH_ID
from huaxiao.cli.story import Story
from huaxiao.shared.periods import BUSINESS_ZONE
from huaxiao.shared.wire.dispatch import Order
from huaxiao.shared.wire.service_levels import ClockWarning, Escalation, OrderClock

_SHOWN = 3
_AT_TARGET = 100
_TOLD = {
    Escalation.ENGINEER: "engineer 装维人员",
    Escalation.CONTRACTOR: "contractor 承包人",
    Escalation.COUNTY_MANAGER: "county manager 县经理",
}


@dataclass(frozen=True)
class ToldClocks:
    """Orders, the warnings each had given by its end, and the clocks of some that were late."""

    orders: tuple[Order, ...]
    warnings: dict[str, tuple[ClockWarning, ...]]
    late: tuple[OrderClock, ...]


async def tell(story: Story, orders: Sequence[Order]) -> ToldClocks:
    """Return what the clocks of finished orders had told."""
    ended = {one.order_id: one.finished_at for one in orders if one.finished_at is not None}
    given: dict[str, list[ClockWarning]] = {name: [] for name in ended}
    cursor: str | None = None
    while True:
        page = await story.dispatch.clock_warnings(BRANCH_ID, cursor=cursor, limit=500)
        for one in page.items:
            # Work that ends in the very minute of its target is on time.
            if one.order_id in ended and one.reached_at < ended[one.order_id]:
                given[one.order_id].append(one)
        cursor = page.next_cursor
        if cursor is None:
            break
    late = [one.order_id for one in orders if one.on_time is False][:_SHOWN]
    return ToldClocks(
        tuple(orders),
        {name: tuple(warnings) for name, warnings in given.items()},
        tuple([await story.dispatch.order_clock(BRANCH_ID, one) for one in late]),
    )


def show(console: Console, told: ToldClocks) -> None:
    """Show some late orders with their clocks, and how many warnings went to whom."""
    of_order = {one.order_id: one for one in told.orders}
    table = Table(title="Order clocks that ran out 超时工单", title_justify="left")
    for column in ("order", "target", "due", "finished", "warned at, whom 预警"):
        table.add_column(column)
    for clock in told.late:
        order = of_order[clock.order_id]
        table.add_row(
            f"{order.order_id} {order.kind}",
            f"{clock.target_minutes // 60} h",
            *(
                "–" if one is None else f"{one.astimezone(BUSINESS_ZONE):%m-%d %H:%M}"
                for one in (clock.due_at, order.finished_at)
            ),
            "\n".join(
                f"{one.percent} % {_TOLD[one.escalated_to]}"
                for one in sorted(told.warnings[order.order_id], key=lambda one: one.percent)
            ),
        )
    console.print(table)
    counted = Counter(one.escalated_to for each in told.warnings.values() for one in each)
    shown = ", ".join(f"{counted[one]} to the {title}" for one, title in _TOLD.items())
    console.print(f"Warnings given before the work was done 完工前预警: {shown}\n")


def check(checks: Checks, told: ToldClocks) -> None:
    """Check that clocks had warned of what was late, and of nothing else."""
    checks.hold(
        "every late order's clock had told its contractor, and no other order's had",
        held=all(
            (order.on_time is False)
            == any(one.percent == _AT_TARGET for one in told.warnings.get(order.order_id, ()))
            for order in told.orders
        ),
    )
