"""What has become of a plan's orders since it was asked for, where that is not what it has of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.agenda import store as agenda_store
from huaxiao.dispatch.agenda.days import LoadedDay
from huaxiao.dispatch.agenda.holders import given_to, holders_of
from huaxiao.dispatch.domain.planning.changing import Changed
from huaxiao.dispatch.domain.planning.model import Order, Stop
from huaxiao.dispatch.domain.planning.windows import windows_of
from huaxiao.dispatch.plans import store
from huaxiao.shared.wire.dispatch import OrderState

Visits = Sequence[tuple[str, Stop]]


async def outdated_orders(
    connection: AsyncConnection, row: RowMapping, found: Changed, loaded: LoadedDay
) -> dict[str, str]:
    """Return which orders have gone on otherwise than a plan has them, and how."""
    branch_id, planned = row["branch_id"], found.plan.visits
    missing = [name for name in planned if name not in loaded.orders]
    since = await _Since.of(connection, row, [*found.problem.order])
    reasons = dict.fromkeys(await store.ended(connection, branch_id, missing), "ended")
    for name, visits in planned.items():
        if found.problem.order[name].started is None and name not in reasons:
            reason = _gone_on(found, loaded, since, name, visits)
            if reason is not None:
                reasons[name] = reason
    for name in loaded.day.planned.visits:
        if name in planned or loaded.day.problem.order[name].started is not None:
            continue
        if name not in found.problem.order:
            reasons[name] = "arrived_since"
        elif name in since.given:
            reasons[name] = "given_since"
    return reasons


@dataclass(frozen=True)
class _Since:
    """What people have decided of orders since a plan was asked for."""

    given: frozenset[str]
    """Given to somebody by hand."""
    wishes: Mapping[str, RowMapping]

    @classmethod
    async def of(
        cls, connection: AsyncConnection, row: RowMapping, names: Sequence[str]
    ) -> "_Since":
        branch_id, asked_at = row["branch_id"], row["asked_at"]
        wishes = await agenda_store.wishes_of(connection, branch_id, names)
        return cls(
            await store.given_by_hand(connection, branch_id, names, since=asked_at),
            {name: one for name, one in wishes.items() if one["at"] > asked_at},
        )

    def forbids(self, name: str, planned: frozenset[str]) -> bool:
        """Say whether somebody wished an order not to go to whom it is planned for."""
        wish = self.wishes.get(name)
        if wish is None:
            return False
        return bool(planned.intersection(wish["forbidden"])) or (
            wish["pinned_to"] is not None and planned != {wish["pinned_to"]}
        )


def _gone_on(
    found: Changed, loaded: LoadedDay, since: _Since, name: str, visits: Visits
) -> str | None:
    """Return how an order that the plan has not begun has gone on otherwise, if it has."""
    planned = frozenset(who for who, _ in visits)
    then, now = found.problem.order[name], loaded.day.problem.order.get(name)
    row = loaded.orders.get(name)
    if row is None or row["performer_centre_id"] not in {
        then.centre,
        found.problem.engineer[visits[0][0]].centre,
    }:
        return "another_centre"
    state, has_it = OrderState(row["state"]), holders_of(row, loaded.members)
    if state in {OrderState.IN_PROGRESS, OrderState.DONE, OrderState.CONFIRMED}:
        return None if given_to(row, loaded.members) == planned else "begun_otherwise"
    refused = given_to(row, loaded.members) if state is OrderState.REJECTED else frozenset()
    reasons: Mapping[str, bool] = {
        "suspended_since": state is OrderState.SUSPENDED,
        "another_day": name in loaded.elsewhere,
        "begun_otherwise": state is OrderState.TRAVELLING and has_it != planned,
        "rejected_since": bool(planned & refused),
        "decided_since": since.forbids(name, planned),
        "given_since": name in since.given and has_it != planned,
    }
    reason = next((one for one, holds in reasons.items() if holds), None)
    if reason is not None:
        return reason
    if now is None:
        return dict(loaded.day.not_planned).get(name, "appointed_since")
    if now.windows != then.windows and not _is_agreed(now, visits[0][1].start):
        return "appointed_since"
    return None if all(_is_there(loaded, now, *one) for one in visits) else "cannot"


def _is_agreed(order: Order, minute: int) -> bool:
    return any(one.opens <= minute <= one.closes for one in windows_of(order))


def _is_there(loaded: LoadedDay, order: Order, who: str, stop: Stop) -> bool:
    """Say whether somebody can do an order and works while a visit of it is planned."""
    engineer = loaded.day.problem.engineer.get(who)
    if engineer is None or not order.skills <= engineer.skills:
        return False
    gone = [one for one in engineer.breaks if one.window.opens == one.window.closes]
    return (
        engineer.shift.opens <= stop.start
        and stop.end <= engineer.shift.closes
        and not any(
            one.window.opens < stop.end and stop.start < one.window.opens + one.minutes
            for one in gone
        )
    )
