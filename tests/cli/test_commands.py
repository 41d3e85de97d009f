"""The command as it is met: its table of contents, its ends, and what it says to do next."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from support.suite import huaxiao, run

from huaxiao.cli.ending import Ends
from huaxiao.cli.main import app, rebuilt_as_json, show_rebuilt
from huaxiao.kpi.rebuilding import Held, Rebuilt

BILLS = "docs/examples/bill-items.csv"
MAPPING = "docs/examples/bill-items.toml"


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    group: Any = typer.main.get_group(app)
    return dict(group.commands)


@pytest.fixture
def nobody() -> Iterator[str]:
    """Return an address that is taken, and answers nothing."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unheard.getsockname()[1]}"


def test_help_reads_like_a_table_of_contents(commands: dict[str, Any]) -> None:
    shown = run("--help").stdout
    places = [shown.index(f"│ {name} ") for name in commands]
    assert places == sorted(places)
    assert all(f"─ {one.rich_help_panel} ─" in shown for one in commands.values())


def test_every_command_tells_machines_as_well(commands: dict[str, Any]) -> None:
    silent = [
        name
        for name, one in commands.items()
        if not any("--json" in parameter.opts for parameter in one.params)
    ]
    assert silent == []


def test_every_command_and_option_says_what_it_is(commands: dict[str, Any]) -> None:
    bare = [
        f"{name} {parameter.name}"
        for name, one in commands.items()
        for parameter in one.params
        if not parameter.help
    ]
    assert bare == []
    assert all(one.help for one in commands.values())


def test_a_token_for_machines_says_whose_it_is(tmp_path: Path) -> None:
    asked = ("--role", "contractor", "--branch", "130123", "--centre", "C1", "--person", "P01")
    told = json.loads(run("token", *asked, "--data", str(tmp_path), "--json").stdout)
    assert told.pop("token").count(".") == 2
    assert told == {"role": "contractor", "branch": 130123, "centres": ["C1"], "person": "P01"}


def test_the_shell_completes_commands_and_roles() -> None:
    assert "rebuild-kpi" in completed("huaxiao re")
    assert "county_manager" in completed("huaxiao token --role county_")


def completed(typed: str) -> str:
    asked = {
        "_HUAXIAO_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(typed.count(" ")),
    }
    return subprocess.run(
        huaxiao(), env=os.environ | asked, capture_output=True, text=True, check=False
    ).stdout


def test_whoever_asks_nobody_is_told_what_to_start(nobody: str, tmp_path: Path) -> None:
    told = run("verify", "--branch", "130123", "--url", nobody)
    assert told.returncode == Ends.NOT_DONE
    assert f"✗ {nobody} does not answer" in told.stderr
    assert "→ Start the suite (huaxiao up)" in told.stderr
    assert told.stdout == ""


def test_a_mapping_that_is_not_right_is_asked_wrongly(project: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.toml"
    wrong.write_text('type = "bill_item.issued"\n')
    told = run("import", str(project / BILLS), "--mapping", str(wrong))
    assert told.returncode == Ends.ASKED_WRONGLY
    assert "docs/integrate-billing.md" in told.stderr
    assert "Traceback" not in told.stderr


def test_an_option_that_is_not_there_is_asked_wrongly() -> None:
    assert run("verify", "--nothing").returncode == Ends.ASKED_WRONGLY


def test_what_came_out_otherwise_is_named_to_people_and_machines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    positions = {(130123, "/attribution"): 3}
    before = Held(positions, {"measure_changes": (7, 1), "sums": (1, 2)})
    after = Held(positions, {"measure_changes": (7, 1), "sums": (1, 3)})
    assert rebuilt_as_json(Rebuilt(before, after, 0)) == {
        "identical": False,
        "feed_entries": 3,
        "changes_of_measures": 7,
        "differing": ["sums"],
        "sums_that_differ": 0,
    }
    show_rebuilt(Rebuilt(before, after, 2))
    said = capsys.readouterr().out
    assert "✗ sums came out otherwise" in said
    assert "✗ 2 sums do not add up" in said


def test_a_folder_that_cannot_be_is_said_with_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    told = run("up", "--data", str(tmp_path / "file" / "data"), "--port", "0")
    assert told.returncode == Ends.NOT_DONE
    assert "✗ PostgreSQL did not start" in told.stderr
    assert "--data" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("command", ["rebuild-kpi", "doctor"])
def test_a_folder_without_a_suite_is_not_made_one_by_looking(command: str, tmp_path: Path) -> None:
    told = run(command, "--data", str(tmp_path / "nothing"))
    assert told.returncode == Ends.NOT_DONE
    assert "holds no suite" in told.stderr
    assert "→ Name the suite's data with --data" in told.stderr
    assert not (tmp_path / "nothing").exists()


def test_a_branch_that_is_no_code_is_asked_wrongly(tmp_path: Path) -> None:
    told = run("token", "--role", "engineer", "--branch", "13", "--data", str(tmp_path))
    assert told.returncode == Ends.ASKED_WRONGLY
    assert "100000" in told.stderr
    assert told.stdout == ""


def test_a_token_for_a_suite_that_is_not_there_yet_says_so(tmp_path: Path) -> None:
    told = run("token", "--role", "auditor", "--branch", "130123", "--data", str(tmp_path))
    assert told.stdout.count(".") == 2
    assert "No suite is in" in told.stderr
