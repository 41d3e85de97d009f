"""Any sequence of steps, crews and appointments keeps orders within their table and time unspent twice.

Every step is tried in every state, at moments before, at and after its due, by who has the order and
by who has not, with the version that was read, an older one or none. The table of states is written
out here once more, as it is documented.
"""

from datetime import date, datetime, time, timedelta
from http import HTTPStatus
from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.machines import Stage, run, stage
from support.work import FIELD, START, centre, entry, person

from huaxiao.dispatch.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.appointments import AppointmentIn, MoveIn, ReleaseIn, Shift, ShiftsIn
from huaxiao.shared.wire.dispatch import OrderKind
from huaxiao.shared.wire.orders import CrewIn, OrderDetail, OrderIn, OrderSource
from huaxiao.shared.wire.service_levels import OrderClock

_GIVEN = {
    "appoint": "",
    "accept": "accepted",
    "reject": "rejected",
    "reassign": "reassigned",
    "hand_over": "new",
    "cancel": "cancelled",
}
_BEGUN = {"suspend": "suspended", "reassign": "reassigned", "hand_over": "new"}
_BEGUN |= {"cancel": "cancelled"}
TABLE: dict[str, dict[str, str]] = {
    "new": {"appoint": "appointed", "reassign": "dispatched", "hand_over": "new"}
    | {"cancel": "cancelled"},
    "appointed": {"appoint": "appointed", "reassign": "dispatched", "hand_over": "appointed"}
    | {"cancel": "cancelled"},
    "dispatched": _GIVEN | {"appoint": "dispatched"},
    "reassigned": _GIVEN | {"appoint": "reassigned"},
    "accepted": _BEGUN
    | {"appoint": "accepted", "travel": "travelling", "start": "in_progress"}
    | {"reject": "rejected"},
    "travelling": _BEGUN | {"start": "in_progress"},
    "in_progress": _BEGUN | {"finish": "done", "carry_forward": "dispatched"},
    "suspended": {"resume": "", "cancel": "cancelled"},
    "rejected": {"reassign": "reassigned", "hand_over": "new", "cancel": "cancelled"},
    "done": {"confirm": "confirmed", "rework": "dispatched"},
    "confirmed": {},
    "cancelled": {},
}
"""Where each step leads from each state; resume leads back to where the order was suspended."""
STEPS = sorted({name for steps in TABLE.values() for name in steps})
OWN = {"accept", "travel", "start", "suspend", "resume", "finish", "reject", "carry_forward"}
WORKED = date(2017, 11, 7)
PEOPLE = ("W01", "W02")
MINUTE = timedelta(minutes=1)


class Orders(RuleBasedStateMachine):
    """A branch with two engineers, a crew of both, and their orders."""

    def __init__(self, on: Stage) -> None:
        super().__init__()
        self.on = on
        self.branch_id = on.new_branch()
        self.now = START
        on.app.state.clock = lambda: self.now
        self.seen: dict[str, OrderDetail] = {}
        self.versions: dict[str, list[str]] = {}
        self.clocks: dict[str, tuple[int, OrderClock]] = {}
        """What each clock said last, and how many steps were known then."""

    @initialize()
    def begin(self) -> None:
        self.manager = self.on.client(DispatchClient, Role.COUNTY_MANAGER, self.branch_id)
        self.http = self.on.http(Role.COUNTY_MANAGER, self.branch_id)
        self.on.do(self._begin())

    async def _begin(self) -> None:
        known = [
            centre(self.branch_id, "C1", "town"),
            centre(self.branch_id, "C2", "township"),
            *(person(self.branch_id, one, "C1", ("install", "maintain")) for one in PEOPLE),
            person(self.branch_id, "W07", "C2", ("install", "maintain")),
            entry(self.branch_id, "contracts.field.sealed", FIELD),
        ]
        async with self.on.app.state.database.write(EVERYTHING) as connection:
            await apply_contracts(connection, self.branch_id, known)
        shift = Shift(day=WORKED, begins=time(8), ends=time(12))
        given = ShiftsIn(from_day=WORKED, to_day=WORKED, shifts=[shift])
        for one in PEOPLE:
            await self.manager.put_shifts(self.branch_id, one, given)
        crew = CrewIn(centre_id="C1", members=list(PEOPLE))
        await self.manager.put_crew(self.branch_id, "K1", crew)

    def teardown(self) -> None:
        if hasattr(self, "manager"):
            self.on.do(self.manager.close())
            self.on.do(self.http.aclose())

    def pick(self, data: st.DataObject) -> OrderDetail:
        return self.seen[data.draw(st.sampled_from(sorted(self.seen)))]

    @rule(minutes=st.sampled_from([1, 10, 45, 300]))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(give_out=st.booleans())
    @precondition(lambda self: len(self.seen) < 4)
    def ask(self, *, give_out: bool) -> None:
        given = OrderIn(
            source=OrderSource.FRONT_END,
            reference=f"R{len(self.seen)}",
            kind=OrderKind.CHECK,
            customer_id="K1",
            standard_address="130123100201",
            requested_at=self.now,
            needed_skills=[],
            give_out=give_out,
        )
        self.on.steps += 1
        made = self.on.do(self.manager.ask_for_order(self.branch_id, given))
        again = self.on.do(self.manager.ask_for_order(self.branch_id, given))
        assert made.order_id == again.order_id
        assert made.state == ("dispatched" if give_out else "new")
        self.seen[made.order_id] = made
        self.versions[made.order_id] = []

    @rule(
        data=st.data(),
        name=st.sampled_from(STEPS),
        ago=st.sampled_from([0, 0, 0, 5, 600, -10]),
        matching=st.sampled_from(["read", "read", "none", "older"]),
        mine=st.sampled_from([True, True, True, False]),
        crew=st.booleans(),
    )
    @precondition(lambda self: self.seen)
    def step(
        self, data: st.DataObject, name: str, ago: int, matching: str, *, mine: bool, crew: bool
    ) -> None:
        order = self.pick(data)
        fitting = sorted(TABLE[order.state])
        if fitting and data.draw(st.integers(0, 3)):
            name = data.draw(st.sampled_from(fitting))
        self._take(order, name, ago, matching, mine=mine, crew=crew)

    def _take(
        self, order: OrderDetail, name: str, ago: int, matching: str, *, mine: bool, crew: bool
    ) -> None:
        at = self.now - ago * MINUTE
        given: dict[str, Any] = {"step": name, "at": at.isoformat(), "reason": "因故"}
        holder = order.engineer_id or (PEOPLE[0] if order.crew_id else None)
        if name in OWN:
            given["engineer_id"] = holder if mine and holder else "W99"
        if name == "reassign":
            in_c2 = order.performer_centre_id == "C2"
            given |= (
                {"crew_id": "K1"}
                if crew and not in_c2
                else {"engineer_id": "W07" if in_c2 else "W02"}
            )
        if name == "hand_over":
            given["centre_id"] = "C1" if order.performer_centre_id == "C2" else "C2"
        if name in {"appoint", "carry_forward"}:
            opens = self.now + 60 * MINUTE
            given["window"] = {
                "opens_at": opens.isoformat(),
                "closes_at": (opens + 60 * MINUTE).isoformat(),
            }
        older = self.versions[order.order_id][:-1]
        tags = {"read": self.versions[order.order_id][-1:], "older": older, "none": []}[matching]
        version = tags[-1] if tags else None
        allowed = (
            name in TABLE[order.state]
            and order.steps[-1].at <= at <= self.now
            and (name not in OWN or (mine and holder is not None))
            and not (name == "reject" and any(one.step == "reject" for one in order.steps))
            and (version is None or version == self.versions[order.order_id][-1])
        )
        self.on.steps += 1
        answer = self.on.do(self._post(order.order_id, given, version))
        if answer.status_code == HTTPStatus.CONFLICT and "appointment_id" in answer.json():
            # Somebody's time is booked for the order: it is moved, not stepped over.
            named = answer.json()["appointment_id"]
            known = self.on.do(self.manager.appointments(self.branch_id))
            (held,) = [one for one in known if one.appointment_id == named]
            assert (held.order_id, held.state, "window" in given) == (
                order.order_id,
                "booked",
                True,
            )
            allowed = False
        assert (answer.status_code == 200) == allowed, (given, order.state, answer.text)
        assert allowed or answer.status_code in {403, 409, 412}

    async def _post(
        self, order_id: str, given: dict[str, Any], version: str | None
    ) -> httpx.Response:
        headers = {} if version is None else {"If-Match": version}
        path = f"/v1/branches/{self.branch_id}/orders/{order_id}/steps"
        return await self.http.post(path, json=given, headers=headers)

    # --- appointments ---------------------------------------------------------------------------

    def _offered(self) -> dict[datetime, int]:
        asked = self.manager.slots(
            self.branch_id, centre_id="C1", kind=OrderKind.CHECK, from_day=WORKED, days=1
        )
        return {one.starts_at: one.places for one in self.on.do(asked)}

    def _attempt(self, doing: Any) -> Any:
        answer = self.on.attempt(doing)
        if isinstance(answer, PeerProblem):
            assert answer.status in {404, 409, 422}, answer.body
            return None
        return answer

    @rule(data=st.data(), quarter=st.integers(0, 16))
    @precondition(lambda self: self.seen)
    def hold(self, data: st.DataObject, quarter: int) -> None:
        order, offered = self.pick(data), self._offered()
        begins = datetime(2017, 11, 7, tzinfo=START.tzinfo) + quarter * 15 * MINUTE
        at = data.draw(st.sampled_from([*offered, begins]))
        held = self._attempt(
            self.manager.hold_slot(
                self.branch_id, AppointmentIn(order_id=order.order_id, starts_at=at)
            )
        )
        assert held is None or offered.get(at, 0) > 0 or self._has_one(order, at)

    def _has_one(self, order: OrderDetail, at: datetime) -> bool:
        live = self.on.do(self.manager.appointments(self.branch_id))
        return any(one.order_id == order.order_id and one.starts_at == at for one in live)

    def _an_appointment(self, data: st.DataObject) -> str:
        made = self.on.do(self.manager.appointments(self.branch_id))
        return data.draw(st.sampled_from([one.appointment_id for one in made] or ["A-404"]))

    @rule(data=st.data())
    def book(self, data: st.DataObject) -> None:
        self._attempt(self.manager.book_appointment(self.branch_id, self._an_appointment(data)))

    @rule(data=st.data(), for_customer=st.booleans())
    def move(self, data: st.DataObject, *, for_customer: bool) -> None:
        offered = self._offered()
        if offered:
            to = data.draw(st.sampled_from(sorted(offered)))
            given = MoveIn(starts_at=to, reason="改期", for_customer=for_customer)
            chosen = self._an_appointment(data)
            self._attempt(self.manager.move_appointment(self.branch_id, chosen, given))

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        chosen = self._an_appointment(data)
        given = ReleaseIn(reason="取消")
        self._attempt(self.manager.release_appointment(self.branch_id, chosen, given))

    # --- what holds after every step ------------------------------------------------------------

    @invariant()
    def orders_have_gone_as_the_table_says_and_their_past_stands(self) -> None:
        for order_id, before in list(self.seen.items()):
            now, tag = self._read(order_id)
            assert now.steps[: len(before.steps)] == before.steps
            assert [one.number for one in now.steps] == list(range(1, len(now.steps) + 1))
            assert now.steps[-1].state == now.state
            suspended_in = ""
            for one, following in pairwise(now.steps):
                assert following.at >= one.at
                suspended_in = one.state if following.step == "suspend" else suspended_in
                self._follows(one.state, following.step, following.state, suspended_in)
            self.seen[order_id] = now
            if self.versions[order_id][-1:] != [tag]:
                assert tag not in self.versions[order_id]
                self.versions[order_id].append(tag)

    @staticmethod
    def _follows(state: str, step: str, after: str, suspended_in: str) -> None:
        if step == "dispatch":
            assert (state, after) in {
                ("new", "dispatched"),
                ("appointed", "dispatched"),
                ("new", "new"),
                ("new", "appointed"),
            }
        elif step == "resume":
            assert (state, after) == ("suspended", suspended_in)
        elif step == "release":
            # The visit is agreed no more: who was waited for only because of it is new again.
            assert state not in {"done", "confirmed", "cancelled"}
            assert after == ("new" if state == "appointed" else state)
        else:
            assert after == TABLE[state][step]

    @invariant()
    def nobodys_time_is_promised_twice(self) -> None:
        if not hasattr(self, "manager"):
            return
        live = [
            one
            for one in self.on.do(self.manager.appointments(self.branch_id))
            if one.state == "booked"
            or (one.state == "held" and one.held_until and one.held_until > self.now)
        ]
        opens = datetime(2017, 11, 7, tzinfo=START.tzinfo)
        for one in live:
            assert opens <= one.starts_at <= one.visit_from < one.visit_to
            assert one.visit_to <= opens + timedelta(hours=4)
        for whose in PEOPLE:
            visits = sorted(
                (one.visit_from, one.visit_to) for one in live if one.person_id == whose
            )
            assert all(before[1] <= after[0] for before, after in pairwise(visits))
        orders = [one.order_id for one in live]
        assert len(orders) == len(set(orders))

    @invariant()
    def clocks_never_run_backward(self) -> None:
        for order_id in self.seen:
            order, _ = self._read(order_id)
            if order.state in {"new", "appointed"} or order.due_at is None:
                continue
            clock = self.on.do(self.manager.order_clock(self.branch_id, order_id))
            if order_id in self.clocks and order.state != "dispatched":
                known, before = self.clocks[order_id]
                # A step that is told late may have stopped the clock before it was read.
                if all(one.at >= before.at for one in order.steps[known:]):
                    assert clock.elapsed_minutes >= before.elapsed_minutes
                    assert clock.elapsed_with_stops_minutes >= before.elapsed_with_stops_minutes
            assert clock.elapsed_minutes <= clock.elapsed_with_stops_minutes
            self.clocks[order_id] = len(order.steps), clock

    def _read(self, order_id: str) -> tuple[OrderDetail, str]:
        """Return an order as it is now, and its version."""
        answer = self.on.do(self.http.get(f"/v1/branches/{self.branch_id}/orders/{order_id}"))
        return OrderDetail.model_validate_json(answer.content), answer.headers["ETag"]


@pytest.mark.slow
def test_any_sequence_of_steps_crews_and_appointments_keeps_the_table_and_the_time(
    settings_for: Any, issuer: Any
) -> None:
    with stage("dispatch", settings_for("dispatch"), issuer) as on:
        run(lambda: Orders(on), on, quick=800)
