"""Look for what should not be in the code or in what it stands on: ``make audit``.

bandit and the rules of ``semgrep.yml`` over the code, known vulnerabilities of every locked package,
and a bill of materials (CycloneDX) as ``sbom.json``. What cannot be asked from here is said to be
skipped and never to be clean; with ``--strict`` it is as bad as a finding.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path

PROJECT = Path(__file__).parents[1]
_UV = str(PROJECT / ".tools" / "bin" / "uv")
_CODE = ("shared/src", "services", "cli/src")


class Result(Enum):
    """What a step has come to."""

    CLEAN = "nothing found"
    FOUND = "found"
    SKIPPED = "skipped"


_AWAY = ("dns error", "error sending request", "connection refused", "timed out")


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def _told(what: str, result: str, details: str = "") -> None:
    sys.stdout.write(f"{what}: {result}\n{details}")
    sys.stdout.flush()


def code_by_bandit() -> Result:
    """Run bandit; anything of medium severity or more is a finding.

    Statements made from text (B608) are ruff's S608 as well, where each that is said why.
    """
    bandit = ("bandit", "--quiet", "-ll", "--skip", "B608", "--recursive", *_CODE)
    done = _run([_UV, "run", "--frozen", "--", *bandit])
    result = Result.FOUND if done.returncode else Result.CLEAN
    _told("bandit", result.value, done.stdout)
    return result


def code_by_rules() -> Result:
    """Run the project's own rules."""
    semgrep = (
        "tool",
        "run",
        "semgrep==1.182.0",
        "scan",
        "--metrics=off",
        "--disable-version-check",
    )
    rules = ("--config", "tools/semgrep.yml", "--error", "--quiet", "--json")
    done = _run([_UV, *semgrep, *rules, *_CODE, "tools", "bench"])
    if not done.stdout.strip():
        _told("semgrep", "skipped: it cannot be had here", done.stderr[-500:] + "\n")
        return Result.SKIPPED
    said = json.loads(done.stdout)
    found = [
        f"  {one['path']}:{one['start']['line']}: {one['check_id'].rpartition('.')[2]}:"
        f" {one['extra']['message'].strip()}\n"
        for one in said["results"]
    ] + [f"  {one['message']}\n" for one in said["errors"]]
    _told("semgrep", f"{len(found)} found" if found else "nothing found", "".join(found))
    return Result.FOUND if found else Result.CLEAN


def packages() -> Result:
    """Ask for known vulnerabilities of the locked packages."""
    done = _run([_UV, "audit", "--frozen"])
    said = done.stdout + done.stderr
    if done.returncode and any(one in said.lower() for one in _AWAY):
        _told("packages", "skipped: the advisories (osv.dev) cannot be reached from here")
        return Result.SKIPPED
    result = Result.FOUND if done.returncode else Result.CLEAN
    _told("packages", result.value, said)
    return result


def bill_of_materials() -> Result:
    """Write what the suite is made of."""
    done = _run(
        [
            *(_UV, "export", "--frozen", "--quiet", "--no-dev", "--all-packages"),
            *("--format", "cyclonedx1.5", "--output-file", "sbom.json"),
        ]
    )
    if done.returncode:
        _told("bill of materials", "failed", done.stderr)
        return Result.FOUND
    made = json.loads((PROJECT / "sbom.json").read_text())
    _told("bill of materials", f"{len(made['components'])} components in sbom.json")
    return Result.CLEAN


STEPS: Mapping[str, Callable[[], Result]] = {
    "bandit": code_by_bandit,
    "semgrep": code_by_rules,
    "packages": packages,
    "bill of materials": bill_of_materials,
}


def main(arguments: Sequence[str]) -> int:
    """Run all of it, or what is named; return 0 when nothing was found."""
    parser = argparse.ArgumentParser(prog="python tools/audit.py")
    parser.add_argument("steps", nargs="*", help=f"of {', '.join(STEPS)}; all of them by default")
    parser.add_argument("--strict", action="store_true", help="fail where something was skipped")
    given = parser.parse_args(arguments)
    results = {name: STEPS[name]() for name in given.steps or STEPS}
    skipped = [name for name, result in results.items() if result is Result.SKIPPED]
    _told("audit", f"not asked: {', '.join(skipped)}" if skipped else "everything was asked")
    failed = Result.FOUND in results.values() or (given.strict and skipped)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
