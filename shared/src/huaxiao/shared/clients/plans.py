"""The planning of days, as the dispatch service's peers see it."""

from datetime import date

from huaxiao.shared.clients.base import ServiceClient
from huaxiao.shared.wire.plans import (
    AddressPlace,
    AddressPlaceIn,
    Agenda,
    AppliedPlan,
    ApplyIn,
    Override,
    OverrideIn,
    PlaceIn,
    Placement,
    Plan,
    PlanDifference,
    PlanIn,
    PlanRound,
    PlanRoundIn,
    PlanRules,
    PlanRulesIn,
    PlanSummary,
    StartOf,
    StartPlace,
    StartPlaceIn,
    TravelTimes,
    TravelTimesIn,
    Wish,
    WishIn,
)


class PlansClient(ServiceClient):
    """Asks for plans of days, and for what they are made by."""

    async def plan_rules(self, branch_id: int) -> PlanRules:
        """Return how the county plans its days."""
        found: PlanRules = await self._get(PlanRules, f"/v1/branches/{branch_id}/plan-rules")
        return found

    async def set_plan_rules(self, branch_id: int, given: PlanRulesIn) -> PlanRules:
        """Set how the county plans its days from now on."""
        rules: PlanRules = await self._put(PlanRules, f"/v1/branches/{branch_id}/plan-rules", given)
        return rules

    async def put_start_place(
        self, branch_id: int, of: StartOf, name: str, given: StartPlaceIn
    ) -> StartPlace:
        """Say where a day begins."""
        path = f"/v1/branches/{branch_id}/start-places/{of}/{name}"
        place: StartPlace = await self._put(StartPlace, path, given)
        return place

    async def start_places(self, branch_id: int) -> list[StartPlace]:
        """Return where days begin."""
        found: list[StartPlace] = await self._get(
            list[StartPlace], f"/v1/branches/{branch_id}/start-places"
        )
        return found

    async def put_address_place(
        self, branch_id: int, standard_address: str, given: AddressPlaceIn
    ) -> AddressPlace:
        """Say where the addresses under a code lie."""
        path = f"/v1/branches/{branch_id}/address-places/{standard_address}"
        place: AddressPlace = await self._put(AddressPlace, path, given)
        return place

    async def address_places(self, branch_id: int) -> list[AddressPlace]:
        """Return where addresses lie, by code."""
        return await self._all(AddressPlace, f"/v1/branches/{branch_id}/address-places")

    async def set_travel_times(self, branch_id: int, given: TravelTimesIn) -> TravelTimes:
        """Put a table of travel times in place of the one before."""
        path = f"/v1/branches/{branch_id}/travel-times"
        times: TravelTimes = await self._put(TravelTimes, path, given)
        return times

    async def travel_times(self, branch_id: int) -> TravelTimes:
        """Return the table of travel times."""
        found: TravelTimes = await self._get(TravelTimes, f"/v1/branches/{branch_id}/travel-times")
        return found

    async def ask_for_plan(self, branch_id: int, given: PlanIn) -> Plan:
        """Ask for a plan of a centre's day."""
        plan: Plan = await self._post(Plan, f"/v1/branches/{branch_id}/plans", given)
        return plan

    async def ask_for_plan_round(self, branch_id: int, given: PlanRoundIn) -> PlanRound:
        """Ask for plans of several centres' day."""
        path = f"/v1/branches/{branch_id}/plan-rounds"
        found: PlanRound = await self._post(PlanRound, path, given)
        return found

    async def plan_round(self, branch_id: int, round_id: str) -> PlanRound:
        """Return how far the plans of several centres are."""
        path = f"/v1/branches/{branch_id}/plan-rounds/{round_id}"
        found: PlanRound = await self._get(PlanRound, path)
        return found

    async def plan(self, branch_id: int, plan_id: str) -> Plan:
        """Return a plan, or how far the search for it is."""
        found: Plan = await self._get(Plan, f"/v1/branches/{branch_id}/plans/{plan_id}")
        return found

    async def plans(self, branch_id: int, *, day: date | None = None) -> list[PlanSummary]:
        """Return plans without their routes."""
        path = f"/v1/branches/{branch_id}/plans"
        return await self._all(PlanSummary, path, params={"day": day and day.isoformat()})

    async def stop_plan(self, branch_id: int, plan_id: str) -> Plan:
        """Let a search end with the best plan so far."""
        path = f"/v1/branches/{branch_id}/plans/{plan_id}/stop"
        stopped: Plan = await self._post(Plan, path, None)
        return stopped

    async def plan_difference(self, branch_id: int, plan_id: str) -> PlanDifference:
        """Return what applying a plan would change."""
        path = f"/v1/branches/{branch_id}/plans/{plan_id}/difference"
        found: PlanDifference = await self._get(PlanDifference, path)
        return found

    async def override_plan(self, branch_id: int, plan_id: str, given: OverrideIn) -> Override:
        """Put an order of a plan to somebody, or to nobody."""
        path = f"/v1/branches/{branch_id}/plans/{plan_id}/overrides"
        made: Override = await self._post(Override, path, given)
        return made

    async def apply_plan(self, branch_id: int, plan_id: str, given: ApplyIn) -> AppliedPlan:
        """Make a plan the day."""
        path = f"/v1/branches/{branch_id}/plans/{plan_id}/apply"
        applied: AppliedPlan = await self._post(AppliedPlan, path, given)
        return applied

    async def agenda(self, branch_id: int, *, day: date, centre_id: str | None = None) -> Agenda:
        """Return a day as it was planned and stands now."""
        params = {"day": day.isoformat(), "centre_id": centre_id}
        found: Agenda = await self._get(Agenda, f"/v1/branches/{branch_id}/agenda", params=params)
        return found

    async def candidates(self, branch_id: int, order_id: str, *, day: date) -> Placement:
        """Return who could do an order on a day, and why nobody else."""
        path = f"/v1/branches/{branch_id}/orders/{order_id}/candidates"
        found: Placement = await self._get(Placement, path, params={"day": day.isoformat()})
        return found

    async def place_order(self, branch_id: int, order_id: str, given: PlaceIn) -> Placement:
        """Put an order into a day as it stands."""
        path = f"/v1/branches/{branch_id}/orders/{order_id}/placements"
        placed: Placement = await self._post(Placement, path, given)
        return placed

    async def placements(self, branch_id: int, order_id: str) -> list[Placement]:
        """Return why an order was put where it was."""
        path = f"/v1/branches/{branch_id}/orders/{order_id}/placements"
        found: list[Placement] = await self._get(list[Placement], path)
        return found

    async def put_wish(self, branch_id: int, order_id: str, given: WishIn) -> Wish:
        """Decide who does an order, or who does not."""
        path = f"/v1/branches/{branch_id}/orders/{order_id}/wish"
        wish: Wish = await self._put(Wish, path, given)
        return wish

    async def wish(self, branch_id: int, order_id: str) -> Wish:
        """Return what was decided last of who does an order."""
        found: Wish = await self._get(Wish, f"/v1/branches/{branch_id}/orders/{order_id}/wish")
        return found
