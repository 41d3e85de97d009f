"""The attribution service in process, on the real database, with a county it has followed."""

import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from fastapi import FastAPI

from huaxiao.attribution.main import create_app
from huaxiao.attribution.settings import Settings
from huaxiao.attribution.tables import positions
from huaxiao.attribution.worker import apply_contracts
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.contracts import FakeContracts
from huaxiao.shared.feed import Follower
from huaxiao.shared.wire import contracts, organisation, supplements
from huaxiao.shared.wire.base import Fact
from huaxiao.shared.wire.feed import FeedEntry

TOWN, RURAL = "130123001001", "130123105001"
Event = dict[str, Any]
further_branches = itertools.count(510_001)
"""Branches of tests that need several; here, since a module of tests may be imported under two names."""


@pytest.fixture(scope="session")
async def app(settings_for: Callable[[str], dict[str, Any]]) -> AsyncIterator[FastAPI]:
    made = create_app(Settings(**settings_for("attribution")))
    yield made
    await made.state.database.close()


@pytest.fixture(scope="session")
def client_type() -> type[AttributionClient]:
    return AttributionClient


@pytest.fixture
def manager(caller: Callable[..., AttributionClient]) -> AttributionClient:
    return caller(Role.COUNTY_MANAGER)


@pytest.fixture
def finance(caller: Callable[..., AttributionClient]) -> AttributionClient:
    return caller(Role.COUNTY_FINANCE)


@pytest.fixture
def set_clock(app: FastAPI) -> Iterator[Callable[[datetime], None]]:
    """Return a way to move the service's clock for this test."""
    real = app.state.clock

    def to(moment: datetime) -> None:
        app.state.clock = lambda: moment

    yield to
    app.state.clock = real


def fact(kind: str, subject: str, data: Fact) -> FeedEntry:
    return FeedEntry(
        id="0",
        source="/contracts",
        type=kind,
        subject=subject,
        time=datetime(2017, 10, 1, tzinfo=UTC),
        branchid=0,
        data=data.model_dump(mode="json"),
    )


def sealed(field_id: str, kind: str, centre_id: str, **scope: Any) -> FeedEntry:
    return fact(
        contracts.FIELD_SEALED,
        field_id,
        contracts.FieldSealed(
            field_id=field_id,
            kind=contracts.FieldKind(kind),
            centre_id=centre_id,
            name_zh=field_id,
            term_from=201711,
            term_to=201810,
            scope=contracts.FieldScope.model_validate(scope),
            digest="0" * 64,
        ),
    )


REGISTERED = [
    fact(
        contracts.CENTRE_REGISTERED,
        centre_id,
        contracts.CentreRegistered(
            centre=contracts.Centre(
                centre_id=centre_id,
                kind=contracts.CentreKind(kind),
                name=centre_id,
                name_zh=centre_id,
            )
        ),
    )
    for centre_id, kind in (
        ("C0", "default"),
        ("C1", "town"),
        ("C2", "township"),
        ("G1", "enterprise"),
    )
]
AGENT = fact(
    contracts.CHANNEL_REGISTERED,
    "AGENT",
    contracts.ChannelRegistered(
        channel=contracts.Channel(
            channel_id="AGENT",
            kind=contracts.ChannelKind.AGENT,
            centre_id="C2",
            name_zh="代理商",
        )
    ),
)
FIELDS = [
    sealed("F-TOWN", "regional", "C1", address_prefixes=[TOWN]),
    sealed("F-RURAL", "regional", "C2", address_prefixes=[RURAL]),
    sealed(
        "F-KEY", "customer", "G1", customers=[{"customer_id": "ENT-1", "segment": "key_account"}]
    ),
]
KEY_CONTRACT = "CT-2017-11-G1"
AMENDMENT = f"{KEY_CONTRACT}/1"
"""The supplement to the contract of the field with the list, as a ruling names it."""


def contract_signed(contract_id: str, *field_ids: str) -> FeedEntry:
    """Say that a contract over some fields is signed."""
    return fact(
        contracts.CONTRACT_SIGNED,
        contract_id,
        contracts.ContractSigned(
            contract_id=contract_id,
            level="centre",
            centre_id="G1",
            term_from=201711,
            term_to=201810,
            field_ids=list(field_ids),
            base=[],
            digest="0" * 64,
            signed_at=datetime(2017, 10, 1, tzinfo=UTC),
        ),
    )


def supplement_signed(
    contract_id: str = KEY_CONTRACT, *, number: int = 1, effective_from: int = 201711
) -> FeedEntry:
    """Say that both sides have signed a supplement to a contract."""
    return fact(
        supplements.SUPPLEMENT_SIGNED,
        f"{contract_id}/{number}",
        supplements.SupplementSigned(
            contract_id=contract_id,
            number=number,
            effective_from=effective_from,
            digest="0" * 64,
        ),
    )


AGREED = [contract_signed(KEY_CONTRACT, "F-KEY"), supplement_signed()]


def channel_moved(from_day: str, centre_id: str, *, is_open: bool = True) -> FeedEntry:
    """Say that the agent belongs to another centre from a day on, or is closed."""
    return fact(
        organisation.CHANNEL_MOVED,
        "AGENT",
        organisation.ChannelMoved(
            channel_id="AGENT",
            from_day=date.fromisoformat(from_day),
            centre_id=centre_id,
            open=is_open,
        ),
    )


@pytest.fixture(scope="session")
def peer() -> FakeContracts:
    return FakeContracts()


@pytest.fixture
def follow(
    app: FastAPI, peer: FakeContracts, branch_id: int
) -> Callable[[Sequence[FeedEntry]], Awaitable[None]]:
    """Return a way to let contracts say something and attribution follow it."""

    async def say(entries: Sequence[FeedEntry]) -> None:
        peer.publish(branch_id, entries)
        follower = Follower("/contracts", peer, apply_contracts, app.state.database, positions)
        while await follower.step(branch_id):
            pass

    return say


@pytest.fixture
async def branch(branch_id: int, follow: Callable[[Sequence[FeedEntry]], Awaitable[None]]) -> int:
    """Return this test's branch, registered."""
    await follow(
        [
            fact(
                contracts.BRANCH_REGISTERED,
                str(branch_id),
                contracts.BranchRegistered(
                    branch_id=branch_id, name_zh="云泽县分公司", default_centre_id="C0"
                ),
            ),
            *REGISTERED,
            AGENT,
        ]
    )
    return branch_id


@pytest.fixture
async def county(branch: int, follow: Callable[[Sequence[FeedEntry]], Awaitable[None]]) -> int:
    """Return this test's branch, registered and with its fields sealed."""
    await follow(FIELDS)
    return branch


class Sender:
    """Makes events of a branch."""

    def __init__(self, branch_id: int) -> None:
        self.branch_id = branch_id
        self.count = 0

    def event(self, kind: str, /, **data: Any) -> Event:
        self.count += 1
        return {
            "specversion": "1.0",
            "id": f"E-{self.count}",
            "source": "/bss",
            "type": kind,
            "time": "2017-11-30T10:00:00+08:00",
            "branchid": self.branch_id,
            "data": data,
        }

    def opened(self, subscription_id: str = "S-1", **given: Any) -> Event:
        facts = {
            "customer_id": "PER-1",
            "product": "broadband",
            "opened_on": "2016-05-01",
            "standard_address": TOWN,
        }
        return self.event("subscription.opened", subscription_id=subscription_id, **(facts | given))

    def bill(self, number: str = "BI-1", subscription_id: str = "S-1", **given: Any) -> Event:
        facts = {"period": 201711, "item_kind": "monthly", "amount_fen": 10_000, "tax_fen": 600}
        return self.event(
            "bill_item.issued",
            bill_item_id=number,
            subscription_id=subscription_id,
            **(facts | given),
        )


@pytest.fixture
def sender(branch_id: int) -> Sender:
    return Sender(branch_id)


def body(event: Event) -> bytes:
    return json.dumps(event).encode()
