"""The commands as a new user types them, on a data directory of their own."""

import json
from pathlib import Path

import httpx
import pytest
from support.suite import reachable, run, up

from huaxiao.cli.suite import listen

SUBSCRIBERS = "100"


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return reachable(tmp_path_factory.mktemp("suite"))


@pytest.mark.slow
def test_the_demo_holds_every_check_and_does_so_again_and_up_keeps_its_data(data: Path) -> None:
    demo = ("demo", "--data", str(data), "--port", "0", "--subscribers", SUBSCRIBERS)
    for _ in range(2):
        told = run(*demo)
        assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
        assert "✗" not in told.stdout
        assert told.stdout.count("✓") >= 45
        assert "Traceback" not in told.stdout + told.stderr
    who = ("--role", "county_manager", "--branch", "130123")
    token = run("token", *who, "--data", str(data)).stdout.strip()
    with up(data) as address:
        answer = httpx.get(
            f"{address}/kpi/v1/branches/130123/targets?period=201711",
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200
        assert json.loads(answer.text)["county"]["targets"][0]["verdict"] == "pass"
        assert set(httpx.get(f"{address}/services").json()) == {
            "contracts",
            "attribution",
            "dispatch",
            "kpi",
        }
    rebuilt = run("rebuild-kpi", "--data", str(data))
    assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
    assert "every figure is as it was" in rebuilt.stdout


def test_a_port_that_is_taken_is_said_in_one_sentence(data: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = str(taken.getsockname()[1])
        told = run("up", "--data", str(data), "--port", port)

    assert told.returncode == 1
    assert f"Port {port} cannot be had" in told.stdout
    assert "Traceback" not in told.stdout + told.stderr
    assert not data.exists()
