"""How a command ends: with which code, and with what to do next where it could not do what was asked."""

from enum import IntEnum
from pathlib import Path

import httpx
import typer
from rich.console import Console
from rich.markup import escape

from huaxiao.shared.clients.base import PeerProblem

_told = Console(stderr=True)
_NEXT = {
    "unauthenticated": "Make a token (huaxiao token --help), and give it with --token or HUAXIAO_TOKEN.",
    "forbidden": "Ask with a token of another role: docs/permissions.md says which may.",
    "not-found": "Look whether the branch and what you named are spelt right, and in the token.",
    "field-sealed": "What is sealed stays so; a supplement may change terms: docs/contracts.md.",
}
"""What to do about a refusal, by its code."""


class Ends(IntEnum):
    """The exit codes of every command."""

    HOLDS = 0
    """It was done, and everything that was looked at holds."""
    DOES_NOT_HOLD = 1
    """It was done, and something differs or is to be mended; the output names it."""
    ASKED_WRONGLY = 2
    """An option, a file or a mapping is not right; nothing was done."""
    NOT_DONE = 3
    """It could not be done: the suite does not answer, refuses, or cannot start."""


def held(*, all_of_it: bool) -> typer.Exit:
    """Return the end of a command that looked, by what it found."""
    return typer.Exit(Ends.HOLDS if all_of_it else Ends.DOES_NOT_HOLD)


def stopped(what: str, do: str, *, code: Ends = Ends.NOT_DONE) -> typer.Exit:
    """Say on standard error what stopped the command and what to do next; return its end."""
    _told.print(f"✗ {escape(what)}", style="red", highlight=False, soft_wrap=True)
    _told.print(f"→ {escape(do)}", highlight=False, soft_wrap=True)
    return typer.Exit(code)


def no_suite(data: Path) -> tuple[str, str]:
    """Return that a folder holds no suite, and what to do next."""
    return f"{data} holds no suite.", "Name the suite's data with --data, or make one: huaxiao up."


def unanswered(
    url: str, error: PeerProblem | httpx.TransportError, *, after: str = ""
) -> typer.Exit:
    """Say that a service refused or did not answer; return the command's end.

    ``after`` is what to do once that is mended.
    """
    if isinstance(error, PeerProblem):
        do = _NEXT.get(error.code, "docs/reference/problems.md explains the code.")
        if error.retry_after is not None:
            do = f"Ask again in {error.retry_after:.0f} s."
        return stopped(f"The service refused: {error}", f"{do} {after}".rstrip())
    do = "Start the suite (huaxiao up), or name where it is with --url."
    return stopped(
        f"{url} does not answer ({type(error).__name__}: {error}).", f"{do} {after}".rstrip()
    )
