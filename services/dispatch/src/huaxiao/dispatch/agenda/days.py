"""A day of one or several centres, as the planning is asked about it: loaded, and put into minutes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.agenda import store
from huaxiao.dispatch.agenda.holders import CREW, given_to, holders_of
from huaxiao.dispatch.agenda.minutes import FULL_DAY, MINUTE, midnight, minute_of, point_of
from huaxiao.dispatch.agenda.people import Hours, who_works
from huaxiao.dispatch.appointments.rules import RULES as APPOINTMENT_RULES
from huaxiao.dispatch.domain.dispatching import is_network_work, skills_for
from huaxiao.dispatch.domain.planning.day import (
    NEEDS_CREW,
    Day,
    NotPlanned,
    Visit,
    Work,
    day_of,
)
from huaxiao.dispatch.domain.planning.model import Started, Window
from huaxiao.dispatch.domain.planning.travel import Place
from huaxiao.dispatch.plan_rules import handlers as plan_rules
from huaxiao.dispatch.plan_rules import store as plan_rules_store
from huaxiao.shared.periods import business_day
from huaxiao.shared.wire.dispatch import CustomerClass, OrderKind, OrderState
from huaxiao.shared.wire.plans import PlanRules

_DAY = timedelta(days=1)
_HAVE_BEGUN = {OrderState.IN_PROGRESS, OrderState.DONE, OrderState.CONFIRMED}
_ARE_PROMISED = {OrderState.ACCEPTED, OrderState.TRAVELLING}


@dataclass(frozen=True, slots=True)
class Supposed:
    """What is taken for true of a day beyond what is recorded."""

    away: frozenset[str] = frozenset()
    longer: Mapping[str, int] = field(default_factory=dict)
    keep_promises: bool = True


@dataclass(frozen=True)
class LoadedDay:
    """A day to be planned, and the rows that it was made of."""

    date: date
    day: Day
    orders: Mapping[str, RowMapping]
    rules: PlanRules
    routes: Sequence[RowMapping]
    """Of the day itself, as they were planned."""
    visits: Mapping[str, Visit]
    """Of these, those that are still whose they were."""
    elsewhere: frozenset[str]
    """Orders whose visit is planned on another day to come."""
    members: Mapping[str, Sequence[str]]
    """Of crews that are for one order only."""


async def load(
    connection: AsyncConnection,
    branch_id: int,
    day: date,
    centre_ids: Iterable[str],
    *,
    now: datetime,
    supposed: Supposed | None = None,
    moving: str | None = None,
) -> LoadedDay:
    """Load a day of centres, from now on where it is today.

    ``moving`` is an order that may come from another day on which it is planned.
    """
    supposed = supposed or Supposed()
    centres = frozenset(centre_ids)
    since, until = midnight(day), midnight(day + _DAY)
    held = await plan_rules.RULES.current(connection, branch_id)
    crews = await store.crews_of(connection, branch_id, centres)
    rows = await store.work_of(connection, branch_id, centres, since, until)
    routes = await store.routes_from(connection, branch_id, min(day, business_day(now)), centres)
    members = {row["crew_id"]: row["members"] for row in crews if row["order_id"] is not None}
    kept = _still_planned(routes, {row["order_id"]: row for row in rows}, members)
    today = [row for row in routes if row["day"] == day]
    elsewhere = frozenset(
        name
        for when, _, name, _ in kept
        if when != day and when >= business_day(now) and name != moving
    )
    visits = _visits(kept, day)
    assignable = await who_works(
        connection,
        branch_id,
        Hours(day, held, now),
        centres,
        crews,
        away=supposed.away,
    )
    loader = _Loader(
        day=day,
        is_to_come=day > business_day(now),
        lengths={
            one.kind: one.minutes
            for one in (await APPOINTMENT_RULES.current(connection, branch_id)).visits
        },
        places={
            row["standard_address"]: row
            for row in await plan_rules_store.address_places_of(connection, branch_id)
        },
        wishes=await store.wishes_of(connection, branch_id, [row["order_id"] for row in rows]),
        longer=supposed.longer,
        members=members,
        with_crews=frozenset(one.centre for one in assignable if one.id.startswith(CREW)),
    )
    work = [
        loader.work(row, visits.get(row["order_id"]))
        for row in rows
        if row["order_id"] not in elsewhere and loader.is_of_day(row)
    ]
    made = day_of(
        assignable,
        work,
        _sequences(today, visits),
        policy=plan_rules.policy_of(held),
        travel=await plan_rules.travel(connection, branch_id, held),
        now=max(0, minute_of(now, day)),
        keep_promises=supposed.keep_promises,
    )
    return LoadedDay(
        day,
        made,
        {row["order_id"]: row for row in rows},
        held,
        today,
        visits,
        elsewhere,
        members,
    )


_Kept = tuple[date, str, str, int]


def _still_planned(
    routes: Sequence[RowMapping],
    orders: Mapping[str, RowMapping],
    members: Mapping[str, Sequence[str]],
) -> list[_Kept]:
    """Return day, holder, order and minute of each planned visit whose order its holder still has."""
    return [
        (route["day"], route["holder"], stop["order_id"], stop["start"])
        for route in routes
        for stop in route["stops"]
        if stop["order_id"] in orders
        and route["holder"] in holders_of(orders[stop["order_id"]], members)
    ]


def _sequences(
    routes: Sequence[RowMapping], visits: Mapping[str, Visit]
) -> dict[str, list[str | None]]:
    """Return whom each holder is still to visit, in order, and None where they take a break."""
    holders = {name: one.engineers for name, one in visits.items()}
    return {
        row["holder"]: [
            name
            for name in (stop["order_id"] for stop in row["stops"])
            if name is None or row["holder"] in holders.get(name, frozenset())
        ]
        for row in routes
    }


def _visits(kept: Sequence[_Kept], day: date) -> dict[str, Visit]:
    found: dict[str, Visit] = {}
    for when, holder, name, start in kept:
        if when == day:
            before = found.get(name)
            people = frozenset({holder}) if before is None else before.engineers | {holder}
            found[name] = Visit(people, start)
    return found


@dataclass(frozen=True)
class _Loader:
    """What is known of a day's work, to put each order into minutes."""

    day: date
    is_to_come: bool
    lengths: Mapping[OrderKind, int]
    places: Mapping[str, RowMapping]
    wishes: Mapping[str, RowMapping]
    longer: Mapping[str, int]
    members: Mapping[str, Sequence[str]]
    with_crews: frozenset[str]

    def is_of_day(self, row: RowMapping) -> bool:
        """Say whether an order is for this day: not appointed, or wished for, on a later one."""
        if OrderState(row["state"]) in _HAVE_BEGUN:
            return self._begun(row) is not None
        opens = row["appointed_from"] or row["wished_from"]
        return opens is None or opens < midnight(self.day + _DAY)

    def work(self, row: RowMapping, visit: Visit | None) -> Work:
        """Return an order as the planning knows it."""
        kind, state = OrderKind(row["kind"]), OrderState(row["state"])
        has_it = given_to(row, self.members)
        wish = self.wishes.get(row["order_id"])
        begun = self._begun(row)
        skills = skills_for(kind, row["needed_skills"])
        crew_work = is_network_work(kind, CustomerClass(row["customer_class"]))
        if crew_work and row["performer_centre_id"] in self.with_crews:
            skills |= {NEEDS_CREW}
        pinned: str | None = None if wish is None else wish["pinned_to"]
        if state is OrderState.TRAVELLING and len(has_it) == 1:
            (pinned,) = has_it
        refused = has_it if state is OrderState.REJECTED else frozenset[str]()
        return Work(
            id=row["order_id"],
            centre=row["performer_centre_id"],
            place=self._place(row),
            minutes=self.longer.get(row["order_id"], self.lengths[kind]),
            skills=skills,
            priority=row["priority"],
            people=1 if NEEDS_CREW in skills else row["people_needed"],
            windows=self._windows(row),
            due=None if row["due_at"] is None else minute_of(row["due_at"], self.day),
            accepted_by=has_it if state in _ARE_PROMISED else frozenset(),
            begun=None if begun is None else Started(tuple(sorted(has_it)), begun),
            ended=row["finished_at"] and minute_of(row["finished_at"], self.day),
            visit=visit,
            pinned_to=pinned,
            forbidden=refused | frozenset(wish["forbidden"] if wish else ()),
            obstacle=None if begun is not None else self._obstacle(row, state),
        )

    def _begun(self, row: RowMapping) -> int | None:
        # What is under way takes nobody's time on a day to come: whatever is left of it then is
        # carried forward first.
        if OrderState(row["state"]) not in _HAVE_BEGUN or self.is_to_come:
            return None
        if row["began_at"] is None:
            return None
        minute = minute_of(row["began_at"], self.day)
        return max(0, minute) if minute < FULL_DAY else None

    def _place(self, row: RowMapping) -> Place | None:
        address = row["standard_address"]
        if row["latitude"] is not None:
            return point_of(address, row)
        for digits in range(len(address), 0, -1):
            known = self.places.get(address[:digits])
            if known is not None:
                return point_of(address, known)
        return None

    def _windows(self, row: RowMapping) -> tuple[Window, ...]:
        opens = row["appointed_from"] or row["wished_from"]
        closes = row["appointed_to"] or row["wished_to"]
        if opens is None or closes <= midnight(self.day):
            return ()
        last = -((midnight(self.day) - closes) // MINUTE) - 1
        return (Window(max(0, minute_of(opens, self.day)), last),)

    def _obstacle(self, row: RowMapping, state: OrderState) -> NotPlanned | None:
        if state is OrderState.SUSPENDED:
            return NotPlanned.SUSPENDED
        if row["waits"]:
            return NotPlanned.PREDECESSORS_OPEN
        if row["appointed_to"] is not None and row["appointed_to"] <= midnight(self.day):
            return NotPlanned.APPOINTMENT_PASSED
        return None
