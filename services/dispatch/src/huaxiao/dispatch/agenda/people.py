"""Who works on a day, from where and when: the people of centres, and the crews that go together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.dispatch.agenda import store
from huaxiao.dispatch.agenda.holders import crew_key
from huaxiao.dispatch.agenda.minutes import FULL_DAY, midnight, minute_of, point_of
from huaxiao.dispatch.domain.capacity import Stretch, Worker
from huaxiao.dispatch.domain.planning.day import NEEDS_CREW, Assignable, without
from huaxiao.dispatch.domain.planning.model import Window
from huaxiao.dispatch.domain.planning.travel import Place
from huaxiao.dispatch.plan_rules import store as plan_rules_store
from huaxiao.dispatch.shifts.store import workers
from huaxiao.shared.wire.plans import PlanRules, StartOf

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """A day as it is asked about."""

    day: date
    rules: PlanRules
    now: datetime

    def windows(self, stretches: Iterable[Stretch]) -> list[Window]:
        """Return stretches of time in minutes of the day."""
        return sorted(
            Window(minute_of(one.since, self.day), minute_of(one.until, self.day))
            for one in stretches
        )

    @property
    def of_outside_crews(self) -> Window:
        """When crews of outside companies work."""
        opens, closes = self.rules.crew_opens, self.rules.crew_closes
        return Window(opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute)

    @property
    def left(self) -> Window:
        """What is left of the day."""
        return Window(max(0, minute_of(self.now, self.day)), 2 * FULL_DAY)


async def who_works(
    connection: AsyncConnection,
    branch_id: int,
    hours: Hours,
    centre_ids: Iterable[str],
    crews: Sequence[RowMapping],
    *,
    away: frozenset[str],
) -> list[Assignable]:
    """Return who has a shift on a day: crews, and everybody who is in none of them.

    ``away`` get nothing more, beside those whose leave says so.
    """
    starts = _Starts(
        {
            (row["of"], row["id"]): row
            for row in await plan_rules_store.start_places_of(connection, branch_id)
        }
    )
    registered = await store.people_of(connection, branch_id, centre_ids)
    working = await _working(connection, branch_id, hours, centre_ids)
    found: list[Assignable] = []
    in_crews: set[str] = set()
    for crew in crews:
        own = [one for one in crew["members"] if one in registered]
        if crew["order_id"] is not None or in_crews & set(own):
            continue
        worked = _crew_works(crew, own, working, hours)
        gone = [] if crew["company"] is not None else _leave_of(own, working, hours)
        if not _is_ever_there(worked, gone) or away & {*own, crew["crew_id"]}:
            continue
        in_crews |= set(own)
        place, returns = starts.of(StartOf.CREW, crew["crew_id"], crew["centre_id"])
        skills = frozenset(crew["skills"]).union(*(registered[one]["skills"] for one in own))
        name = crew_key(crew["crew_id"])
        skills |= {NEEDS_CREW}
        found.append(
            Assignable(name, crew["centre_id"], skills, worked, place, returns, tuple(gone))
        )
    for name, worker in working.items():
        if name not in in_crews:
            found.append(_alone(registered[name], worker, starts, hours, away))
    return found


async def _working(
    connection: AsyncConnection, branch_id: int, hours: Hours, centre_ids: Iterable[str]
) -> dict[str, Worker]:
    span = Stretch(midnight(hours.day), midnight(hours.day + _DAY))
    return {
        one.person_id: one
        for centre_id in sorted(centre_ids)
        for one in await workers(
            connection, branch_id, span, now=hours.now, day=hours.day, centre_id=centre_id
        )
        if one.shifts
    }


@dataclass(frozen=True)
class _Starts:
    """Where days begin, as far as somebody said so."""

    told: Mapping[tuple[str, str], RowMapping]

    def of(self, what: StartOf, name: str, centre_id: str) -> tuple[Place | None, bool]:
        """Return where somebody's day begins, or that of everybody of the centre; and if it ends there."""
        row = self.told.get((what, name)) or self.told.get((StartOf.CENTRE, centre_id))
        if row is None:
            return None, True
        return point_of(row["standard_address"] or "", row), bool(row["returns"])


def _alone(
    person: RowMapping, worker: Worker, starts: _Starts, hours: Hours, away: frozenset[str]
) -> Assignable:
    place, returns = starts.of(StartOf.PERSON, worker.person_id, person["centre_id"])
    gone = tuple(hours.windows(worker.leave))
    return Assignable(
        worker.person_id,
        person["centre_id"],
        frozenset(person["skills"]),
        tuple(hours.windows(worker.shifts)),
        place,
        returns,
        (*gone, hours.left) if worker.person_id in away else gone,
    )


def _crew_works(
    crew: RowMapping, own: Sequence[str], working: Mapping[str, Worker], hours: Hours
) -> tuple[Window, ...]:
    """Return when all of a crew work; never if one of them has no shift."""
    if crew["company"] is not None:
        return (hours.of_outside_crews,)
    members = [working[one] for one in own if one in working]
    if not members or len(members) < len(own):
        return ()
    common = hours.windows(members[0].shifts)
    for one in members[1:]:
        common = [
            Window(max(a.opens, b.opens), min(a.closes, b.closes))
            for a in common
            for b in hours.windows(one.shifts)
            if max(a.opens, b.opens) < min(a.closes, b.closes)
        ]
    return tuple(common)


def _leave_of(own: Sequence[str], working: Mapping[str, Worker], hours: Hours) -> list[Window]:
    """Return when any of a crew is away."""
    return sorted(
        gone for one in own if one in working for gone in hours.windows(working[one].leave)
    )


def _is_ever_there(worked: Sequence[Window], gone: Sequence[Window]) -> bool:
    """Say whether anything is left of a crew's shifts."""
    return any(without(one, gone) for one in worked)
