"""The ``huaxiao`` command."""

import asyncio
import json
import logging
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from huaxiao.cli import embedded
from huaxiao.cli.asking import import_events, verify
from huaxiao.cli.checks import Checks
from huaxiao.cli.demo import run_demo
from huaxiao.cli.doctor.command import doctor
from huaxiao.cli.ending import Ends, held, no_suite, stopped
from huaxiao.cli.migrating import migrate
from huaxiao.cli.places import DATA, Data
from huaxiao.cli.progress import reached_bar
from huaxiao.cli.sample.county import BRANCH_ID as SAMPLE_BRANCH
from huaxiao.cli.sample.county import TERM_FROM
from huaxiao.cli.sample.generator import PLANNED_SUBSCRIBERS
from huaxiao.cli.showing import AsJson
from huaxiao.cli.story import Endpoints
from huaxiao.cli.suite import (
    DEFAULT_PORT,
    Keys,
    NotStartedError,
    listen,
    serving,
)
from huaxiao.kpi.rebuilding import NotFollowedError, Rebuilt, rebuild
from huaxiao.shared.auth import Role
from huaxiao.shared.provision import SERVICES, owner_role

app = typer.Typer(
    help="Huaxiao (划小): run a telecom county branch as a set of contractors.",
    epilog="Ends with 0 when all holds, 1 when something does not, 2 when asked wrongly, 3 when it could"
    " not be done. Completion in your shell: --install-completion. More: docs/reference/cli.md.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
console = Console(width=None if sys.stdout.isatty() else 100)
told = Console(stderr=True)

Port = Annotated[int, typer.Option(help="the suite's one port; 0 takes any free one")]
_HOST = "127.0.0.1"
_BEGIN = "Begin 开始"
_CONNECT = "Connect people and systems 接入"
_CHECK = "Check what is kept 核对"


@app.command(rich_help_panel=_BEGIN)
def demo(
    data: Data = DATA,
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
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command
) -> None:
    """Carry one real county through its main job, and show the result.

    Every figure is checked. With --json the story goes to standard error, and what was checked to
    standard output.
    """
    shown = told if as_json else console
    checks = Checks(shown)

    async def story(endpoints: Endpoints) -> int:
        all_held = await run_demo(
            endpoints, seed=seed, console=shown, subscribers=subscribers, checks=checks
        )
        if as_json:
            listed = [{"what": what, "holds": holds} for what, holds in checks.results]
            typer.echo(json.dumps({"holds": all_held, "checks": listed}, ensure_ascii=False))
        if not all_held:
            return Ends.DOES_NOT_HOLD if checks.results else Ends.NOT_DONE
        if not as_json:
            _show_addresses(endpoints)
        if sys.stdout.isatty() if stay is None else stay:
            await _until_stopped(shown)
        return Ends.HOLDS

    raise typer.Exit(_run(data, port, story))


@app.command(rich_help_panel=_BEGIN)
def up(
    data: Data = DATA,
    port: Port = DEFAULT_PORT,
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command
) -> None:
    """Start the suite with its embedded PostgreSQL, until Ctrl-C. Data is kept.

    With --json it prints one line when it is ready: where it is, and a county manager's token.
    """
    raise typer.Exit(_run(data, port, _stay_for_machines if as_json else stay))


app.command(rich_help_panel=_BEGIN)(migrate)


@app.command(rich_help_panel=_CONNECT)
def token(
    role: Annotated[Role, typer.Option(help="what the caller is")],
    branch: Annotated[int, typer.Option(min=100_000, max=999_999, help="six-digit county code")],
    centre: Annotated[list[str] | None, typer.Option(help="see only these centres")] = None,
    person: Annotated[str | None, typer.Option(help="the person behind the token")] = None,
    data: Data = DATA,
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command
) -> None:
    """Print a bearer token of the embedded suite's own issuer, good for 8 hours."""
    if not embedded.is_in(data):
        told.print(f"No suite is in {data} yet: one that is started there will take this token.")
    made = (
        Keys.under(data)
        .issuer()
        .token(
            f"cli:{role}", roles=[role], branch_ids=[branch], centre_ids=centre, person_id=person
        )
    )
    said = {"token": made, "role": role, "branch": branch, "centres": centre, "person": person}
    typer.echo(json.dumps(said) if as_json else made)


app.command(name="import", rich_help_panel=_CONNECT)(import_events)
app.command(rich_help_panel=_CHECK)(doctor)
app.command(rich_help_panel=_CHECK)(verify)


@app.command(name="rebuild-kpi", rich_help_panel=_CHECK)
def rebuild_kpi(
    data: Data = DATA,
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command
) -> None:
    """Make all figures again from the feeds, and check that they come out the same."""
    if not embedded.is_in(data):
        raise stopped(*no_suite(data))

    async def story(endpoints: Endpoints) -> int:
        _ = endpoints
        owner = embedded.start(data.resolve()).url(owner_role("kpi"))
        try:
            with reached_bar(told, "feed entries followed again") as tell:
                done = await rebuild(owner, tell=tell)
        except NotFollowedError as behind:
            raise stopped(
                f"The feeds are not followed: {behind}",
                "Its log above may say why. Start again: it begins anew, and feeds lose nothing.",
            ) from behind
        if as_json:
            typer.echo(json.dumps(rebuilt_as_json(done)))
        else:
            show_rebuilt(done)
        return held(all_of_it=done.identical).exit_code

    raise typer.Exit(_run(data, 0, story))


def rebuilt_as_json(done: Rebuilt) -> dict[str, object]:
    """Return what a rebuild came to, for machines."""
    changes, _ = done.after.digests["measure_changes"]
    return {
        "identical": done.identical,
        "feed_entries": sum(done.before.positions.values()),
        "changes_of_measures": changes,
        "differing": done.differing(),
        "sums_that_differ": done.sums_that_differ,
    }


def show_rebuilt(done: Rebuilt) -> None:
    """Tell people what a rebuild came to."""
    entries = sum(done.before.positions.values())
    changes, _ = done.after.digests["measure_changes"]
    console.print(f"{entries} feed entries followed again: {changes} changes of measures")
    if done.identical:
        console.print("✓ every figure is as it was", style="green")
    for name in done.differing():
        console.print(f"✗ {name} came out otherwise", style="red")
    if done.sums_that_differ:
        console.print(f"✗ {done.sums_that_differ} sums do not add up", style="red")


def _run(data: Path, port: int, story: Callable[[Endpoints], Awaitable[int]]) -> int:
    try:
        bound = listen(_HOST, port)
    except OSError as refused:
        raise stopped(
            f"Port {port} cannot be had: {refused.strerror}.",
            "If the suite runs already, use that one or stop it; else choose another port: --port 0"
            " takes any free one.",
        ) from refused
    with bound:
        postgres = _postgres(data.resolve())
        try:
            return asyncio.run(serve(data.resolve(), bound, postgres, story))
        finally:
            postgres.stop()


def _postgres(data: Path) -> embedded.EmbeddedPostgres:
    try:
        with told.status("PostgreSQL …"):
            postgres = embedded.start(data)
            embedded.prepare(postgres)
    except (*embedded.NOT_READY_YET, OSError) as failed:
        raise stopped(
            f"PostgreSQL did not start in {data}: {failed}",
            f"{data / 'postgres' / 'log'} says why: no room, no right to write, or a server that still"
            " stops. Another folder: --data.",
        ) from failed
    return postgres


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
    except NotStartedError as failed:
        raise stopped(
            "The suite did not start; its log above says why.",
            "Mend that and start again; data of an older version is brought up to date by itself.",
        ) from failed


async def stay(endpoints: Endpoints) -> int:
    """Say where the suite is, and wait until it is told to stop: Ctrl-C or SIGTERM."""
    _show_addresses(endpoints)
    await _until_stopped(console)
    return Ends.HOLDS


async def _stay_for_machines(endpoints: Endpoints) -> int:
    services = {service: f"{endpoints.gateway}/{service}" for service in SERVICES}
    said = {"url": endpoints.gateway, "services": services, "token": _managers(endpoints)}
    typer.echo(json.dumps(said))
    await _until_stopped(told)
    return Ends.HOLDS


async def _until_stopped(shown: Console) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    shown.print("[dim]Ctrl-C stops the suite; its data is kept.[/dim]")
    await stopped.wait()


def _managers(endpoints: Endpoints) -> str:
    return endpoints.issuer.token(
        "cli:county_manager", roles=[Role.COUNTY_MANAGER], branch_ids=[SAMPLE_BRANCH]
    )


def _show_addresses(endpoints: Endpoints) -> None:
    manager = _managers(endpoints)
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
