"""What the pages of plans show: somebody's day in order, what a plan costs, and what it leaves out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from huaxiao.console.language import Words
from huaxiao.shared.wire.plans import (
    Plan,
    PlanChange,
    PlanCost,
    PlanRoute,
    PlanState,
    PlanStop,
    PlanSummary,
)

SEARCHING = {PlanState.QUEUED, PlanState.RUNNING}
HAS_A_PLAN = {PlanState.DONE, PlanState.STOPPED, PlanState.APPLIED}
TO_APPLY = {PlanState.DONE, PlanState.STOPPED}
COST_TERMS = tuple(name for name in PlanCost.model_fields if name != "total")


@dataclass(frozen=True, slots=True)
class PlannedDay:
    """Somebody's day in the order of the stops."""

    who: str
    crew: bool
    centre_id: str
    stops: Sequence[PlanStop]
    home_minutes: int
    """The way home behind the last stop."""

    @property
    def visits(self) -> int:
        """How many orders are visited."""
        return sum(one.order_id is not None for one in self.stops)

    @property
    def travel_minutes(self) -> int:
        """All ways, the way home too."""
        return sum(one.travel_minutes for one in self.stops) + self.home_minutes

    @property
    def work_minutes(self) -> int:
        """The work itself."""
        worked = [one.ends_at - one.starts_at for one in self.stops if one.order_id is not None]
        return int(sum(worked, timedelta()) / timedelta(minutes=1))

    @property
    def begins_at(self) -> datetime | None:
        """When they set out; None for a day without stops."""
        if not self.stops:
            return None
        return self.stops[0].arrives_at - timedelta(minutes=self.stops[0].travel_minutes)

    @property
    def ends_at(self) -> datetime | None:
        """When they are home again."""
        return self.stops[-1].ends_at + timedelta(minutes=self.home_minutes) if self.stops else None


def days(plan: Plan) -> list[PlannedDay]:
    """Return a plan's days by centre, one's own people before crews."""
    found = [_day(one) for one in plan.routes]
    return sorted(found, key=lambda one: (one.centre_id, one.crew, one.who))


def _day(route: PlanRoute) -> PlannedDay:
    return PlannedDay(
        route.engineer_id or route.crew_id or "",
        route.engineer_id is None,
        route.centre_id,
        sorted(route.stops, key=lambda one: one.starts_at),
        route.home_minutes,
    )


def visited(found: Iterable[PlannedDay]) -> set[str]:
    """Return the orders that somebody does; one for several people stands in several days."""
    return {stop.order_id for day in found for stop in day.stops if stop.order_id is not None}


def told(words: Words, change: PlanChange) -> str:
    """Return what happens to an order, without its code, which stands beside it as a link."""
    return words.of(change, "text").removeprefix(change.order_id).lstrip(":： ")


def newest_first(plans: Iterable[PlanSummary], centre_id: str | None) -> list[PlanSummary]:
    """Return the plans of a centre, or of all, the one that was asked for last first."""
    of_centre = [one for one in plans if centre_id is None or centre_id in one.centre_ids]
    return sorted(of_centre, key=lambda one: one.asked_at, reverse=True)
