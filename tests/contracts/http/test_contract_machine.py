"""Any sequence of what two sides may do with a contract keeps its seal, its text and its table of states.

Two contracts are drafted over one field; one of them comes to be reviewed, signed, supplemented,
suspended, ended and settled, in any order and with everything tried that is not allowed.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from support.machines import Stage, run, stage
from support.register import TERMS, contract, county_with_centres, regional

from huaxiao.attribution.worker import apply_contracts as attribution_follows
from huaxiao.cli.suite import create_service
from huaxiao.contracts.settlements.peers import Peers
from huaxiao.dispatch.worker import apply_contracts as dispatch_follows
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.contracts import ContractsClient
from huaxiao.shared.periods import Period, shift
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire.contracts import LockState
from huaxiao.shared.wire.signing import ContractStepKind, SuspensionEndIn, SuspensionIn
from huaxiao.shared.wire.supplements import ContractPhase, ExitGround, ExitIn, SupplementIn

CONTRACTS = st.sampled_from(["CT-C1", "CT-X"])
SIDES = st.sampled_from(["granting", "contracting"])
FIRST, LAST = Period(201711), Period(201810)
MONTHS = st.sampled_from([shift(FIRST, ahead) for ahead in range(-1, 13)])
BOOKED = 201802
"""The month to which attribution's books are closed."""


@dataclass
class Model:
    """What a contract must be."""

    state: LockState | None = None
    base_fen: int | None = None
    digest: str = ""
    signed: set[str] = field(default_factory=set)
    supplements: list[tuple[int, set[str]]] = field(default_factory=list)
    """From when each counts, and which sides have signed it."""
    suspensions: list[list[int | None]] = field(default_factory=list)
    """The first and last periods of those that are approved."""
    last: int = LAST
    settled: int = shift(FIRST, -1)


class Agreeing(RuleBasedStateMachine):
    """A branch in which two contracts are agreed."""

    def __init__(self, on: Stage, peers: dict[str, Any]) -> None:
        super().__init__()
        self.on, self.peers = on, peers
        self.branch_id = on.new_branch()
        self.made: list[Any] = []
        self.models = {"CT-C1": Model(), "CT-X": Model()}
        self.sealed_as: dict[str, Any] = {}
        self.statements: dict[tuple[str, int], Any] = {}
        self.history: list[Any] = []
        self.tampered = 0
        self.drawn = 1

    def caller(self, role: Role, centre_ids: list[str] | None = None) -> ContractsClient:
        centre_id = None if centre_ids is None else centre_ids[0]
        made = self.on.client(ContractsClient, role, self.branch_id, centre_id=centre_id)
        self.made.append(made)
        return made

    @initialize()
    def begin(self) -> None:
        self.manager = self.caller(Role.COUNTY_MANAGER)
        self.province = self.caller(Role.PROVINCE)
        self.finance = self.caller(Role.COUNTY_FINANCE)
        self.boss = self.caller(Role.CONTRACTOR, ["C1"])
        self.on.do(self._begin())

    async def _begin(self) -> None:
        await county_with_centres(self.caller, self.branch_id)
        await self.manager.put_field(self.branch_id, "F1", regional(f"{self.branch_id}100"))

    def teardown(self) -> None:
        for one in self.made:
            self.on.do(one.close())

    def side(self, name: str) -> ContractsClient:
        return self.manager if name == "granting" else self.boss

    def attempt(self, doing: Any, *, allowed: bool) -> Any:
        """Have something done that must succeed or be refused, as the model says."""
        answer = self.on.attempt(doing)
        if isinstance(answer, PeerProblem):
            assert not allowed, answer.body
            assert 400 <= answer.status < 500
        else:
            assert allowed, answer
        return answer

    def sealed(self) -> str | None:
        """Name the contract that is sealed."""
        return next((name for name, one in self.models.items() if one.state is _S.SEALED), None)

    def reviewed(self) -> bool:
        return any(one.state is _S.IN_REVIEW for one in self.models.values())

    # --- to a seal ------------------------------------------------------------------------------

    @rule(name=CONTRACTS, base_fen=st.integers(0, 10**9))
    def draft(self, name: str, base_fen: int) -> None:
        model = self.models[name]
        given = contract("C1", "F1", base_fen=base_fen)
        same = base_fen == model.base_fen
        allowed = same or model.state in {None, _S.DRAFT}
        self.attempt(self.manager.put_contract(self.branch_id, name, given), allowed=allowed)
        if allowed and not same:
            model.state, model.base_fen = _S.DRAFT, base_fen
        self.tampered += model.state is _S.SEALED and not same

    @rule(count=st.integers(1, 3))
    def redraw_the_field(self, count: int) -> None:
        drawn = regional(*(f"{self.branch_id}10{one}" for one in range(count)))
        same = count == self.drawn
        allowed = same or (self.sealed() is None and not self.reviewed())
        self.attempt(self.manager.put_field(self.branch_id, "F1", drawn), allowed=allowed)
        self.drawn = count if allowed else self.drawn
        self.tampered += self.sealed() is not None and not same

    @rule(name=CONTRACTS)
    def submit(self, name: str) -> None:
        model = self.models[name]
        free = self.sealed() is None and not self.reviewed()
        laid_before = model.state in {_S.IN_REVIEW, _S.SEALED}
        allowed = laid_before or (model.state is _S.DRAFT and free)
        review = self.attempt(self.manager.submit(self.branch_id, name), allowed=allowed)
        if allowed:
            assert not laid_before or review.digest == model.digest
            model.state = model.state if laid_before else _S.IN_REVIEW
            model.digest = review.digest

    @rule(name=CONTRACTS)
    @precondition(lambda self: self.sealed() is None)
    def agree(self, name: str) -> None:
        """Go all the way to a seal, where that is possible."""
        others = [one.state for other, one in self.models.items() if other != name]
        if self.models[name].state in {_S.DRAFT, _S.IN_REVIEW} and _S.IN_REVIEW not in others:
            self.submit(name)
            for side in ("granting", "contracting"):
                self.sign(name, side, read=True)

    @rule(name=CONTRACTS, side=SIDES, read=st.sampled_from([True, True, True, False]))
    def sign(self, name: str, side: str, *, read: bool) -> None:
        model = self.models[name]
        digest = model.digest if read and model.digest else "0" * 64
        allowed = model.state in {_S.IN_REVIEW, _S.SEALED} and digest == model.digest
        doing = self.side(side).sign(self.branch_id, name, digest)
        signed = self.attempt(doing, allowed=allowed)
        if allowed and model.state is _S.IN_REVIEW:
            model.signed.add(side)
            if len(model.signed) == 2:
                model.state = _S.SEALED
                field_ = self.on.do(self.manager.field(self.branch_id, "F1"))
                self.sealed_as = {name: signed, "F1": field_}
                self.on.do(self._let_peers_follow())

    async def _let_peers_follow(self) -> None:
        """Let attribution and dispatch hear of the contract, and close attribution's books."""
        entries = await self.manager.feed(self.branch_id, after=0)
        for name, follow in (("attribution", attribution_follows), ("dispatch", dispatch_follows)):
            async with self.peers[name].state.database.write(EVERYTHING) as connection:
                await follow(connection, self.branch_id, entries)
        manager, finance = (
            self.on.client(AttributionClient, role, self.branch_id, app=self.peers["attribution"])
            for role in (Role.COUNTY_MANAGER, Role.COUNTY_FINANCE)
        )
        self.made += [manager, finance]
        report = await manager.post_events(self._a_bill())
        assert report.booked == 2
        await manager.begin_closing(self.branch_id, BOOKED)
        await finance.close_period(self.branch_id, BOOKED)

    def _a_bill(self) -> list[dict[str, Any]]:
        opened = {
            "subscription_id": "S-1",
            "customer_id": "PER-1",
            "product": "broadband",
            "opened_on": "2016-05-01",
            "standard_address": f"{self.branch_id}100201",
        }
        billed = {
            "bill_item_id": "BI-1",
            "subscription_id": "S-1",
            "period": BOOKED,
            "item_kind": "monthly",
            "amount_fen": 500_000,
            "tax_fen": 0,
        }
        return [
            {
                "specversion": "1.0",
                "id": kind,
                "source": "/bss",
                "type": kind,
                "time": "2018-02-28T10:00:00+08:00",
                "branchid": self.branch_id,
                "data": data,
            }
            for kind, data in (("subscription.opened", opened), ("bill_item.issued", billed))
        ]

    @rule(name=CONTRACTS, side=SIDES)
    def withdraw(self, name: str, side: str) -> None:
        model = self.models[name]
        allowed = model.state is _S.IN_REVIEW
        self.attempt(self.side(side).withdraw(self.branch_id, name, "再议"), allowed=allowed)
        if allowed:
            model.state, model.digest, model.signed = _S.DRAFT, "", set()

    # --- behind a seal --------------------------------------------------------------------------

    def _binding(self, model: Model) -> list[int]:
        return [begins for begins, signed in model.supplements if len(signed) == 2]

    def _not_too_late(self, model: Model, begins: int) -> bool:
        return begins > model.settled and begins >= max(self._binding(model), default=0)

    @rule(name=CONTRACTS, begins=MONTHS, touches=st.booleans())
    def draft_supplement(self, name: str, begins: int, *, touches: bool) -> None:
        model = self.models[name]
        within = FIRST <= begins <= LAST and self._not_too_late(model, begins)
        given = SupplementIn(
            effective_from=begins,
            reason="调整",
            terms=TERMS,
            term_to=LAST + 1 if touches else None,
        )
        allowed = model.state is _S.SEALED and within and not touches
        doing = self.manager.draft_supplement(self.branch_id, name, given)
        self.attempt(doing, allowed=allowed)
        if allowed:
            model.supplements.append((begins, set()))
        self.tampered += touches and model.state is _S.SEALED

    @rule(data=st.data(), side=SIDES)
    @precondition(lambda self: any(one.supplements for one in self.models.values()))
    def sign_supplement(self, data: st.DataObject, side: str) -> None:
        name = self.sealed() or ""
        model = self.models[name]
        place = data.draw(st.integers(0, len(model.supplements) - 1))
        begins, signed = model.supplements[place]
        held = self.on.do(self.manager.supplements(self.branch_id, name))[place]
        allowed = side in signed or self._not_too_late(model, begins)
        doing = self.side(side).sign_supplement(self.branch_id, name, place + 1, held.digest)
        answer = self.attempt(doing, allowed=allowed)
        if allowed:
            signed.add(side)
            assert answer.binding == (len(signed) == 2)

    @rule(name=CONTRACTS, begins=MONTHS, both=st.booleans())
    def suspend(self, name: str, begins: int, *, both: bool) -> None:
        """Propose a suspension; have it approved by the same person, and by another one."""
        model = self.models[name]
        free = all(self._is_over_before(one, begins) for one in model.suspensions)
        allowed = model.state is _S.SEALED and FIRST <= begins <= model.last and free
        allowed = allowed and begins > model.settled
        given = SuspensionIn(from_period=begins, reason="审计")
        made = self.attempt(self.manager.suspend(self.branch_id, name, given), allowed=allowed)
        if allowed:
            self._approve(name, made.number)
            model.suspensions.append([begins, None])

    @staticmethod
    def _is_over_before(suspension: list[int | None], begins: int) -> bool:
        last = suspension[1]
        return last is not None and last < begins

    def _approve(self, name: str, number: int) -> None:
        key = (self.branch_id, name, number)
        alone = self.attempt(self.manager.approve_suspension(*key), allowed=False)
        assert alone.code == "two-people"
        assert self.attempt(self.province.approve_suspension(*key), allowed=True).in_force

    @rule(ends=MONTHS)
    @precondition(lambda self: self.sealed() and self.models[self.sealed()].suspensions)
    def end_the_suspension(self, ends: int) -> None:
        name = self.sealed() or ""
        model = self.models[name]
        latest = model.suspensions[-1]
        allowed = latest[1] is None and ends >= (latest[0] or 0) and ends >= model.settled
        number = len(model.suspensions)
        given = SuspensionEndIn(last_period=ends, reason="结束")
        self.attempt(
            self.manager.end_suspension(self.branch_id, name, number, given), allowed=allowed
        )
        if allowed:
            self._approve(name, number)
            latest[1] = ends

    @rule(last=MONTHS)
    @precondition(lambda self: self.sealed())
    def leave(self, last: int) -> None:
        """End the contract early: one person drafts it, another approves it."""
        name = self.sealed() or ""
        model = self.models[name]
        allowed = model.last == LAST and FIRST <= last < LAST and last > model.settled
        given = ExitIn(
            ground=ExitGround.NOTICE,
            noticed_on=date(2017, 11, 1),
            last_period=last,
            reason="另有安排",
        )
        drafted = self.attempt(self.manager.put_exit(self.branch_id, name, given), allowed=allowed)
        if allowed:
            key = (self.branch_id, name, drafted.digest)
            assert self.attempt(self.manager.approve_exit(*key), allowed=False).code == "two-people"
            self.attempt(self.province.approve_exit(*key), allowed=True)
            model.last = last

    @rule()
    @precondition(lambda self: self.sealed())
    def settle(self) -> None:
        """Settle the next month; both sides confirm it once."""
        name = self.sealed() or ""
        model = self.models[name]
        period = shift(Period(model.settled), 1)
        allowed = period <= min(model.last, BOOKED)
        self.on.steps += 1
        [outcome] = self.on.do(self.manager.settle(self.branch_id, period, [name]))
        if outcome.statement is None:
            assert period > model.last, outcome
            return
        key = (self.branch_id, name, period, outcome.statement.digest)
        self.attempt(self.finance.confirm_settlement(*key), allowed=allowed)
        closed = self.attempt(self.boss.confirm_settlement(*key), allowed=allowed)
        if allowed:
            assert closed.state == "closed"
            model.settled = period
            self.statements[name, period] = closed

    # --- what holds after every step ------------------------------------------------------------

    @invariant()
    def each_is_in_the_state_that_the_table_says(self) -> None:
        for name, model in self.models.items():
            if model.state is not None:
                held = self.on.do(self.manager.contract(self.branch_id, name))
                assert held.state is model.state

    @invariant()
    def what_is_sealed_stays_as_it_was_sealed(self) -> None:
        if name := self.sealed():
            held = self.on.do(self.manager.contract(self.branch_id, name))
            assert held == self.sealed_as[name]
            of_field = self.on.do(self.manager.field(self.branch_id, "F1"))
            assert of_field == self.sealed_as["F1"]
        if self.made:
            assert self.on.do(self.manager.verify_seals(self.branch_id)).agrees

    @invariant()
    def every_attempt_on_a_seal_is_on_record(self) -> None:
        if self.made:
            refused = self.on.do(self.manager.refused_changes(self.branch_id))
            assert [one.number for one in refused] == list(range(1, self.tampered + 1))

    @invariant()
    def history_is_only_added_to(self) -> None:
        if name := self.sealed():
            now = self.on.do(self.manager.history(self.branch_id, name))
            assert now[: len(self.history)] == self.history
            assert [one.position for one in now] == list(range(1, len(now) + 1))
            assert [one.kind for one in now].count(ContractStepKind.SEALED) == 1
            self.history = now

    @invariant()
    def what_binds_follows_from_what_both_have_signed(self) -> None:
        if (name := self.sealed()) is None:
            return
        model = self.models[name]
        for period in (FIRST, shift(FIRST, 4), LAST):
            standing = self.on.do(self.manager.standing_of(self.branch_id, name, period))
            suspended = any(
                first <= period and (last is None or period <= last)
                for first, last in model.suspensions
                if first is not None
            )
            expected = ContractPhase.SUSPENDED if suspended else ContractPhase.IN_FORCE
            assert standing.phase is (ContractPhase.ENDED if period > model.last else expected)
            assert standing.supplements == [
                number
                for number, (begins, signed) in enumerate(model.supplements, start=1)
                if len(signed) == 2 and begins <= period
            ]

    @invariant()
    def a_closed_statement_stays_and_comes_out_again(self) -> None:
        for (name, period), closed in list(self.statements.items())[-1:]:
            key = (self.branch_id, name, period)
            held = self.on.do(self.manager.settlement_statement(*key))
            assert (held.state, held.digest, held.lines) == (
                closed.state,
                closed.digest,
                closed.lines,
            )
            assert self.on.do(self.manager.verify_settlement(*key)).agrees


_S = LockState


@pytest.mark.slow
def test_any_sequence_of_drafts_signatures_and_ends_keeps_seals_and_states(
    settings_for: Any, issuer: Any
) -> None:
    with stage("contracts", settings_for("contracts"), issuer) as on:
        names = ("attribution", "dispatch")
        peers = {one: on.make(create_service, one, settings_for(one)) for one in names}
        transports = {f"{one}_transport": httpx.ASGITransport(app=peers[one]) for one in names}
        on.app.state.peers = Peers("http://attribution", "http://dispatch", **transports)
        run(lambda: Agreeing(on, peers), on, quick=500)
        for one in peers.values():
            on.make(one.state.database.close)
