"""The same events end in the same books: any order, any batches, sent twice, two senders at once."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from attribution.conftest import (
    AGENT,
    FIELDS,
    REGISTERED,
    RURAL,
    TOWN,
    Event,
    Sender,
    channel_moved,
    fact,
    further_branches,
)
from fastapi import FastAPI
from sqlalchemy import text

from huaxiao.attribution.main import create_app
from huaxiao.attribution.settings import Settings
from huaxiao.attribution.tables import positions
from huaxiao.attribution.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.contracts import FakeContracts
from huaxiao.shared.feed import Follower
from huaxiao.shared.rows import EVERYTHING
from huaxiao.shared.wire import contracts
from huaxiao.shared.wire.attribution import Balance, HeldState

SEEDS = (3, 5, 6)
"""Stories in which somebody earns a commission."""
PERIODS = (201711, 201712)


LISTED_LATER = fact(
    contracts.FIELD_SEALED,
    "F-LATER",
    contracts.FieldSealed(
        field_id="F-LATER",
        kind=contracts.FieldKind.CUSTOMER,
        centre_id="G1",
        name_zh="次月清单",
        term_from=201712,
        term_to=201811,
        scope=contracts.FieldScope.model_validate(
            {"customers": [{"customer_id": "PER-2", "segment": "key_account"}]}
        ),
        digest="0" * 64,
    ),
)
"""A list that begins a month after the others: from then on some lines are another's."""
LATER_FACTS = [*FIELDS, channel_moved("2017-11-15", "C1"), LISTED_LATER]
"""What contracts says while events come in."""
LINES = [f"S-{number}" for number in range(1, 9)]


def story(sender: Sender, chance: random.Random) -> list[Event]:
    """Return a county's small life: lines, bundles, moves, cards, and money on them."""
    return [
        *(opening(sender, chance, line) for line in LINES),
        *(bundle(sender, chance) for _ in range(chance.randrange(5))),
        *(dissolved(sender, chance) for _ in range(chance.randrange(3))),
        *(stop(sender, chance) for _ in range(chance.randrange(4))),
        *(move(sender, chance) for _ in range(chance.randrange(4))),
        *(lead(sender, chance, number) for number in range(6)),
        *(baseline(sender, chance) for _ in range(chance.randrange(4))),
        *(transfer(sender, chance) for _ in range(chance.randrange(3))),
        *money(sender, chance),
    ]


def opening(sender: Sender, chance: random.Random, line: str) -> Event:
    product = chance.choice(["broadband", "tv", "mobile", "mobile", "leased_line"])
    given: dict[str, Any] = {
        "product": product,
        "opened_on": f"2017-{chance.choice(['05', '11', '12'])}-{chance.randrange(1, 29):02}",
        "customer_id": chance.choice(["PER-1", "PER-2", "ENT-1"]),
        "standard_address": chance.choice([TOWN, RURAL, "440101001001"]) + "0001",
    }
    if product == "mobile":
        given["channel_id"] = "AGENT"
        if chance.random() < 0.5:
            given["main_subscription_id"] = chance.choice(LINES)
    if chance.random() < 0.2:
        given["bundle_id"] = "B-1"
    return sender.opened(line, **given)


def bundle(sender: Sender, chance: random.Random) -> Event:
    return sender.event(
        "bundle.changed",
        bundle_id=chance.choice(["B-1", "B-2"]),
        effective_on=f"2017-{chance.choice(['10', '11', '12'])}-{chance.randrange(1, 29):02}",
        subscription_ids=chance.sample(LINES, chance.randrange(1, 4)),
    )


def dissolved(sender: Sender, chance: random.Random) -> Event:
    """Return the end of a bundle, which may lie before anything that is said of it."""
    return sender.event(
        "bundle.dissolved",
        bundle_id=chance.choice(["B-1", "B-2"]),
        effective_on=f"2017-{chance.choice(['09', '11', '12'])}-{chance.randrange(1, 29):02}",
    )


def stop(sender: Sender, chance: random.Random) -> Event:
    return sender.event(
        f"subscription.{chance.choice(['suspended', 'resumed', 'closed', 'closed'])}",
        subscription_id=chance.choice(LINES),
        effective_on=f"2017-{chance.choice(['10', '11', '12'])}-{chance.randrange(1, 29):02}",
    )


def move(sender: Sender, chance: random.Random) -> Event:
    return sender.event(
        "subscription.moved",
        subscription_id=chance.choice(LINES),
        effective_on=f"2017-{chance.choice(['10', '11', '12'])}-15",
        standard_address=chance.choice([TOWN, RURAL]) + "0002",
    )


def lead(sender: Sender, chance: random.Random, number: int) -> Event:
    facts: dict[str, Any] = {"lead_id": f"L-{number}", "originator_id": "P1"}
    if chance.random() < 0.5:
        facts["subscription_id"] = chance.choice(LINES)
    else:
        facts["subscription_ids"] = chance.sample(LINES, 3)
    if chance.random() < 0.7:
        first = chance.randrange(1, 9_999)
        facts["people"] = [
            {"person_id": "P2", "share_basis_points": first},
            {"person_id": "P3", "share_basis_points": 10_000 - first},
        ]
    if chance.random() < 0.5:
        facts |= {"rate_basis_points": chance.randrange(100, 301), "months": 1}
    return sender.event(
        "lead.converted",
        approved_on=f"2017-{chance.choice(['04', '10', '11'])}-20",
        owner_centre_id=chance.choice(["C1", "G1", "C9"]),
        **facts,
    )


def baseline(sender: Sender, chance: random.Random) -> Event:
    return sender.event(
        "baseline.stated",
        subscription_id=chance.choice(LINES),
        period=chance.choice(PERIODS),
        centre_id=chance.choice(["C1", "C2", "C9"]),
        field_id=chance.choice(["F-TOWN", "F-RURAL"]),
    )


def transfer(sender: Sender, chance: random.Random) -> Event:
    return sender.event(
        "subscription.changed",
        subscription_id=chance.choice(LINES),
        effective_on="2017-11-10",
        customer_id=chance.choice(["PER-9", "ENT-1"]),
    )


def money(sender: Sender, chance: random.Random) -> list[Event]:
    items = {f"BI-{number}": chance.randrange(100, 9_000) for number in range(14)}

    def amount() -> int:
        return chance.randrange(100, 9_000)

    def bill(item: str) -> Event:
        period = chance.choice(PERIODS)
        return sender.bill(item, chance.choice(LINES), period=period, amount_fen=items[item])

    def dated(event: Event) -> Event:
        return event | {"time": f"2017-{chance.choice(['11', '12'])}-30T10:00:00+08:00"}

    def mirrors(number: int, item: str) -> list[Event]:
        """Return what takes back all that was charged: none of it fits without what charges more."""
        up, down = amount(), chance.randrange(1, 100)
        lost = chance.randrange(1, items[item] + up - down)
        facts = {"bill_item_id": item}
        return [
            sender.event("adjustment.made", adjustment_id=f"U-{number}", amount_fen=up, **facts),
            sender.event("adjustment.made", adjustment_id=f"D-{number}", amount_fen=-down, **facts),
            dated(
                sender.event("write_off.made", write_off_id=f"W-{number}", amount_fen=lost, **facts)
            ),
            dated(
                sender.event(
                    "refund.issued",
                    refund_id=f"R-{number}",
                    amount_fen=items[item] + up - down - lost,
                    **facts,
                )
            ),
        ]

    def payment(number: int) -> Event:
        facts = {"payment_id": f"PAY-{number}", "amount_fen": amount()}
        return dated(
            sender.event("payment.received", subscription_id=chance.choice(LINES), **facts)
        )

    def cost(number: int) -> Event:
        facts = {"cost_id": f"K-{number}", "kind": "commission", "amount_fen": amount()}
        facts |= {"period": chance.choice(PERIODS), "subscription_id": chance.choice(LINES)}
        return sender.event(chance.choice(["cost.incurred", "cost.paid"]), **facts)

    return [
        *(bill(item) for item in items),
        *(
            one
            for number, item in enumerate(chance.sample(sorted(items), 5))
            for one in mirrors(number, item)
        ),
        *(payment(number) for number in range(12)),
        *(cost(number) for number in range(5)),
    ]


class Branch:
    """A branch of its own, with what contracts says of it and what senders post to it."""

    def __init__(self, app: FastAPI, token: Callable[..., str]) -> None:
        self.branch_id = next(further_branches)
        self._app = app
        self._peer = FakeContracts()
        self._signed = token(Role.COUNTY_MANAGER, self.branch_id)
        self.client = self.client_of(app)

    def client_of(self, app: FastAPI) -> AttributionClient:
        """Return a client of one of the service's processes."""
        return AttributionClient(
            "http://attribution", lambda: self._signed, transport=httpx.ASGITransport(app=app)
        )

    async def register(self) -> None:
        branch = contracts.BranchRegistered(
            branch_id=self.branch_id, name_zh="县", default_centre_id="C0"
        )
        await self.hear([fact(contracts.BRANCH_REGISTERED, "branch", branch), *REGISTERED, AGENT])

    async def hear(self, facts: Sequence[Any]) -> None:
        self._peer.publish(self.branch_id, facts)
        database = self._app.state.database
        follower = Follower("/contracts", self._peer, apply_contracts, database, positions)
        while await follower.step(self.branch_id):
            pass

    async def books(self) -> dict[tuple[int, str, str, str], int]:
        """Return the balances, having held them against the entries and the feed."""
        sums: Counter[tuple[int, str, str, str]] = Counter()
        for period in PERIODS:
            for one in await self.client.balances(self.branch_id, period=period):
                sums[period, one.centre_id, one.field_id or "", one.account] += one.amount_fen
        found = {key: amount for key, amount in sums.items() if amount}
        assert sum(found.values()) == 0
        assert found == await self._summed(
            "SELECT period, centre_id, coalesce(field_id, '') AS field_id, account, amount_fen"
            " FROM (SELECT period, centre_id, field_id, debit AS account, amount_fen, branch_id"
            " FROM attribution.entries UNION ALL"
            " SELECT period, centre_id, field_id, credit, -amount_fen, branch_id"
            " FROM attribution.entries) AS sides WHERE branch_id = :branch_id"
        )
        assert found == await self._summed(
            "SELECT (one ->> 'period')::int AS period, one ->> 'centre_id' AS centre_id,"
            " coalesce(one ->> 'field_id', '') AS field_id, one ->> 'account' AS account,"
            " (one ->> 'amount_fen')::bigint AS amount_fen FROM attribution.feed_entries,"
            " jsonb_array_elements(data -> 'changes') AS one WHERE branch_id = :branch_id"
            " AND type = 'attribution.balances.changed'"
        )
        for one in await self.client.reconciliations(self.branch_id):
            assert (one.difference_fen, one.ledger_sum_fen) == (0, 0)
            whole = await self.client.reconciliation(self.branch_id, one.period)
            assert whole.entered_fen == one.billed_fen
        assert await self._spans("SELECT period, first_entry, last_entry FROM period_totals") == (
            await self._spans("SELECT period, min(number), max(number) FROM entries", "GROUP BY 1")
        )
        assert await self._astray() == []
        return found

    async def _astray(self) -> list[tuple[str, int, str]]:
        """Return what is booked to a subscription's month elsewhere than at its standing owner."""
        query = """
            SELECT subscription_id, owner_period, account
            FROM (SELECT subscription_id, owner_period, centre_id, field_id, debit AS account,
                    amount_fen FROM attribution.entries WHERE branch_id = :branch_id
                UNION ALL SELECT subscription_id, owner_period, centre_id, field_id, credit,
                    -amount_fen FROM attribution.entries WHERE branch_id = :branch_id) AS sides,
                LATERAL (SELECT d.centre_id, d.field_id FROM attribution.decisions d
                    WHERE branch_id = :branch_id AND d.subscription_id = sides.subscription_id
                        AND d.from_period <= sides.owner_period
                    ORDER BY d.version DESC, d.from_period DESC LIMIT 1) AS standing
            WHERE (sides.centre_id, sides.field_id)
                IS DISTINCT FROM (standing.centre_id, standing.field_id)
            GROUP BY 1, 2, 3, sides.centre_id, sides.field_id HAVING sum(amount_fen) <> 0
        """
        async with self._app.state.database.read(EVERYTHING) as connection:
            rows = await connection.execute(text(query), {"branch_id": self.branch_id})
            return [tuple(row) for row in rows]

    async def _spans(self, query: str, rest: str = "") -> list[tuple[int, ...]]:
        where = f"{query} WHERE branch_id = :branch_id {rest} ORDER BY 1"
        async with self._app.state.database.read(EVERYTHING) as connection:
            rows = await connection.execute(text(where), {"branch_id": self.branch_id})
            return [tuple(row) for row in rows]

    async def as_of(self, known_at: datetime) -> list[Balance]:
        """Return the balances as they were known at a moment."""
        asked = [
            self.client.balances(self.branch_id, period=period, known_at=known_at)
            for period in PERIODS
        ]
        return [one for balances in asked for one in await balances]

    async def commissions(self) -> dict[tuple[int, str], int]:
        """Return what each person has by month, having held it against the ledger."""
        found: dict[tuple[int, str], int] = {}
        for period in PERIODS:
            for one in await self.client.commission_totals(self.branch_id, period=period):
                found[period, one.person_id] = one.amount_fen
            held = await self.client.balances(self.branch_id, period=period)
            cost = sum(one.amount_fen for one in held if one.account == "cost.lead_commission")
            lines = await self.client.commissions(self.branch_id, period=period)
            assert cost == sum(one.amount_fen for one in lines)
        return {key: amount for key, amount in found.items() if amount}

    async def _summed(self, query: str) -> dict[tuple[int, str, str, str], int]:
        sums: Counter[tuple[int, str, str, str]] = Counter()
        async with self._app.state.database.read(EVERYTHING) as connection:
            for row in await connection.execute(text(query), {"branch_id": self.branch_id}):
                sums[row.period, row.centre_id, row.field_id, row.account] += row.amount_fen
        return {key: amount for key, amount in sums.items() if amount}


@pytest.fixture(scope="session")
async def replica(settings_for: Callable[[str], dict[str, Any]]) -> AsyncIterator[FastAPI]:
    """Return the service a second time: another process that remembers for itself."""
    made = create_app(Settings(**settings_for("attribution")))
    yield made
    await made.state.database.close()


@pytest.fixture
async def branches(
    app: FastAPI, token: Callable[..., str]
) -> AsyncIterator[tuple[Branch, Branch, Branch]]:
    made = (Branch(app, token), Branch(app, token), Branch(app, token))
    for one in made:
        await one.register()
    yield made
    for one in made:
        await one.client.close()


def cut(events: Sequence[Event], chance: random.Random) -> list[list[Event]]:
    batches, rest = [], list(events)
    while rest:
        size = chance.randrange(1, 9)
        batches.append(rest[:size])
        rest = rest[size:]
    return batches


def of(branch: Branch, events: Sequence[Event]) -> list[Event]:
    return [one | {"branchid": branch.branch_id} for one in events]


async def post_shuffled(branch: Branch, mixed: list[Event], chance: random.Random) -> None:
    """Post in small batches, each with some that came or come elsewhere; then all one by one."""
    for place, batch in enumerate(batches := cut(mixed, chance)):
        if place == len(batches) // 2:
            await branch.hear(LATER_FACTS)
        await branch.client.post_events(of(branch, batch))
        await branch.client.post_events(of(branch, chance.sample(mixed, 3)))
    for one in mixed:
        await branch.client.post_events(of(branch, [one]))


async def post_crowded(
    branch: Branch, replica: FastAPI, mixed: list[Event], chance: random.Random
) -> None:
    """Let two senders post to two processes from both ends, while fields are sealed and books read."""
    elsewhere = branch.client_of(replica)
    known: dict[datetime, list[Balance]] = {}
    sent = asyncio.Event()

    async def send(to: AttributionClient, batches: list[list[Event]]) -> None:
        for batch in batches:
            await to.post_events(of(branch, batch))

    async def hear_late() -> None:
        for one in LATER_FACTS:
            await asyncio.sleep(0.05 * chance.random())
            await branch.hear([one])

    async def look() -> None:
        while not sent.is_set():
            known_at = datetime.now(UTC)
            known[known_at] = await branch.as_of(known_at)
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    one_way, other_way = cut(mixed, chance), cut(mixed[::-1], chance)
    await asyncio.gather(send(branch.client, one_way), send(elsewhere, other_way), hear_late())
    sent.set()
    await looking
    await elsewhere.close()
    assert known
    for known_at, balances in known.items():
        assert await branch.as_of(known_at) == balances


@pytest.mark.parametrize("seed", SEEDS)
async def test_any_order_any_batches_and_two_senders_at_once_end_in_the_same_books(
    branches: tuple[Branch, Branch, Branch], replica: FastAPI, seed: int
) -> None:
    chance = random.Random(seed)
    straight, shuffled, crowded = branches
    events = story(Sender(0), chance)
    mixed = chance.sample(events, len(events))

    await straight.hear(LATER_FACTS)
    await straight.client.post_events(of(straight, events))
    await post_shuffled(shuffled, mixed, chance)
    await post_crowded(crowded, replica, mixed, chance)

    expected, earned = await straight.books(), await straight.commissions()
    assert expected, seed
    assert earned, seed
    for branch in (shuffled, crowded):
        assert await branch.books() == expected, f"seed {seed}"
        assert await branch.commissions() == earned, f"seed {seed}"
        held = await branch.client.quarantine(branch.branch_id, state=HeldState.HELD)
        assert held.items == [], f"seed {seed}"
