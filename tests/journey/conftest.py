"""The suite as real processes on a database of their own."""

from collections.abc import Generator, Iterator

import pytest
from support.postgres import PreparedDatabase, database_like_a_new_one
from support.processes import Processes

from huaxiao.cli.suite import Keys
from huaxiao.shared.issuer import Issuer

_LOG_CHARACTERS = 4_000
_processes = pytest.StashKey[Processes]()


@pytest.fixture(scope="module")
def own_database(
    prepared: PreparedDatabase, request: pytest.FixtureRequest, worker: str
) -> PreparedDatabase:
    """Return a database that no other module writes to: processes follow every branch in it."""
    name = f"{request.module.__name__.rpartition('.')[2]}_{worker}"
    return database_like_a_new_one(prepared.postgres, name)


@pytest.fixture
def unstarted(
    own_database: PreparedDatabase,
    keys: Keys,
    issuer: Issuer,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Processes]:
    """Return the services, none started; what they logged is shown when the test fails."""
    made = Processes(own_database, keys, tmp_path_factory.mktemp("processes"))
    request.node.stash[_processes] = made
    yield made
    made.stop()


@pytest.fixture
async def processes(unstarted: Processes) -> Processes:
    """Return the services, all started."""
    await unstarted.start()
    return unstarted


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    made = item.stash.get(_processes, None)
    if report.failed and made is not None:
        report.sections += [
            (f"log of {one.service}", one.said()[-_LOG_CHARACTERS:]) for one in made.of.values()
        ]
    return report
