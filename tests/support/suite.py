"""The ``huaxiao`` command as a new user types it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 60


def reachable(folder: Path) -> Path:
    """Let the database's own user pass through a folder, and return a place in it for data."""
    for one in (folder, *folder.parents[:3]):
        one.chmod(one.stat().st_mode | 0o055)
    return folder / "data"


def huaxiao(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("huaxiao")), *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        huaxiao(*arguments),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS * 5,
        check=False,
    )


def in_a_shell(script: str, address: str, data: Path) -> subprocess.CompletedProcess[str]:
    """Run what a document says to type, in a shell, but against a suite of the tests' own."""
    script = script.replace("http://127.0.0.1:8100", address)
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace(".venv/bin/huaxiao", huaxiao()[0])],
        cwd=data,
        env=os.environ | {"HUAXIAO_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS * 5,
        check=False,
    )


@contextmanager
def up(data: Path) -> Iterator[str]:
    """Start the suite without the sample; yield its address; stop it as Ctrl-C does."""
    command = huaxiao("up", "--data", str(data), "--port", "0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not (said := re.search(r"http://\S+", process.stdout.readline())):
                assert time.monotonic() < deadline
                assert process.poll() is None
            yield said.group()
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_SECONDS) == 0
