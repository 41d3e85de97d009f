"""There is one clock: what takes the moment from elsewhere cannot be shown another one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CLOCK = "shared/src/huaxiao/shared/clock.py"
_MOMENTS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}
"""``time.monotonic`` is no moment: timers are measured by it, and nothing else."""
_IN_THE_DATABASE = {
    # Leases between replicas: by the one clock that all of them share.
    "services/dispatch/src/huaxiao/dispatch/plans/store.py",
    # Whether a centre or a person is there today: a condition of queries, by the day alone.
    "services/dispatch/src/huaxiao/dispatch/orders/store.py",
    # When a row came, for operators; nothing is decided by it.
    "services/dispatch/src/huaxiao/dispatch/tables.py",
    "shared/src/huaxiao/shared/feed.py",
    "shared/src/huaxiao/shared/unit_of_work.py",
}
"""Where SQL says ``now()``, and why it may."""


def sources(project: Path) -> Iterator[tuple[str, ast.Module]]:
    for root in (project / "shared", project / "cli", *(project / "services").iterdir()):
        for path in sorted((root / "src").rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(project)), ast.parse(path.read_text())


def moments(tree: ast.Module) -> Iterator[int]:
    """Yield the lines that ask for the present moment."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = node.func
            named = called.value.id if isinstance(called.value, ast.Name) else ""
            named = called.value.attr if isinstance(called.value, ast.Attribute) else named
            if (named, called.attr) in _MOMENTS:
                yield node.lineno


def asks_the_database(tree: ast.Module) -> bool:
    return any(
        ast.unparse(node) == "func.now"
        if isinstance(node, ast.Attribute)
        else isinstance(node, ast.Constant) and str(node.value).startswith("now()")
        for node in ast.walk(tree)
    )


def test_nobody_but_the_clock_asks_for_the_moment(project: Path) -> None:
    found = [
        f"{path}:{line}"
        for path, tree in sources(project)
        if path != CLOCK
        for line in moments(tree)
    ]

    assert found == []


def test_the_database_is_asked_where_that_is_said_and_why(project: Path) -> None:
    assert {path for path, tree in sources(project) if asks_the_database(tree)} == _IN_THE_DATABASE


@pytest.mark.parametrize(
    "asked", ["datetime.now(UTC)", "datetime.datetime.utcnow()", "date.today()", "time.time()"]
)
def test_a_moment_that_is_asked_for_is_seen(asked: str) -> None:
    assert list(moments(ast.parse(f"when = {asked}"))) == [1]
    assert list(moments(ast.parse("when = time.monotonic()"))) == []
