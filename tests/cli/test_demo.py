"""The commands as a new user types them, on a data directory of their own."""

from pathlib import Path

from support.suite import run

from huaxiao.cli.ending import Ends
from huaxiao.cli.suite import listen


def test_a_port_that_is_taken_is_said_in_one_sentence(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = str(taken.getsockname()[1])
        told = run("up", "--data", str(data), "--port", port)

    assert told.returncode == Ends.NOT_DONE
    assert f"✗ Port {port} cannot be had" in told.stderr
    assert "--port 0" in told.stderr
    assert "Traceback" not in told.stdout + told.stderr
    assert not data.exists()
