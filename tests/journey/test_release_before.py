"""The services as they were before the last migrations, on the schemas of now: as in an upgrade."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.postgres import PreparedDatabase
from support.processes import Processes
from support.releases import before_the_last_migration, unpack

from huaxiao.cli.sample.county import sample_county
from huaxiao.cli.sample.generator import generate
from huaxiao.cli.story import Endpoints, component, telling
from huaxiao.cli.suite import Keys
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.provision import SERVICES

pytestmark = pytest.mark.slow
SUBSCRIBERS = 80


@pytest.fixture
def of_before(
    project: Path,
    own_database: PreparedDatabase,
    keys: Keys,
    issuer: Issuer,
    tmp_path: Path,
) -> Iterator[Processes]:
    unpack(project, before_the_last_migration(project), tmp_path, "shared", "services")
    sources = [tmp_path / "shared/src", *sorted(tmp_path.glob("services/*/src"))]
    path = ":".join(str(one) for one in sources)
    loaded = subprocess.run(
        [sys.executable, "-c", "import huaxiao.contracts.main as it; print(it.__file__)"],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(loaded.stdout.strip()).is_relative_to(tmp_path)
    made = Processes(own_database, keys, tmp_path, further={"PYTHONPATH": path})
    yield made
    made.stop()


async def test_the_release_before_does_the_month_on_the_new_schemas(
    of_before: Processes, issuer: Issuer
) -> None:
    await of_before.start()
    county = sample_county()
    sample = generate(county, seed=201711, subscribers=SUBSCRIBERS)
    addresses = {service: one.url for service, one in of_before.of.items()}
    async with telling(
        county=county, sample=sample, suite=Endpoints(**addresses, issuer=issuer, gateway="")
    ) as story:
        coverage = await story.register()
        await story.wait_for_attribution()
        await story.post(sample.events, lambda _: None)
        orders = await story.orders()
        await story.work(orders, lambda _: None)
        report = await story.targets()
        books = await story.books()
        statements = await story.settle()

    assert (coverage.gaps, coverage.overlaps) == ([], [])
    assert books.billed_fen == books.booked_fen == sample.expected.billed_fen
    assert books.ledger_sum_fen == 0
    assert report.county is not None
    assert component(report.county, "revenue") == sample.expected.billed_fen
    assert len(statements) == len(county.contracts)
    for service in SERVICES:
        assert "Traceback" not in of_before[service].said(), of_before[service].said()[-2000:]
