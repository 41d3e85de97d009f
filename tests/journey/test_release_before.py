"""The services as they were before the last migrations, on the schemas of now: as in an upgrade."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.postgres import PreparedDatabase
from support.processes import Processes

from huaxiao.cli.sample.county import sample_county
from huaxiao.cli.sample.generator import generate
from huaxiao.cli.story import Endpoints, component, telling
from huaxiao.cli.suite import Keys
from huaxiao.shared.issuer import Issuer
from huaxiao.shared.provision import SERVICES

pytestmark = pytest.mark.slow
SUBSCRIBERS = 80


def git(project: Path, *arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=project, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"git {arguments[0]} says: {done.stderr.decode().strip()}")
    return done.stdout


def before_the_last_migration(project: Path) -> str:
    """Return the commit before the one that brought the newest version of any schema."""
    log = git(
        project,
        *("log", "--diff-filter=A", "--no-merges", "--format=%H", "--max-count=1"),
        *("--", "services/*/migrations/versions/0*.py"),
    )
    added = log.decode().strip()
    if not added:
        pytest.skip("this copy of the project has no history")
    return git(project, "rev-parse", f"{added}^").decode().strip()


@pytest.fixture
def of_before(
    project: Path,
    own_database: PreparedDatabase,
    keys: Keys,
    issuer: Issuer,
    tmp_path: Path,
) -> Iterator[Processes]:
    commit = before_the_last_migration(project)
    archive = git(project, "archive", commit, "shared", "services")
    subprocess.run(["tar", "-x", "-C", str(tmp_path)], input=archive, check=True)
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
