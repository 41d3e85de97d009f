"""How the commands show that long work goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)


@contextmanager
def progress_bar(console: Console, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar, and yield what moves it on; without a total it only counts."""
    with _bar(console) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


@contextmanager
def reached_bar(console: Console, what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar, and yield what says how far the work has come, of how much by now."""
    with _bar(console) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def file_bar(console: Console, what: str, size: int) -> Iterator[Callable[[int, int], None]]:
    """Show what share of a file's bytes is done, and yield what says how many rows and bytes are."""
    with _bar(console, TaskProgressColumn(), TextColumn("{task.fields[rows]:,} rows")) as bar:
        task = bar.add_task(what, total=max(size, 1), rows=0)
        yield lambda rows, reached: bar.update(task, completed=max(reached, not size), rows=rows)


def _bar(console: Console, *counted: ProgressColumn) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        *(counted or [MofNCompleteColumn()]),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=console)
