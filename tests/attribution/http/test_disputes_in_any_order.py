"""Whatever is heard while lines are under dispute, in any order, the books end as without it.

One dispute is decided: its line ends as a ruling of two people would have it. Another is withdrawn:
its line ends as if there had been none.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence

import httpx
import pytest
from attribution.conftest import AGREED, AMENDMENT, FIELDS, Event, Sender
from attribution.http.test_any_order import Branch, cut, of, story
from fastapi import FastAPI

from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.wire.attribution import DisputeDecisionIn, DisputeIn, PleaIn, RulingIn

SEEDS = (1, 2, 4)
"""Stories in which both lines are billed in the contested month."""
RULED, CONTESTED = "S-3", "S-5"


class Disputed(Branch):
    """A branch with the people of a dispute."""

    def __init__(self, app: FastAPI, token: Callable[..., str]) -> None:
        super().__init__(app, token)
        self._token = token
        self._clients: dict[str, AttributionClient] = {}

    def calls(self, role: Role, *centre_ids: str) -> AttributionClient:
        """Return a client of somebody in the branch."""
        name = f"{role} {centre_ids}"
        if name not in self._clients:
            signed = self._token(role, self.branch_id, list(centre_ids) or None)
            transport = httpx.ASGITransport(app=self._app)
            self._clients[name] = AttributionClient(
                "http://attribution", lambda: signed, transport=transport
            )
        return self._clients[name]

    def speaks_for(self, centre_id: str) -> AttributionClient:
        return self.client if centre_id == "C0" else self.calls(Role.CONTRACTOR, centre_id)

    async def close(self) -> None:
        for client in (self.client, *self._clients.values()):
            await client.close()

    async def contest(self, line: str) -> bool:
        """Raise a dispute about a line, and have it answered, once the line is there."""
        try:
            found = await self.client.explanation(self.branch_id, line, period=201711)
            centre_id = "C1" if found.owner.centre_id == "C2" else "C2"
            claim = DisputeIn(
                subscription_id=line,
                from_period=201711,
                to_period=201711,
                claimant_centre_id=centre_id,
                centre_id=centre_id,
                text="ours",
            )
            party = self.speaks_for(centre_id)
            raised = await party.raise_dispute(self.branch_id, f"D-{line}", claim)
        except PeerProblem as problem:
            # It is not there yet, or has gone to the claimant since it was looked at.
            if problem.code in {"not-found", "dispute-not-possible"}:
                return False
            raise
        other = self.speaks_for(raised.respondent_centre_id)
        await other.reply_to_dispute(self.branch_id, raised.dispute_id, PleaIn(text="no"))
        return True

    async def end(self, line: str) -> None:
        """Decide the dispute about the ruled line; withdraw any other."""
        dispute = await self.client.dispute(self.branch_id, f"D-{line}")
        if line != RULED:
            party = self.speaks_for(dispute.claimant_centre_id)
            await party.withdraw_dispute(self.branch_id, dispute.dispute_id)
            return
        decision = DisputeDecisionIn(centre_id="G1", reason="so it is", amendment_id=AMENDMENT)
        judge, confirmer = self.calls(Role.SUPPORT_CENTRE), self.calls(Role.COUNTY_FINANCE)
        await judge.propose_decision(self.branch_id, dispute.dispute_id, decision)
        await confirmer.confirm_decision(self.branch_id, dispute.dispute_id)

    async def rule(self) -> None:
        """Rule on a line as its dispute is decided elsewhere."""
        given = RulingIn(
            subscription_ids=[RULED],
            centre_id="G1",
            from_period=201711,
            to_period=201711,
            reason="so it is",
            amendment_id=AMENDMENT,
        )
        await self.client.put_ruling(self.branch_id, "R-1", given)
        await self.calls(Role.COUNTY_FINANCE).approve_ruling(self.branch_id, "R-1")

    async def send(self, batches: Sequence[Sequence[Event]]) -> None:
        for batch in batches:
            await self.client.post_events(of(self, batch))


@pytest.fixture
async def branches(
    app: FastAPI, token: Callable[..., str]
) -> AsyncIterator[tuple[Disputed, Disputed, Disputed]]:
    made = (Disputed(app, token), Disputed(app, token), Disputed(app, token))
    for one in made:
        await one.register()
    yield made
    for one in made:
        await one.close()


async def send_during_disputes(branch: Disputed, batches: list[list[Event]]) -> None:
    """Raise both disputes as soon as can be, and end them when two thirds have come."""
    to_raise, to_end = [RULED, CONTESTED], [RULED, CONTESTED]
    for place, batch in enumerate(batches):
        if place == len(batches) // 2:
            await branch.hear([*FIELDS, *AGREED])
        await branch.send([batch])
        to_raise = [line for line in to_raise if not await branch.contest(line)]
        if place >= len(batches) * 2 // 3 and not to_raise:
            while to_end:
                await branch.end(to_end.pop())
    assert to_raise == []
    while to_end:
        await branch.end(to_end.pop())


async def dispute_at_once(branch: Disputed, line: str) -> None:
    """Raise and end a dispute while others send."""
    for _ in range(1_000):
        if await branch.contest(line):
            await branch.end(line)
            return
    raise AssertionError("the line never came")


@pytest.mark.parametrize("seed", SEEDS)
async def test_lines_under_dispute_end_in_the_same_books(
    branches: tuple[Disputed, Disputed, Disputed], seed: int
) -> None:
    chance = random.Random(seed)
    straight, shuffled, crowded = branches
    events = story(Sender(0), chance)
    mixed = chance.sample(events, len(events))

    await straight.hear([*FIELDS, *AGREED])
    await straight.send([events])
    await straight.rule()

    await send_during_disputes(shuffled, cut(mixed, chance))

    await crowded.hear([*FIELDS, *AGREED])
    await asyncio.gather(
        crowded.send(cut(mixed, chance)),
        crowded.send(cut(mixed[::-1], chance)),
        dispute_at_once(crowded, RULED),
        dispute_at_once(crowded, CONTESTED),
    )

    expected = await straight.books()
    assert expected, seed
    for branch in (shuffled, crowded):
        assert await branch.books() == expected, f"seed {seed}"
        assert await branch.client.disputes(branch.branch_id, frozen=True) == []
