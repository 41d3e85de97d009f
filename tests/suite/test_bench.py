import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_figure_is_one_line_of_json_and_nothing_else_is_printed(project: Path) -> None:
    # One of each kind; `make bench-quick` goes through all of them.
    asked = ["intake_batch", "explain", "coverage_county", "kpi_dashboard", "place_one"]
    command = [sys.executable, "-m", "bench.main", "--quick", *asked]
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
    assert [one["figure"] for one in figures] == asked
    for one in figures:
        assert set(one) == {"figure", "value", "unit", "against", "ratio", "runs", "spread"}
        assert one["value"] > 0
        low, high = one["spread"]
        assert 0 < low <= one["ratio"] <= high
