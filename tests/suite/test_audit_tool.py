"""What `make audit` says where it reaches nothing: that it was skipped, and never that it is clean."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NOWHERE = "http://127.0.0.1:9"


def audited(project: Path, scratch: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the audit as it is typed, on a machine that is cut off and has nothing stored."""
    cut_off = {
        "HTTPS_PROXY": NOWHERE,
        "ALL_PROXY": NOWHERE,
        "UV_HTTP_RETRIES": "0",
        "UV_OFFLINE": "1" if "semgrep" in arguments else "0",
        "UV_CACHE_DIR": str(scratch),
    }
    return subprocess.run(
        [sys.executable, "tools/audit.py", *arguments],
        cwd=project,
        env=os.environ | cut_off,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("step", ["packages", "semgrep"])
def test_what_cannot_be_reached_is_skipped_and_never_clean(
    project: Path, tmp_path: Path, step: str
) -> None:
    done = audited(project, tmp_path, step)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{step}: skipped" in done.stdout
    assert f"audit: not asked: {step}" in done.stdout
    assert "nothing found" not in done.stdout
    assert "everything was asked" not in done.stdout


def test_a_strict_audit_fails_where_something_was_skipped(project: Path, tmp_path: Path) -> None:
    assert audited(project, tmp_path, "packages", "--strict").returncode == 1
