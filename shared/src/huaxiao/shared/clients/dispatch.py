"""The dispatch service as its peers see it."""

from datetime import date, datetime

from huaxiao.shared.clients.base import FakeFeed, ServiceClient
from huaxiao.shared.pages import Page
from huaxiao.shared.wire.appointments import (
    Appointment,
    AppointmentIn,
    AppointmentRules,
    AppointmentRulesIn,
    Leave,
    LeaveIn,
    MoveIn,
    ReleaseIn,
    Shifts,
    ShiftsIn,
    Slot,
)
from huaxiao.shared.wire.assets import Asset, AssetIn, RoundCoverage
from huaxiao.shared.wire.dispatch import (
    Appraisal,
    FinalIn,
    HorizontalIn,
    Order,
    OrderKind,
    OrderState,
    OrderStepIn,
    OrderWithSteps,
    WorkDone,
)
from huaxiao.shared.wire.earnings import Earnings
from huaxiao.shared.wire.service_levels import (
    ClockWarning,
    Escalation,
    InForceIn,
    OrderClock,
    ServiceLevels,
    ServiceLevelsIn,
)


class DispatchClient(ServiceClient):
    """Asks the dispatch service."""

    async def orders(
        self,
        branch_id: int,
        *,
        state: OrderState | None = None,
        centre_id: str | None = None,
        engineer_id: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[Order]:
        """Return a page of orders by identifier."""
        params = {
            "state": state,
            "centre_id": centre_id,
            "engineer_id": engineer_id,
            "cursor": cursor,
            "limit": limit,
        }
        page: Page[Order] = await self._get(
            Page[Order], f"/v1/branches/{branch_id}/orders", params=params
        )
        return page

    async def order(self, branch_id: int, order_id: str) -> OrderWithSteps:
        """Return an order with its steps."""
        found: OrderWithSteps = await self._get(
            OrderWithSteps, f"/v1/branches/{branch_id}/orders/{order_id}"
        )
        return found

    async def step(self, branch_id: int, order_id: str, step: OrderStepIn) -> OrderWithSteps:
        """Take a step of an order."""
        moved: OrderWithSteps = await self._post(
            OrderWithSteps, f"/v1/branches/{branch_id}/orders/{order_id}/steps", step
        )
        return moved

    async def appraise_horizontal(self, branch_id: int, given: HorizontalIn) -> Appraisal:
        """Rate a regional centre as the enterprise centre."""
        made: Appraisal = await self._post(
            Appraisal, f"/v1/branches/{branch_id}/appraisals/horizontal", given
        )
        return made

    async def confirm_appraisal(self, branch_id: int, appraisal_id: str) -> Appraisal:
        """Confirm a horizontal appraisal as its ratee."""
        confirmed: Appraisal = await self._post(
            Appraisal, f"/v1/branches/{branch_id}/appraisals/{appraisal_id}/confirm", None
        )
        return confirmed

    async def appraise_final(self, branch_id: int, given: FinalIn) -> Appraisal:
        """Rate an engineer as the engineer's centre."""
        made: Appraisal = await self._post(
            Appraisal, f"/v1/branches/{branch_id}/appraisals/final", given
        )
        return made

    async def appraisals(
        self, branch_id: int, *, cursor: str | None = None, limit: int = 100
    ) -> Page[Appraisal]:
        """Return a page of appraisals."""
        page: Page[Appraisal] = await self._get(
            Page[Appraisal],
            f"/v1/branches/{branch_id}/appraisals",
            params={"cursor": cursor, "limit": limit},
        )
        return page

    async def work_done(
        self,
        branch_id: int,
        *,
        period_from: int,
        period_to: int,
        known_at: datetime | None = None,
    ) -> WorkDone:
        """Return finished orders and confirmed scores of some months, as known at a moment."""
        found: WorkDone = await self._get(
            WorkDone,
            f"/v1/branches/{branch_id}/work-done",
            params={
                "period_from": period_from,
                "period_to": period_to,
                "known_at": known_at and known_at.isoformat(),
            },
        )
        return found

    # --- service levels and clocks --------------------------------------------------------------

    async def service_levels(self, branch_id: int, *, on: date | None = None) -> ServiceLevels:
        """Return the service levels in force on a day."""
        found: ServiceLevels = await self._get(
            ServiceLevels,
            f"/v1/branches/{branch_id}/service-levels",
            params={"on": on and on.isoformat()},
        )
        return found

    async def draft_service_levels(
        self, branch_id: int, version: int, given: ServiceLevelsIn
    ) -> ServiceLevels:
        """Draft a version of the service levels."""
        drafted: ServiceLevels = await self._put(
            ServiceLevels, f"/v1/branches/{branch_id}/service-levels/versions/{version}", given
        )
        return drafted

    async def put_service_levels_in_force(
        self, branch_id: int, version: int, given: InForceIn
    ) -> ServiceLevels:
        """Let a version be in force from a day on."""
        held: ServiceLevels = await self._post(
            ServiceLevels,
            f"/v1/branches/{branch_id}/service-levels/versions/{version}/put-in-force",
            given,
        )
        return held

    async def order_clock(self, branch_id: int, order_id: str) -> OrderClock:
        """Return the service clock of an order."""
        found: OrderClock = await self._get(
            OrderClock, f"/v1/branches/{branch_id}/orders/{order_id}/clock"
        )
        return found

    async def clock_warnings(
        self,
        branch_id: int,
        *,
        escalated_to: Escalation | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Page[ClockWarning]:
        """Return a page of the warnings that clocks have given."""
        page: Page[ClockWarning] = await self._get(
            Page[ClockWarning],
            f"/v1/branches/{branch_id}/clock-warnings",
            params={"escalated_to": escalated_to, "cursor": cursor, "limit": limit},
        )
        return page

    # --- assets and rounds ----------------------------------------------------------------------

    async def put_asset(self, branch_id: int, asset_id: str, given: AssetIn) -> Asset:
        """Register an asset, or change it."""
        held: Asset = await self._put(Asset, f"/v1/branches/{branch_id}/assets/{asset_id}", given)
        return held

    async def assets(self, branch_id: int) -> list[Asset]:
        """Return the assets that the caller may see."""
        return await self._all(Asset, f"/v1/branches/{branch_id}/assets")

    async def round_coverage(self, branch_id: int, *, period: int) -> RoundCoverage:
        """Return what has become of the rounds of a period."""
        found: RoundCoverage = await self._get(
            RoundCoverage, f"/v1/branches/{branch_id}/rounds/coverage", params={"period": period}
        )
        return found

    # --- shifts, leave and appointments ---------------------------------------------------------

    async def put_shifts(self, branch_id: int, person_id: str, given: ShiftsIn) -> Shifts:
        """Say what a person works on some days."""
        held: Shifts = await self._put(
            Shifts, f"/v1/branches/{branch_id}/people/{person_id}/shifts", given
        )
        return held

    async def put_leave(
        self, branch_id: int, person_id: str, leave_id: str, given: LeaveIn
    ) -> Leave:
        """Say when a person is away."""
        held: Leave = await self._put(
            Leave, f"/v1/branches/{branch_id}/people/{person_id}/leaves/{leave_id}", given
        )
        return held

    async def cancel_leave(self, branch_id: int, person_id: str, leave_id: str) -> Leave:
        """Take a leave back."""
        held: Leave = await self._post(
            Leave, f"/v1/branches/{branch_id}/people/{person_id}/leaves/{leave_id}/cancel", None
        )
        return held

    async def set_appointment_rules(
        self, branch_id: int, given: AppointmentRulesIn
    ) -> AppointmentRules:
        """Set how the county makes appointments."""
        held: AppointmentRules = await self._put(
            AppointmentRules, f"/v1/branches/{branch_id}/appointment-rules", given
        )
        return held

    async def slots(
        self, branch_id: int, *, centre_id: str, kind: OrderKind, from_day: date, days: int = 7
    ) -> list[Slot]:
        """Return the slots in which a centre still has time for a kind of work."""
        found: list[Slot] = await self._get(
            list[Slot],
            f"/v1/branches/{branch_id}/slots",
            params={
                "centre_id": centre_id,
                "kind": kind,
                "from_day": from_day.isoformat(),
                "days": days,
            },
        )
        return found

    async def hold_slot(self, branch_id: int, given: AppointmentIn) -> Appointment:
        """Keep a slot for an order for some minutes."""
        held: Appointment = await self._post(
            Appointment, f"/v1/branches/{branch_id}/appointments", given
        )
        return held

    async def book_appointment(self, branch_id: int, appointment_id: str) -> Appointment:
        """Promise a held slot to the customer."""
        booked: Appointment = await self._post(
            Appointment, f"/v1/branches/{branch_id}/appointments/{appointment_id}/book", None
        )
        return booked

    async def move_appointment(
        self, branch_id: int, appointment_id: str, given: MoveIn
    ) -> Appointment:
        """Promise another slot in place of the one that was booked."""
        moved: Appointment = await self._post(
            Appointment, f"/v1/branches/{branch_id}/appointments/{appointment_id}/move", given
        )
        return moved

    async def release_appointment(
        self, branch_id: int, appointment_id: str, given: ReleaseIn
    ) -> Appointment:
        """Give an appointment up."""
        released: Appointment = await self._post(
            Appointment, f"/v1/branches/{branch_id}/appointments/{appointment_id}/release", given
        )
        return released

    async def appointments(
        self, branch_id: int, *, staffed: bool | None = None
    ) -> list[Appointment]:
        """Return the appointments that the caller may see; those nobody can make, if so asked."""
        return await self._all(
            Appointment, f"/v1/branches/{branch_id}/appointments", params={"staffed": staffed}
        )

    # --- earnings -------------------------------------------------------------------------------

    async def earnings(self, branch_id: int, *, period: int) -> Earnings:
        """Return what people earned of the orders finished in a period."""
        found: Earnings = await self._get(
            Earnings, f"/v1/branches/{branch_id}/earnings", params={"period": period}
        )
        return found


class FakeDispatch(FakeFeed):
    """Stands in for the dispatch service's feed."""
