"""Bringing a database's schemas up to date, and over several machines where they are to lie on many."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from alembic.util import CommandError
from rich.console import Console
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from huaxiao.cli import embedded
from huaxiao.cli.ending import Ends, stopped
from huaxiao.cli.places import DATA, AdminDatabaseUrl, Data
from huaxiao.cli.showing import AsJson, show
from huaxiao.shared.distributing import SHARDS, NotDistributedError, Outcome
from huaxiao.shared.installation import passwords_under, prepare_database

_told = Console(stderr=True)


def migrate(
    data: Data = DATA,
    database_url: AdminDatabaseUrl = None,
    secrets: Annotated[
        Path | None,
        typer.Option(
            envvar="HUAXIAO_SECRETS",
            file_okay=False,
            help="folder with operator/passwords.json, where roles log in by password",
        ),
    ] = None,
    citus: Annotated[  # noqa: FBT002 - an option of the command
        bool, typer.Option("--citus", help="distribute the tables by their branch over Citus")
    ] = False,
    worker: Annotated[
        list[str] | None,
        typer.Option(help="with --citus: host or host:port of a machine that is to join"),
    ] = None,
    shards: Annotated[
        int,
        typer.Option(min=1, max=64_000, help="with --citus, the first time: pieces of all data"),
    ] = SHARDS,
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command
) -> None:
    """Make roles and schemas, and bring every schema up to date.

    With --citus tables are then distributed: each county whole on one of several machines. It may run
    again, after each upgrade; without Citus it says so and has changed nothing.
    """
    workers = (worker or []) if citus else None
    if worker and not citus:
        raise stopped(
            "--worker is of --citus.", "Add --citus, or leave it out.", code=Ends.ASKED_WRONGLY
        )
    try:
        with _told.status("Schemas are brought up to date …"):
            passwords = None if secrets is None else passwords_under(secrets)
            if database_url is None:
                _of_embedded(data.resolve(), over_several_machines=citus)
                outcome = None
            else:
                outcome = prepare_database(
                    make_url(database_url), passwords, workers=workers, shards=shards
                )
    except NotDistributedError as refused:
        raise stopped(str(refused), refused.do) from refused
    except ArgumentError as error:
        raise stopped(
            str(error), "Give it as postgresql://user@host/name.", code=Ends.ASKED_WRONGLY
        ) from error
    except (SQLAlchemyError, OSError, CommandError, *embedded.NOT_READY_YET) as error:
        raise stopped(
            f"The schemas could not be brought up to date: {error}",
            "Look whether the database runs, the address is a superuser's and passwords are right.",
        ) from error
    show(_Migrated(outcome), as_json=as_json)


def _of_embedded(data: Path, *, over_several_machines: bool) -> None:
    if over_several_machines:
        raise NotDistributedError(
            "The embedded PostgreSQL is of one machine.",
            "Name a coordinator of Citus with --database-url: docs/operations/several-machines.md.",
        )
    postgres = embedded.start(data)
    try:
        embedded.prepare(postgres)
    finally:
        postgres.stop()


@dataclass(frozen=True, slots=True)
class _Migrated:
    outcome: Outcome | None

    def as_json(self) -> dict[str, Any]:
        return {"distributed": None if self.outcome is None else asdict(self.outcome)}

    def lines(self) -> Iterator[str]:
        yield "✓ every schema is up to date"
        if (found := self.outcome) is not None:
            yield (
                f"✓ {found.tables} tables lie on {found.nodes} machines,"
                f" {found.added} of them since now"
            )
