"""Ask every service what its OpenAPI document allows, and what it does not: ``make fuzz``.

Starts a suite of its own with the sample county, and lets Schemathesis make requests of each
document: as two contractors who must not see each other's centre, and as whoever else an operation
admits. Nothing may answer 5xx, or what the document does not say, or take what it refuses, or show a
contractor the other's objects. There is no list of accepted failures.
"""

import argparse
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from huaxiao.cli.sample.county import BRANCH_ID
from huaxiao.cli.suite import Keys
from huaxiao.shared.auth import Role
from huaxiao.shared.provision import SERVICES

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
CALLERS: dict[str, tuple[Role, str | None, str | None]] = {
    "contractor of C1": (Role.CONTRACTOR, "C1", "P01"),
    "contractor of C2": (Role.CONTRACTOR, "C2", "P03"),
    "manager": (Role.COUNTY_MANAGER, None, "P28"),
    "finance": (Role.COUNTY_FINANCE, None, "P24"),
    "support": (Role.SUPPORT_CENTRE, None, "P17"),
    "engineer": (Role.ENGINEER, "C1", "W01"),
    "billing": (Role.BSS_SOURCE, None, None),
    "province": (Role.PROVINCE, None, None),
    "service": (Role.SERVICE, None, None),
}
"""Who asks, in the order in which they are tried: role, centre, person of the sample county."""
_TOOLS = Path(sys.executable).parent


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextmanager
def suite(data: Path, *, subscribers: int) -> Iterator[str]:
    """Run the suite on a data directory, with the sample county if it is to have subscribers."""
    command = [str(_TOOLS / "huaxiao")]
    place = ["--data", str(data), "--port", "0"]
    if subscribers:
        told = [*command, "demo", *place, "--subscribers", str(subscribers)]
        subprocess.run(told, check=True, stdout=subprocess.DEVNULL)
    with (
        (data.parent / "suite.log").open("w") as log,
        subprocess.Popen(
            [*command, "up", *place], stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        try:
            for line in process.stdout:
                if said := re.search(r"http://\S+", line):
                    break
            else:
                raise SystemExit(
                    "the suite did not start: " + (data.parent / "suite.log").read_text()
                )
            yield said.group()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def write_configuration(folder: Path, keys: Keys) -> None:
    """Write to a folder how to ask, and as whom."""
    (folder / CONFIGURATION.name).write_text(CONFIGURATION.read_text())
    (folder / "auth.json").write_text(identities(keys))


def identities(keys: Keys) -> str:
    """Return the callers with a token each, as Schemathesis reads them (Web Fuzzing Commons)."""
    issuer = keys.issuer()
    tokens = {
        name: issuer.token(
            name,
            roles=[role],
            branch_ids=[BRANCH_ID],
            centre_ids=None if centre is None else [centre],
            person_id=person,
        )
        for name, (role, centre, person) in CALLERS.items()
    }
    entries = [
        {
            "name": name,
            "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}],
        }
        for name, token in tokens.items()
    ]
    return json.dumps({"auth": entries})


def fuzz(service: str, address: str, folder: Path, given: argparse.Namespace) -> int:
    """Ask one service; return what Schemathesis ends with."""
    report = folder / f"{service}.log"
    command = [
        str(_TOOLS / "schemathesis"),
        *("--config-file", str(folder / CONFIGURATION.name)),
        *("run", f"{address}/{service}/openapi.json", "--url", f"{address}/{service}"),
        *("--seed", str(given.seed), "--max-examples", str(given.cases)),
        *("--phases", given.phases, "--continue-on-failure", "--warnings", "off"),
    ]
    with report.open("w") as log:
        done = subprocess.run(
            command,
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"NO_COLOR": "1"},
            check=False,
        )
    text = report.read_text()
    _say(f"{service}: " + (", ".join(re.findall(r"\d+ generated.*", text)) or "nothing was asked"))
    if done.returncode:
        _say(text)
    return done.returncode


def main(arguments: Sequence[str]) -> int:
    """Fuzz the services that are named, or all; return 0 when nothing was found."""
    parser = argparse.ArgumentParser(prog="python tools/fuzz.py")
    parser.add_argument("services", nargs="*", help="all of them by default")
    parser.add_argument("--cases", type=int, default=50, help="cases for each operation, at most")
    parser.add_argument("--seed", type=int, default=None, help="the same cases as another time")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful")
    parser.add_argument("--subscribers", type=int, default=60, help="of the sample; 0: no sample")
    given = parser.parse_args(arguments)
    if given.seed is None:
        given.seed = secrets.randbelow(2**31)
    _say(f"seed {given.seed}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        folder.chmod(0o755)
        with suite(folder / "data", subscribers=given.subscribers) as address:
            write_configuration(folder, Keys.under(folder / "data"))
            found = [fuzz(one, address, folder, given) for one in given.services or SERVICES]
    return max(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
