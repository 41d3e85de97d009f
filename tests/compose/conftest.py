"""A real engine builds and runs `deploy/`; where none is, nothing here can be said to hold."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from support.deployment import COMPOSE_FILE, VERSION, Deployment, EngineError, engine_is_there
from support.processes import free_ports

NO_ENGINE = 69
"""How a run ends where no engine can be had (EX_UNAVAILABLE of sysexits.h)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "compose" in item.path.parts:
            item.add_marker(pytest.mark.compose)


@pytest.fixture(scope="session")
def images() -> str:
    """Build every image once; return their tag."""
    if missing := engine_is_there():
        pytest.exit(f"no container engine can be had: {missing}", returncode=NO_ENGINE)
    Deployment("huaxiao-compose-test", 0).compose("build", "--quiet")
    return VERSION


@pytest.fixture(scope="module")
def deploy(
    images: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Deployment]]:
    """Return a maker of installations; each is removed with the module, and its logs are kept."""
    made: list[Deployment] = []
    patch = pytest.MonkeyPatch()

    def make(project: str, *files: Path, settings: Mapping[str, str] | None = None) -> Deployment:
        [port] = free_ports(1)
        one = Deployment(project, port, files or (COMPOSE_FILE,), dict(settings or {}))
        one.down()
        made.append(one)
        one.up()
        authority = tmp_path_factory.mktemp(project) / "authority.pem"
        authority.write_bytes(one.authority())
        # Every client of this process trusts the installation's own authority, and no other.
        patch.setenv("SSL_CERT_FILE", str(authority))
        try:
            one.until_ready()
        except (EngineError, OSError) as error:
            pytest.fail(f"{one.url} is healthy, and not reached from here: {error}")
        return one

    yield make
    patch.undo()
    for one in made:
        logs = tmp_path_factory.getbasetemp() / f"{one.project}.log"
        logs.write_bytes(one.compose("logs", "--no-color", "--timestamps"))
        one.down()
