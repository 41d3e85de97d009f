"""A nightly import whose service goes away: it waits, goes on, and says so once."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from attribution.conftest import Sender
from support.postgres import PreparedDatabase
from support.processes import Processes, ServiceProcess
from support.suite import huaxiao

from huaxiao.cli.ending import Ends
from huaxiao.cli.importing import state_file
from huaxiao.cli.suite import Keys
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient

ROWS = 25_000
PATIENCE_SECONDS = 120

MAPPING = """\
type = "bill_item.issued"
source = "/daily"
branch = {branch}
id = "{{number}}"
time = {{ constant = "2017-11-30" }}

[data]
bill_item_id = {{ column = "number" }}
subscription_id = {{ column = "line" }}
period = {{ constant = 201711 }}
item_kind = {{ constant = "monthly" }}
amount_fen = {{ column = "yuan", as = "yuan" }}
"""


@pytest.fixture
async def process(
    prepared: PreparedDatabase, keys: Keys, tmp_path: Path
) -> AsyncIterator[ServiceProcess]:
    """Serve the tests' database by a process of its own, which follows nobody."""
    made = Processes(
        prepared, keys, tmp_path, ["attribution"], further={"ATTRIBUTION_FOLLOW": "false"}
    )
    await made.start()
    yield made["attribution"]
    made.stop()


@pytest.fixture
async def file(manager: AttributionClient, county: int, sender: Sender, tmp_path: Path) -> Path:
    await manager.post_events([sender.opened()])
    (tmp_path / "daily.toml").write_text(MAPPING.format(branch=county))
    path = tmp_path / "daily.csv"
    rows = "".join(f"D-{number},S-1,0.01\n" for number in range(ROWS))
    path.write_text(f"number,line,yuan\n{rows}")
    return path


@pytest.fixture
def importing(
    file: Path, process: ServiceProcess, token: Callable[..., str], county: int
) -> Callable[..., Awaitable[asyncio.subprocess.Process]]:
    async def begin(wait: int) -> asyncio.subprocess.Process:
        command = huaxiao("import", str(file), "--mapping", str(file.with_suffix(".toml")))
        asked = ("--url", process.url, "--token", token(Role.BSS_SOURCE, county))
        return await asyncio.create_subprocess_exec(
            *(*command, *asked, "--wait", str(wait), "--json"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    return begin


async def told(command: asyncio.subprocess.Process, what: str) -> str:
    """Return what a command says on standard error, up to the line that says it."""
    assert command.stderr is not None
    said = ""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while line := (await command.stderr.readline()).decode():
            said += line
            if what in line:
                return said
    raise AssertionError(said)


async def ended(command: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        out, error = await command.communicate()
    return command.returncode, out.decode(), error.decode()


def reached(file: Path) -> int:
    """Return how many rows are done."""
    state = state_file(file)
    return int(json.loads(state.read_text())["lines"]) if state.exists() else 0


async def half_way(file: Path) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not reached(file):  # noqa: ASYNC110 - another process moves it on
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("gone", [ServiceProcess.kill, ServiceProcess.terminate])
async def test_it_waits_for_a_service_that_is_started_again_in_the_middle(
    importing: Any,
    process: ServiceProcess,
    file: Path,
    manager: AttributionClient,
    county: int,
    gone: Callable[[ServiceProcess], Any],
) -> None:
    command = await importing(wait=PATIENCE_SECONDS)
    await half_way(file)
    gone(process)
    assert reached(file) < ROWS
    await told(command, f"{process.url} is away")
    await process.restart()
    code, out, error = await ended(command)
    assert code == Ends.HOLDS, error
    assert "is away" not in error
    done = json.loads(out)
    assert (done["lines"], done["booked"] + done["duplicates"]) == (ROWS, ROWS)
    assert (await manager.reconciliation(county, 201711)).booked_fen == ROWS


async def test_one_that_does_not_come_back_ends_it_and_the_same_command_goes_on(
    importing: Any, process: ServiceProcess, file: Path, manager: AttributionClient, county: int
) -> None:
    command = await importing(wait=1)
    await half_way(file)
    process.kill()
    code, out, error = await ended(command)
    assert (code, out) == (Ends.NOT_DONE, "")
    (away,) = (line for line in error.splitlines() if "is away" in line)
    assert away.startswith(f"… {process.url} is away")
    assert away.endswith("for up to 1 s")
    ends, then = error.splitlines()[-2:]
    assert ends.startswith(f"✗ {process.url} does not answer")
    assert then.endswith("Then give the same command again: it goes on where it stopped.")
    stopped_at = reached(file)
    assert 0 < stopped_at < ROWS
    await process.restart()
    code, out, error = await ended(await importing(wait=1))
    assert code == Ends.HOLDS, error
    assert json.loads(out)["lines"] == ROWS
    assert (await manager.reconciliation(county, 201711)).booked_fen == ROWS


async def test_nobody_is_waited_for_who_is_not_to_be(
    importing: Any, process: ServiceProcess, file: Path
) -> None:
    process.kill()
    code, _, error = await ended(await importing(wait=0))
    assert code == Ends.NOT_DONE
    assert "is away" not in error
    assert reached(file) == 0
