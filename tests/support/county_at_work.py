"""What a county does all day, whatever fails: and what it was told of it, to be held to later."""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import httpx
from support.chaos import Answer, Course, Heard, until_heard

from huaxiao.cli.sample.county import BRANCH_ID, TERM_FROM
from huaxiao.cli.sample.generator import Event
from huaxiao.cli.story import Story
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.clients.dispatch import DispatchClient
from huaxiao.shared.wire.attribution import Outcome
from huaxiao.shared.wire.contracts import Engagement, PayIn
from huaxiao.shared.wire.dispatch import Order, OrderKind, OrderState
from huaxiao.shared.wire.orders import OrderIn, OrderSource

PAID_IN = TERM_FROM + 1
"""A month whose pay comes person by person, so that each centre's is stated anew every time."""
IN_THE_BOOKS = frozenset({Outcome.BOOKED, Outcome.DUPLICATE})
"""Outcomes of which an event is in the books, now or since before: an answer to it may have been lost."""
_BATCH = 60
_ONE_BY_ONE = 0.3
"""Share of batches whose events come a request each, all at once."""
_BREATH_SECONDS = 0.1
_AGAIN = 0.1
"""Share of what is sent once more though it was answered."""
_ORDERS_AT_LEAST = 20
"""As many are asked for however soon it is over; what is noted on the first is sent again."""
_PAY_FEN = 400_000
_ENGINEERS_AT_WORK = 4
_WITH_ENGINEERS = {
    *(OrderState.DISPATCHED, OrderState.REASSIGNED),
    *(OrderState.ACCEPTED, OrderState.IN_PROGRESS, OrderState.DONE),
}


@dataclass
class Work:
    """What the county does meanwhile, and what it was told of it."""

    story: Story
    chance: random.Random
    seconds: float
    """How long the month's traffic is to last, at least."""
    heard: Heard
    course: Course
    """Of the trouble: as much of the work is done as of that has come."""
    missing: Callable[[Collection[tuple[str, str]]], Awaitable[Collection[tuple[str, str]]]]
    """Tell which events a look into the database does not find."""
    acknowledged: dict[tuple[str, str], Outcome] = field(default_factory=dict)
    """Events whose outcome was told, by source and id."""
    told: Counter[Outcome] = field(default_factory=Counter)
    """How often each outcome was told."""
    unseen: set[tuple[str, str]] = field(default_factory=set)
    """Events of which it was told that they are in the books, and which were not there to be seen."""
    orders: set[str] = field(default_factory=set)
    """References under which orders were asked for and made."""
    notes: set[str] = field(default_factory=set)
    """Notes on orders that were said to be kept."""
    done: dict[str, OrderState] = field(default_factory=dict)
    """Orders that were said to have come to their end, and to which."""
    pay_fen: Counter[str] = field(default_factory=Counter)
    """Pay that was said to be recorded, by centre."""
    torn: list[str] = field(default_factory=list)
    """Books that did not agree with themselves when they were looked at."""
    engineers: dict[str, DispatchClient] = field(default_factory=dict)
    drained: float | None = None
    """Seconds after the last acknowledgement in which the followers came to the same."""
    looks: int = 0
    drafts: int = 0

    async def all_of_it(self, over: asyncio.Event) -> None:
        """Do everything at once, until it is over and the month is billed."""
        doing = [
            asyncio.create_task(one)
            for one in (
                self.bill(self.story.sample.events),
                self.ask_for_work(over),
                self.take_steps(over),
                self.pay(),
                self.look_at_the_books(over),
                self.settle(over),
            )
        ]
        try:
            await asyncio.gather(*doing)
        finally:
            for one in doing:
                one.cancel()
            await asyncio.gather(*doing, return_exceptions=True)

    async def bill(self, events: Sequence[Event]) -> None:
        """Post events in small batches and one by one, some twice, until each has been answered."""
        events = _work_spread(events)
        pause = self.seconds * _BATCH / len(events)
        for start in range(0, len(events), _BATCH):
            batch = events[start : start + _BATCH]
            await self.course.reached(start / len(events))
            for _ in range(2 if self.chance.random() < _AGAIN else 1):
                if self.chance.random() < _ONE_BY_ONE:
                    same: dict[tuple[str, str], list[Event]] = defaultdict(list)
                    for event in batch:
                        same[_key(event)].append(event)
                    await asyncio.gather(*(self._bill_in_turn(forms) for forms in same.values()))
                else:
                    await self._bill_together(batch)
            await asyncio.sleep(self.chance.uniform(0, 2 * pause))

    async def _bill_in_turn(self, forms: Sequence[Event]) -> None:
        """Post events of one id in their order: of two bodies the first counts."""
        for event in forms:
            await self._bill_together([event])

    async def _bill_together(self, batch: Sequence[Event]) -> None:
        """Post events in one request until it is answered, and hold the answer to what is there."""
        report = await until_heard(partial(self.story.billing.post_events, batch))
        self.heard("attribution")
        other = {one.index: one.outcome for one in report.outcomes}
        outcomes = [other.get(at, Outcome.BOOKED) for at in range(len(batch))]
        self.told.update(outcomes)
        keys = [_key(event) for event in batch]
        told = list(zip(keys, outcomes, strict=True))
        for key, outcome in told:
            self.acknowledged.setdefault(key, outcome)
        looked_for = [key for key, outcome in told if outcome in IN_THE_BOOKS]
        self.unseen.update(await self.missing(looked_for))

    async def ask_for_work(self, over: asyncio.Event) -> None:
        """Ask for patrols under references of their own, and note something on each."""
        token = self.story.suite.token(Role.COUNTY_MANAGER)
        number = 0
        async with httpx.AsyncClient(base_url=self.story.suite.dispatch, timeout=30) as http:
            while not over.is_set() or number < _ORDERS_AT_LEAST:
                number += 1
                reference = f"chaos-{number:05}"
                given = OrderIn(
                    source=OrderSource.MONITORING,
                    reference=reference,
                    kind=OrderKind.PATROL,
                    standard_address=self.story.county.villages[0].code,
                    give_out=False,
                )
                asking = partial(self.story.dispatch.ask_for_order, BRANCH_ID, given)
                made = await until_heard(asking)
                self.orders.add(reference)
                self.heard("dispatch")
                for _ in range(2 if number == 1 or self.chance.random() < _AGAIN else 1):
                    await self._note(http, token(), made.order_id, reference)
                await asyncio.sleep(self.chance.uniform(0, 0.1))

    async def _note(
        self, http: httpx.AsyncClient, token: str, order_id: str, reference: str
    ) -> None:
        """Note something: only the key of the request keeps it from being there twice."""
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"note-{reference}"}

        async def ask() -> None:
            answer = await http.post(
                f"/v1/branches/{BRANCH_ID}/orders/{order_id}/notes",
                json={"text": reference},
                headers=headers,
            )
            if answer.is_error:
                raise PeerProblem(answer.status_code, "note", {"detail": answer.text})

        await until_heard(ask)
        self.notes.add(reference)
        self.heard("dispatch")

    async def take_steps(self, over: asyncio.Event) -> None:
        """Let engineers take what they were given to its end, until it is over."""
        while not over.is_set():
            await self.work_off()
            await asyncio.sleep(_BREATH_SECONDS)

    async def work_off(self) -> None:
        """Take every order that is with an engineer by now to its end."""
        at_work = asyncio.Semaphore(_ENGINEERS_AT_WORK)

        async def work_one(order_id: str, engineer_id: str) -> None:
            if engineer_id not in self.engineers:
                self.engineers[engineer_id] = self.story.somebody(Role.ENGINEER, engineer_id)
            async with at_work:
                finished = await until_heard(partial(self._steps_of, order_id))
            if finished is not None:
                self.done[order_id] = finished.state

        await asyncio.gather(
            *(
                work_one(one.order_id, one.engineer_id)
                for one in await until_heard(self.story.orders_now)
                if one.state in _WITH_ENGINEERS and one.engineer_id is not None
            )
        )

    async def close(self) -> None:
        """Send the engineers home."""
        for one in self.engineers.values():
            await one.close()

    async def _steps_of(self, order_id: str) -> Order | None:
        """Take what steps an order still needs, as one reads it; None if it went to another."""
        while True:
            order: Order = await self.story.dispatch.order(BRANCH_ID, order_id)
            if order.engineer_id not in self.engineers:
                return None
            try:
                return await self.story.work_one(order, self.engineers, offline=False)
            except PeerProblem as problem:
                # A step whose answer was lost has been taken: the order is not what was read.
                if problem.code != "step-not-allowed":
                    raise

    async def pay(self) -> None:
        """Record another month's pay, a person at a time."""
        own = [
            (person.person_id, placed.centre_id)
            for person in self.story.county.persons
            if person.engagement is Engagement.OWN
            for placed in person.assignments
            if placed.primary
        ]
        for number, (person_id, centre_id) in enumerate(own):
            await self.course.reached(number / len(own))
            given = PayIn(
                person_id=person_id,
                centre_id=centre_id,
                period=PAID_IN,
                pay_fen=_PAY_FEN + number,
            )
            await until_heard(partial(self.story.contracts.record_payroll, BRANCH_ID, [given]))
            self.pay_fen[centre_id] += given.pay_fen
            self.heard("contracts")
            await asyncio.sleep(self.chance.uniform(0, 2 * self.seconds / len(own)))

    async def look_at_the_books(self, over: asyncio.Event) -> None:
        """Read the month's books again and again: they agree with themselves at every moment."""
        while not over.is_set():
            found = await _unless_away(self.story.books)
            if found is not None:
                self.looks += 1
                if found.ledger_sum_fen != 0 or found.billed_fen != found.booked_fen:
                    self.torn.append(f"the books were torn: {found.model_dump_json()}")
            await asyncio.sleep(_BREATH_SECONDS)

    async def settle(self, over: asyncio.Event) -> None:
        """Draft the month's statements again and again."""
        draft: Callable[[], Awaitable[object]] = partial(
            self.story.contracts.settle, BRANCH_ID, TERM_FROM
        )
        while not over.is_set():
            self.drafts += await _unless_away(draft) is not None
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), 1)


def _key(event: Event) -> tuple[str, str]:
    return str(event.get("source")), str(event.get("id"))


def _work_spread(events: Sequence[Event]) -> list[Event]:
    """Return events with the requests for work, which end the month, spread over all of it."""
    work = [one for one in events if one.get("type") == "work.requested"]
    spread = [one for one in events if one.get("type") != "work.requested"]
    every = len(spread) // len(work) + 1
    for number, one in enumerate(work):
        spread.insert(number * (every + 1), one)
    return spread


async def _unless_away(ask: Callable[[], Awaitable[Answer]]) -> Answer | None:
    """Ask once; None where whoever is asked, or somebody behind, is away."""
    try:
        return await ask()
    except httpx.TransportError:
        return None
    except PeerProblem as problem:
        if problem.status == httpx.codes.INTERNAL_SERVER_ERROR:
            raise
        return None
