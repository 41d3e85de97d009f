"""The project as it was before the last migration, as an upgrade finds it."""

import subprocess
from pathlib import Path

import pytest


def before_the_last_migration(project: Path) -> str:
    """Return the commit before the one that brought the newest version of any schema."""
    log = _git(
        project,
        *("log", "--diff-filter=A", "--no-merges", "--format=%H", "--max-count=1"),
        *("--", "services/*/migrations/versions/0*.py"),
    )
    added = log.decode().strip()
    if not added:
        pytest.skip("this copy of the project has no history")
    return _git(project, "rev-parse", f"{added}^").decode().strip()


def before_in_containers(project: Path) -> str:
    """Return the newest commit whose containers this one's can take the place of, one by one.

    That is the one before the last migration, unless how containers are made changed after it.
    """
    migrated = before_the_last_migration(project)
    files = ("deploy/Dockerfile", "deploy/docker-compose.yml")
    last = ("log", "--first-parent", "-m", "--format=%H", "--max-count=1", "--", *files)
    deployed = _git(project, *last).decode().strip()
    between = _git(project, "rev-list", "--count", f"{migrated}..{deployed}").decode()
    before = deployed if int(between) else migrated
    head = _git(project, "rev-parse", "HEAD").decode().strip()
    return _git(project, "rev-parse", f"{before}^").decode().strip() if before == head else before


def unpack(project: Path, commit: str, folder: Path, *paths: str) -> None:
    """Put what a commit holds into a folder, all of it or what lies under some paths."""
    archive = _git(project, "archive", commit, *paths)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive, check=True)


def _git(project: Path, *arguments: str) -> bytes:
    done = subprocess.run(["git", *arguments], cwd=project, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"git {arguments[0]} says: {done.stderr.decode().strip()}")
    return done.stdout
