"""What a command has found, for people or for machines."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="print the result as JSON")]


class Found(Protocol):
    """What can be told either way."""

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        ...

    def lines(self) -> Iterator[str]:
        """Yield what to tell people, a line each."""
        ...


def show(found: Found, *, as_json: bool) -> None:
    """Print what was found, on standard output."""
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False))
        return
    console = Console()
    for line in found.lines():
        console.print(line, soft_wrap=True, highlight=False)
