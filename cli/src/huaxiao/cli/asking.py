"""The commands that ask a running suite, wherever it is: posting a file, having seals verified."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.markup import escape

from huaxiao.cli.ending import Ends, held, stopped, unanswered
from huaxiao.cli.importing import (
    AlreadyImportingError,
    Away,
    Imported,
    import_file,
    rejected_rows_file,
    rejects_file,
)
from huaxiao.cli.mapping import FileMapping
from huaxiao.cli.progress import file_bar, reached_bar
from huaxiao.cli.showing import AsJson, show
from huaxiao.cli.suite import DEFAULT_PORT
from huaxiao.cli.verifying import verified
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem

_told = Console(stderr=True)
_SUITE = f"http://127.0.0.1:{DEFAULT_PORT}"


def import_events(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="CSV or TXT, packed by gzip or not")
    ],
    mapping: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="what its columns mean, as TOML")
    ],
    url: Annotated[
        str, typer.Option(envvar="HUAXIAO_ATTRIBUTION_URL", help="of the attribution service")
    ] = f"{_SUITE}/attribution",
    bearer: Annotated[
        str, typer.Option("--token", envvar="HUAXIAO_TOKEN", help="of a BSS source")
    ] = "",
    wait: Annotated[
        int,
        typer.Option(
            min=0,
            help="seconds to wait at a time for a service that is away, before it ends with 3",
        ),
    ] = 300,
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command
) -> None:
    """Post the rows of a billing system's daily file as business events.

    Goes on where it stopped. Rows that were not booked are named beside the file, and it ends with 1.
    """
    # Each attempt of the client would be a line of its own.
    logging.getLogger("stamina").setLevel(logging.ERROR)
    try:
        described = FileMapping.from_file(mapping)
        with file_bar(_told, file.name, file.stat().st_size) as tell:
            done = asyncio.run(_import(file, described, url, bearer, wait, tell))
    except (PeerProblem, httpx.TransportError) as error:
        raise unanswered(
            url, error, after="Then give the same command again: it goes on where it stopped."
        ) from error
    except AlreadyImportingError as error:
        raise stopped(f"{error}.", "Wait until the other has ended.") from error
    except OSError as error:
        raise stopped(
            f"{error}", "Make room or mend it, and start again: it goes on here."
        ) from error
    except ValueError as error:
        raise stopped(
            f"The file or its mapping is not right: {error}",
            "docs/integrate-billing.md says what a mapping may hold.",
            code=Ends.ASKED_WRONGLY,
        ) from error
    if as_json:
        typer.echo(json.dumps(asdict(done)))
    else:
        _show(file, done)
    raise held(all_of_it=done.clean)


async def _import(
    file: Path,
    mapping: FileMapping,
    url: str,
    bearer: str,
    wait: int,
    tell: Callable[[int, int], None],
) -> Imported:
    def waiting(why: Away) -> None:
        told = f"… {url} is away ({why or type(why).__name__}): asked again for up to {wait} s"
        _told.print(escape(told), style="yellow", highlight=False, soft_wrap=True)

    async with AttributionClient(url, lambda: bearer) as client:
        return await import_file(
            client, file, mapping, progress=tell, wait_seconds=wait, waiting=waiting
        )


def _show(file: Path, done: Imported) -> None:
    typer.echo(
        f"{done.lines} rows: {done.booked} booked, {done.duplicates} known, {done.parked}"
        f" waiting, {done.refused + done.conflicts} refused, {done.rejected} no events,"
        f" {done.skipped} passed over"
    )
    if not done.clean:
        typer.echo(f"What is wrong, by line: {rejects_file(file)}")
        typer.echo(f"The rows, to mend and import again: {rejected_rows_file(file)}")


def verify(
    branch: Annotated[int, typer.Option(min=100_000, max=999_999, help="six-digit county code")],
    contract: Annotated[str | None, typer.Option(help="only this contract and its fields")] = None,
    url: Annotated[
        str, typer.Option(envvar="HUAXIAO_CONTRACTS_URL", help="of the contracts service")
    ] = f"{_SUITE}/contracts",
    bearer: Annotated[
        str, typer.Option("--token", envvar="HUAXIAO_TOKEN", help="of who may read the contracts")
    ] = "",
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command
) -> None:
    """Have every seal and every statement computed again, and name what differs."""
    try:
        with reached_bar(_told, "statements computed again") as tell:
            found = asyncio.run(verified(url, bearer, branch, contract, tell=tell))
    except (PeerProblem, httpx.TransportError) as error:
        raise unanswered(url, error) from error
    show(found, as_json=as_json)
    raise held(all_of_it=found.agrees)
