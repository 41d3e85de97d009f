import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_every_figure_is_one_line_of_json_and_nothing_else_is_printed(project: Path) -> None:
    command = [sys.executable, "-m", "bench.main", "--quick"]
    environment = os.environ | {
        "PYTHONPATH": str(project / "tests"),
        "TIGERBEETLE_ADDRESS": "",
        "VRPTW": "",
        "ROADEF": "",
    }

    done = subprocess.run(
        command, env=environment, cwd=project, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["figure"] for one in figures] == [
        *("intake_batch", "intake_batch_written", "intake_batch_vs_orm", "intake_single"),
        *("intake_at_10m", "explain", "balance", "replay_5m"),
        *("coverage_china", "coverage_county", "sign_county", "settle_1000"),
        *("kpi_dashboard", "kpi_catch_up"),
        *("plan_days", "replan_day", "place_one", "plan_crews", "plan_county"),
    ]
    for one in figures:
        assert set(one) == {"figure", "value", "unit", "against", "ratio", "runs", "spread"}
        assert one["value"] > 0
        low, high = one["spread"]
        assert 0 < low <= one["ratio"] <= high
