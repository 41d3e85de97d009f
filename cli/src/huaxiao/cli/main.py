"""The ``huaxiao`` command."""

import asyncio
import json
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from huaxiao.cli import embedded
from huaxiao.cli.demo import run_demo
from huaxiao.cli.doctor.command import doctor
from huaxiao.cli.importing import Imported, import_file, rejected_rows_file, rejects_file
from huaxiao.cli.mapping import FileMapping
from huaxiao.cli.progress import progress_bar
from huaxiao.cli.sample.county import BRANCH_ID as SAMPLE_BRANCH
from huaxiao.cli.sample.county import TERM_FROM
from huaxiao.cli.sample.generator import PLANNED_SUBSCRIBERS
from huaxiao.cli.story import Endpoints
from huaxiao.cli.suite import (
    DEFAULT_PORT,
    Keys,
    NotStartedError,
    listen,
    serving,
)
from huaxiao.cli.verifying import verified
from huaxiao.kpi.rebuilding import rebuild
from huaxiao.shared.auth import Role
from huaxiao.shared.clients.attribution import AttributionClient
from huaxiao.shared.clients.base import PeerProblem
from huaxiao.shared.provision import SERVICES, owner_role

app = typer.Typer(
    help="Huaxiao (划小): run a telecom county branch as a set of contractors.",
    no_args_is_help=True,
)
app.command()(doctor)
console = Console(width=None if sys.stdout.isatty() else 100)

Data = Annotated[
    Path, typer.Option("--data", envvar="HUAXIAO_DATA", help="where the suite keeps its database")
]
Port = Annotated[int, typer.Option(help="the suite's one port; 0 takes any free one")]
_DATA = Path(".huaxiao")
_HOST = "127.0.0.1"


@app.command()
def up(data: Data = _DATA, port: Port = DEFAULT_PORT) -> None:
    """Start the suite with its embedded PostgreSQL, until Ctrl-C. Data is kept."""
    raise typer.Exit(_run(data, port, stay))


@app.command()
def demo(
    data: Data = _DATA,
    port: Port = DEFAULT_PORT,
    seed: Annotated[int, typer.Option(help="of the generated month")] = 201711,
    subscribers: Annotated[
        int,
        typer.Option(min=50, help="in the generated county; the plan's figures hold for 10,000"),
    ] = PLANNED_SUBSCRIBERS,
    stay: Annotated[
        bool | None,
        typer.Option("--stay/--exit", help="stay up afterwards; default: on a terminal"),
    ] = None,
) -> None:
    """Carry one real county through its main job, and show the result."""

    async def story(endpoints: Endpoints) -> int:
        held = await run_demo(endpoints, seed=seed, console=console, subscribers=subscribers)
        if not held:
            return 1
        _show_addresses(endpoints)
        if sys.stdout.isatty() if stay is None else stay:
            await _until_stopped()
        return 0

    raise typer.Exit(_run(data, port, story))


@app.command()
def token(
    role: Annotated[Role, typer.Option(help="what the caller is")],
    branch: Annotated[int, typer.Option(help="six-digit county code")],
    centre: Annotated[list[str] | None, typer.Option(help="see only these centres")] = None,
    person: Annotated[str | None, typer.Option(help="the person behind the token")] = None,
    data: Data = _DATA,
) -> None:
    """Print a bearer token of the embedded suite's own issuer."""
    made = (
        Keys.under(data)
        .issuer()
        .token(
            f"cli:{role}", roles=[role], branch_ids=[branch], centre_ids=centre, person_id=person
        )
    )
    typer.echo(made)


@app.command(name="import")
def import_events(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or TXT")],
    mapping: Annotated[
        Path, typer.Option(exists=True, dir_okay=False, help="what its columns mean, as TOML")
    ],
    url: Annotated[
        str, typer.Option(envvar="HUAXIAO_ATTRIBUTION_URL", help="of the attribution service")
    ] = f"http://{_HOST}:{DEFAULT_PORT}/attribution",
    bearer: Annotated[
        str, typer.Option("--token", envvar="HUAXIAO_TOKEN", help="of a BSS source")
    ] = "",
    as_json: Annotated[  # noqa: FBT002 - an option of the command
        bool, typer.Option("--json", help="print the result as JSON")
    ] = False,
) -> None:
    """Post the rows of a billing system's daily file as business events.

    Goes on where it stopped; rows that were not booked are named beside the file.
    """
    told = Console(stderr=True)
    try:
        described = FileMapping.from_file(mapping)
        with progress_bar(told, f"rows of {file.name}", None) as advance:
            done = asyncio.run(_import(file, described, url, bearer, advance))
    except PeerProblem as problem:
        told.print(f"The service refused: {problem}", style="red")
        raise typer.Exit(1) from problem
    except (httpx.TransportError, OSError) as error:
        told.print(f"{url} does not answer ({error}). Start again: it goes on here.", style="red")
        raise typer.Exit(1) from error
    except ValueError as error:
        told.print(f"The file or its mapping is not right: {error}", style="red")
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps(asdict(done)))
    else:
        console.print(
            f"{done.lines} rows: {done.booked} booked, {done.duplicates} known, {done.parked}"
            f" waiting, {done.refused + done.conflicts} refused, {done.rejected} no events"
        )
        if not done.clean:
            console.print(f"What is wrong, by line: {rejects_file(file)}")
            console.print(f"The rows, to mend and import again: {rejected_rows_file(file)}")
    raise typer.Exit(0 if done.clean else 1)


@app.command()
def verify(
    branch: Annotated[int, typer.Option(help="six-digit county code")],
    contract: Annotated[str | None, typer.Option(help="only this contract and its fields")] = None,
    url: Annotated[
        str, typer.Option(envvar="HUAXIAO_CONTRACTS_URL", help="of the contracts service")
    ] = f"http://{_HOST}:{DEFAULT_PORT}/contracts",
    bearer: Annotated[
        str, typer.Option("--token", envvar="HUAXIAO_TOKEN", help="of who may read the contracts")
    ] = "",
) -> None:
    """Have every seal and every statement computed again, and name what differs.

    Ends with 0 when all of it agrees, and with 1 when something does not.
    """
    try:
        found = asyncio.run(verified(url, bearer, branch, contract))
    except (PeerProblem, httpx.TransportError) as problem:
        Console(stderr=True).print(f"{url} did not answer: {problem}", style="red")
        raise typer.Exit(2) from problem
    for line in found.lines():
        console.print(line, soft_wrap=True, highlight=False)
    raise typer.Exit(0 if found.agrees else 1)


@app.command(name="rebuild-kpi")
def rebuild_kpi(data: Data = _DATA) -> None:
    """Make all figures again from the feeds, and check that they come out the same.

    Ends with 0 when every row is as it was, and with 1 when something differs.
    """

    async def story(endpoints: Endpoints) -> int:
        _ = endpoints
        with progress_bar(console, "feed entries", None) as advance:
            told = [0]

            def tell(done: int, _all: int) -> None:
                advance(done - told[0])
                told[0] = done

            done = await rebuild(embedded.start(data.resolve()).url(owner_role("kpi")), tell=tell)
        entries = sum(done.before.positions.values())
        changes, _ = done.after.digests["measure_changes"]
        console.print(f"{entries} feed entries followed again: {changes} changes of measures")
        if done.identical:
            console.print("✓ every figure is as it was", style="green")
            return 0
        for name in done.differing():
            console.print(f"✗ {name} came out otherwise", style="red")
        if done.sums_that_differ:
            console.print(f"✗ {done.sums_that_differ} sums do not add up", style="red")
        return 1

    raise typer.Exit(_run(data, 0, story))


async def _import(
    file: Path, mapping: FileMapping, url: str, bearer: str, advance: Callable[[int], None]
) -> Imported:
    async with AttributionClient(url, lambda: bearer) as client:
        return await import_file(client, file, mapping, progress=advance)


def _run(data: Path, port: int, story: Callable[[Endpoints], Awaitable[int]]) -> int:
    try:
        bound = listen(_HOST, port)
    except OSError as refused:
        console.print(
            f"Port {port} cannot be had: {refused.strerror}. If the suite runs already, use that"
            " one or stop it; else choose another port: --port 0 takes any free one.",
            style="red",
        )
        return 1
    with bound:
        with console.status("PostgreSQL …"):
            postgres = embedded.start(data.resolve())
            embedded.prepare(postgres)
        try:
            return asyncio.run(serve(data.resolve(), bound, postgres, story))
        finally:
            postgres.stop()


async def serve(
    data: Path,
    bound: socket.socket,
    postgres: embedded.EmbeddedPostgres,
    story: Callable[[Endpoints], Awaitable[int]],
) -> int:
    """Serve the suite while a story is told, and let it end what it has begun."""
    # While the suite stops, followers find their peers gone and say that they will try again.
    logging.getLogger("stamina").setLevel(logging.ERROR)
    # On a terminal refusals are worth a line, and the hourly heads of audit logs are not.
    logging.getLogger("huaxiao.record").setLevel(logging.WARNING)
    keys = Keys.under(data)
    issuer = keys.issuer()
    try:
        async with serving(postgres, keys, bound) as gateway:
            return await story(Endpoints.behind(gateway, issuer))
    except NotStartedError:
        console.print("The suite did not start; its log above says why.", style="red")
        return 1


async def stay(endpoints: Endpoints) -> int:
    """Say where the suite is, and wait until it is told to stop: Ctrl-C or SIGTERM."""
    _show_addresses(endpoints)
    await _until_stopped()
    return 0


async def _until_stopped() -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    console.print("[dim]Ctrl-C stops the suite; its data is kept.[/dim]")
    await stopped.wait()


def _show_addresses(endpoints: Endpoints) -> None:
    manager = endpoints.issuer.token(
        "cli:county_manager", roles=[Role.COUNTY_MANAGER], branch_ids=[SAMPLE_BRANCH]
    )
    console.print(f"\n[bold]Huaxiao runs at {endpoints.gateway}[/bold]")
    console.print(f"  {'console':<12} {endpoints.gateway}/  (控制台：用下面的令牌登录)")
    for service in SERVICES:
        console.print(f"  {service:<12} {endpoints.gateway}/{service}/docs")
    console.print(
        "\nSign in to the console with this token, or try the API (a county manager's, 8 hours):"
    )
    console.print(f"TOKEN={manager}", soft_wrap=True, highlight=False)
    console.print(
        f'curl -H "Authorization: Bearer $TOKEN" '
        f"'{endpoints.kpi}/v1/branches/{SAMPLE_BRANCH}/targets?period={TERM_FROM}'",
        soft_wrap=True,
        highlight=False,
    )


if __name__ == "__main__":
    app()
