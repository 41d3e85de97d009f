"""Any sequence of what senders, clerks and closers may do leaves books that agree with what was said.

Events are posted, repeated, altered, sent before what they refer to, refused, mended and replayed;
months are closed. Beside the service runs a model that says what each of them must come to.
"""

import asyncio
from collections import Counter
from typing import Any

import pytest
from attribution.conftest import (
    AGENT,
    FIELDS,
    REGISTERED,
    RURAL,
    TOWN,
    Event,
    Sender,
    fact,
)
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import text
from support.machines import Stage, run, stage

from huaxiao.attribution.tables import positions
from huaxiao.attribution.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.contracts import FakeContracts
from huaxiao.shared.feed import Follower
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.attribution import HeldState, IntakeReport, UnresolvedLimits

LINES = ("S-1", "S-2", "S-3", "S-4")
PLACES = (TOWN, RURAL, "440101001001")
PERIODS = (201711, 201712, 201801)
BOOKED, PARKED, REFUSED = "booked", "parked", "refused"
CONFLICT, DUPLICATE = "conflicts", "duplicates"


class Intake(RuleBasedStateMachine):
    """A branch, and what its model knows of the events it was sent."""

    def __init__(self, on: Stage) -> None:
        super().__init__()
        self.on = on
        self.branch_id = on.new_branch()
        self.sender = Sender(self.branch_id)
        self.manager = on.client(AttributionClient, Role.COUNTY_MANAGER, self.branch_id)
        self.finance = on.client(AttributionClient, Role.COUNTY_FINANCE, self.branch_id)
        self.events: dict[str, Event] = {}
        """What each identifier stands for, as it is right."""
        self.state: dict[str, str] = {}
        self.refused: dict[str, Event] = {}
        """What was sent under an identifier, and refused."""
        self.conflicts: set[str] = set()
        self.told: Counter[str] = Counter()
        """What the service has said became of events, each time it was sent them."""
        self.billed: dict[str, int] = {}
        self.closed = 0
        on.do(self._begin())

    async def _begin(self) -> None:
        registered = contracts.BranchRegistered(
            branch_id=self.branch_id, name_zh="县", default_centre_id="C0"
        )
        branch = fact(contracts.BRANCH_REGISTERED, str(self.branch_id), registered)
        peer, database = FakeContracts(), self.on.app.state.database
        peer.publish(self.branch_id, [branch, *REGISTERED, AGENT, *FIELDS])
        follower = Follower("/contracts", peer, apply_contracts, database, positions)
        while await follower.step(self.branch_id):
            pass
        anything = UnresolvedLimits(block_above_basis_points=10_000)
        await self.manager.put_unresolved_limits(self.branch_id, anything)

    def teardown(self) -> None:
        for one in (self.manager, self.finance):
            self.on.do(one.close())

    # --- the model ------------------------------------------------------------------------------

    def _needs(self, event: Event) -> bool:
        """Say whether what an event refers to has been booked."""
        facts = event["data"]
        match event["type"]:
            case "subscription.opened":
                return True
            case "refund.issued":
                return self._is_booked(f"/{facts['bill_item_id']}")
            case _:
                return self._is_booked(f"/{facts['subscription_id']}")

    def _is_booked(self, name: str) -> bool:
        return any(
            self.state[one] == BOOKED and self._name(self.events[one]) == name for one in self.state
        )

    @staticmethod
    def _name(event: Event) -> str:
        facts = event["data"]
        if event["type"] == "subscription.opened":
            return f"/{facts['subscription_id']}"
        return f"/{facts['bill_item_id']}" if event["type"] == "bill_item.issued" else ""

    def _expect(self, event: Event) -> str:
        """Take an event in as the service must, and return what it must say."""
        known = self.state.get(event["id"])
        if known == BOOKED:
            return DUPLICATE
        if known == PARKED:
            return PARKED
        self.state[event["id"]] = BOOKED if self._needs(event) else PARKED
        self.refused.pop(event["id"], None)
        said = self.state[event["id"]]
        if said == BOOKED:
            self._release()
        return said

    def _release(self) -> None:
        """Book what waited, and what waited for that."""
        waiting = [one for one, state in self.state.items() if state == PARKED]
        ready = [one for one in waiting if self._needs(self.events[one])]
        for one in ready:
            self.state[one] = BOOKED
        if ready:
            self._release()

    def _post(self, *events: Event) -> IntakeReport:
        self.on.steps += 1
        return self.on.do(self.manager.post_events(events))

    def _said(self, report: IntakeReport) -> Counter[str]:
        names = (BOOKED, PARKED, REFUSED, CONFLICT, DUPLICATE)
        said = Counter({one: getattr(report, one) for one in names})
        assert report.received == said.total()
        self.told += said
        return +said

    def _post_right(self, *events: Event) -> None:
        for one in events:
            self.events[one["id"]] = one
        expected = Counter(self._expect(one) for one in events)
        assert self._said(self._post(*events)) == expected

    # --- what senders do ------------------------------------------------------------------------

    @rule(line=st.sampled_from(LINES), place=st.sampled_from(PLACES))
    def open_line(self, line: str, place: str) -> None:
        opened = self.sender.opened(line, standard_address=place)
        if not any(self._name(one) == f"/{line}" for one in self.events.values()):
            self._post_right(opened)

    @rule(
        line=st.sampled_from(LINES),
        period=st.sampled_from(PERIODS),
        amounts=st.lists(st.integers(1_000, 10**9), min_size=1, max_size=3),
    )
    def bill(self, line: str, period: int, amounts: list[int]) -> None:
        self._post_right(*(self._bill(line, period, amount) for amount in amounts))

    def _bill(self, line: str, period: int, amount: int) -> Event:
        number = f"BI-{self.sender.count + 1}"
        event = self.sender.bill(number, line, period=period, amount_fen=amount, tax_fen=amount % 7)
        self.billed[event["id"]] = amount
        return event

    @rule(data=st.data(), amount=st.integers(1, 20))
    @precondition(lambda self: self._bills())
    def refund(self, data: st.DataObject, amount: int) -> None:
        of = data.draw(st.sampled_from(self._bills()))
        number = f"R-{self.sender.count + 1}"
        facts = {"refund_id": number, "bill_item_id": of, "amount_fen": amount}
        event = self.sender.event("refund.issued", **facts)
        self.billed[event["id"]] = -amount
        self._post_right(event)

    def _bills(self) -> list[str]:
        right = [self.events[one] for one in sorted(self.state) if one in self.events]
        return [one["data"]["bill_item_id"] for one in right if one["type"] == "bill_item.issued"]

    @rule(data=st.data(), times=st.integers(1, 4))
    @precondition(lambda self: self.state)
    def repeat(self, data: st.DataObject, times: int) -> None:
        some = st.lists(st.sampled_from(sorted(self.state)), min_size=1, max_size=6)
        self._post_right(*[self.events[one] for one in data.draw(some)] * times)

    @rule(line=st.sampled_from(LINES), times=st.integers(2, 5), amount=st.integers(1_000, 9_999))
    def send_at_once(self, line: str, times: int, amount: int) -> None:
        """Send a bill several times at the same moment: one of them is the first."""
        event = self._bill(line, PERIODS[-1], amount)
        self.events[event["id"]] = event

        async def burst() -> list[IntakeReport]:
            return await asyncio.gather(*(self.manager.post_events([event]) for _ in range(times)))

        self.on.steps += 1
        said: Counter[str] = Counter()
        for report in self.on.do(burst()):
            said += self._said(report)
        assert said == Counter(self._expect(event) for _ in range(times))

    @rule(data=st.data(), amount=st.integers(1, 900), line=st.sampled_from(LINES))
    @precondition(lambda self: self._bills())
    def alter(self, data: st.DataObject, amount: int, line: str) -> None:
        """Send something else under the identifier of a bill, of a line that may not be open yet.

        It is kept and not booked, neither now nor when that line is opened.
        """
        of = data.draw(st.sampled_from(self._bills()))
        event = next(one for one in self.events.values() if one["data"].get("bill_item_id") == of)
        facts = {"amount_fen": amount, "subscription_id": line, "bill_item_id": f"{of}-{amount}"}
        other = event | {"data": event["data"] | facts}
        self.conflicts.add(f"{event['id']} {amount} {line}")
        assert self._said(self._post(other)) == Counter({CONFLICT: 1})

    @rule(line=st.sampled_from(LINES), wrong=st.sampled_from([1.5, "100", True, 10**30, None]))
    def send_wrong(self, line: str, wrong: Any) -> None:
        right = self._bill(line, PERIODS[0], 5_000)
        event = right | {"data": right["data"] | {"amount_fen": wrong}}
        self.events[right["id"]] = right
        self.refused[right["id"]] = event
        assert self._said(self._post(event)) == Counter({REFUSED: 1})

    @rule(data=st.data())
    @precondition(lambda self: self.refused)
    def send_wrong_again(self, data: st.DataObject) -> None:
        event = self.refused[data.draw(st.sampled_from(sorted(self.refused)))]
        assert self._said(self._post(event)) == Counter({REFUSED: 1})

    @rule(data=st.data())
    @precondition(lambda self: self.refused)
    def send_right_at_last(self, data: st.DataObject) -> None:
        self._post_right(self.events[data.draw(st.sampled_from(sorted(self.refused)))])

    # --- what the county does -------------------------------------------------------------------

    @rule(data=st.data())
    @precondition(lambda self: self.refused)
    def mend(self, data: st.DataObject) -> None:
        """Replay a refused event as it is right; it was counted when it came."""
        event_id = data.draw(st.sampled_from(sorted(self.refused)))
        expected = self._expect(self.events[event_id])
        self.on.steps += 1
        report = self.on.do(self._replay(event_id))
        assert (report.booked, report.parked) == (expected == BOOKED, expected == PARKED)

    async def _replay(self, event_id: str) -> IntakeReport:
        held = await self._held()
        (number,) = (one.held_id for one in held if one.event_id == event_id)
        return await self.manager.replay(self.branch_id, number, self.events[event_id])

    async def _held(self) -> list[Any]:
        found, cursor = [], None
        while True:
            page = await self.manager.quarantine(
                self.branch_id, state=HeldState.HELD, cursor=cursor
            )
            found += page.items
            if (cursor := page.next_cursor) is None:
                return found

    @rule()
    @precondition(lambda self: self.closed < len(PERIODS) and BOOKED in self.state.values())
    def close_month(self) -> None:
        self.on.steps += 1
        self.on.do(self._close())

    async def _close(self) -> None:
        period = PERIODS[self.closed]
        self.closed += 1
        begun = await self.manager.begin_closing(self.branch_id, period)
        if begun.state != "closed":
            await self.finance.close_period(self.branch_id, period)

    # --- what holds after every step ------------------------------------------------------------

    @invariant()
    def books_agree_with_what_was_said(self) -> None:
        net = sum(amount for one, amount in self.billed.items() if self.state.get(one) == BOOKED)
        books = self.on.do(self.manager.reconciliations(self.branch_id))
        for one in books:
            assert (one.difference_fen, one.ledger_sum_fen) == (0, 0)
            assert one.attributed_fen + one.unresolved_fen == one.billed_fen == one.booked_fen
        assert sum(one.billed_fen for one in books) == net

    @invariant()
    def everything_that_came_is_accounted_for(self) -> None:
        names = (BOOKED, PARKED, REFUSED, CONFLICT, DUPLICATE)
        counted: Counter[str] = Counter()
        held = 0
        for one in self.on.do(self.manager.completeness(self.branch_id)):
            parts = Counter({name: getattr(one, name) for name in names})
            assert one.received == parts.total()
            counted += parts
            held += one.held_now
        assert counted == self.told
        waiting = sum(state == PARKED for state in self.state.values())
        assert held == waiting + len(self.refused) + len(self.conflicts)

    @invariant()
    def what_was_acknowledged_is_there(self) -> None:
        booked = {one for one, state in self.state.items() if state == BOOKED}
        assert self.on.do(self._received()) == booked

    async def _received(self) -> set[str]:
        query = text("SELECT event_id FROM attribution.received_events WHERE branch_id = :branch")
        async with self.on.app.state.database.read(EVERYTHING) as connection:
            return set(await connection.scalars(query, {"branch": self.branch_id}))

    @invariant()
    def what_was_closed_is_as_it_was_sealed(self) -> None:
        for period in PERIODS[: self.closed]:
            held = self.on.do(self.manager.period(self.branch_id, period))
            if held.closed_with == period:
                found = self.on.do(self.manager.verification(self.branch_id, period))
                assert (found.holds, found.findings) == (True, [])


@pytest.mark.slow
def test_any_sequence_of_events_repeats_conflicts_and_closings_leaves_true_books(
    settings_for: Any, issuer: Any
) -> None:
    with stage("attribution", settings_for("attribution"), issuer) as on:
        run(lambda: Intake(on), on, quick=800)
