"""Three replicas of every service at one month, of which one after the other is killed."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import make_url
from support.month import assert_as_expected, in_parts, post
from support.postgres import PreparedDatabase
from support.processes import Processes, free_ports
from support.replicas import Balancer, balanced

from huaxiao.cli.doctor.examining import examine
from huaxiao.cli.doctor.findings import Level
from huaxiao.cli.sample.county import sample_county
from huaxiao.cli.sample.generator import generate
from huaxiao.cli.story import Endpoints, Story, component, telling
from huaxiao.cli.suite import Keys
from huaxiao.shared.auth import Role
from huaxiao.shared.clock import system_clock
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.provision import SERVICES

pytestmark = pytest.mark.replicas

REPLICAS = 3
SUBSCRIBERS = 300


@pytest.fixture
async def replicas(
    own_database: PreparedDatabase, keys: Keys, issuer: Issuer, tmp_path: Path
) -> AsyncIterator[tuple[list[Processes], Endpoints]]:
    """Start every service three times, each with its followers, timers and workers."""
    ports = free_ports((REPLICAS + 1) * len(SERVICES))
    shared, ports = ports[: len(SERVICES)], ports[len(SERVICES) :]
    between = {
        service: f"http://127.0.0.1:{port}" for service, port in zip(SERVICES, shared, strict=True)
    }
    started: list[Processes] = []
    for number in range(REPLICAS):
        logs = tmp_path / str(number)
        logs.mkdir()
        own = ports[number * len(SERVICES) : (number + 1) * len(SERVICES)]
        started.append(Processes(own_database, keys, logs, between=between, ports=own))
    balancers = [
        Balancer([one[service].url for one in started], port)
        for service, port in zip(SERVICES, shared, strict=True)
    ]
    try:
        async with balanced(balancers):
            for one in started:
                await one.start()
            yield started, Endpoints(**between, issuer=issuer, gateway="")
    finally:
        for one in started:
            one.stop()


async def month(story: Story, started: list[Processes]) -> None:
    """Post the month in parts at the same time, and kill a replica of each service meanwhile."""
    *parts, last = in_parts(story.sample.events, 9)
    for part in parts[:2]:
        await post(story, part)
    posting = asyncio.gather(*(post(story, one) for one in parts[2:]))
    for number, service in enumerate(SERVICES):
        await asyncio.sleep(0.5)
        started[number % REPLICAS][service].kill()
    await posting
    for number, service in enumerate(SERVICES):
        await started[number % REPLICAS][service].restart()
    await post(story, last)


async def test_three_of_each_come_to_the_same_books_as_one(
    replicas: tuple[list[Processes], Endpoints], own_database: PreparedDatabase
) -> None:
    started, suite = replicas
    county = sample_county()
    sample = generate(county, seed=201711, subscribers=SUBSCRIBERS)
    async with telling(suite, county, sample) as story:
        await story.register()
        await story.wait_for_attribution()
        await month(story, started)
        orders = await story.orders()
        await story.work(orders, lambda _: None)
        report = await story.targets()

        await assert_as_expected(story)
        assert len({one.order_id for one in orders}) == len(orders) == sample.expected.orders
        assert report.county is not None
        assert component(report.county, "revenue") == sample.expected.billed_fen
    examined = await examine(
        make_url(own_database.url("postgres")),
        anchors=None,
        contracts_url=suite.contracts,
        token=lambda _: suite.token(Role.AUDITOR)(),
        now=system_clock(),
    )
    assert [one for one in examined.findings if one.level is Level.WRONG] == []
    for one in started:
        for service in SERVICES:
            assert '" 500 ' not in one[service].said()
            assert "Traceback" not in one[service].said()
