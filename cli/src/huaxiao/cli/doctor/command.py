"""The command: finds the suite's database, asks every check, tells people or machines."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from huaxiao.cli import embedded
from huaxiao.cli.doctor.examining import examine
from huaxiao.cli.doctor.findings import Examination
from huaxiao.cli.ending import held, no_suite, stopped
from huaxiao.cli.places import DATA, AdminDatabaseUrl, Data
from huaxiao.cli.showing import AsJson, show
from huaxiao.cli.suite import TOKEN_ISSUER, Keys, NotStartedError, anchor_file, listen, serving
from huaxiao.shared.auth import Role
from huaxiao.shared.clock import system_clock
from huaxiao.shared.issuer import Issuer

_HOST = "127.0.0.1"
_told = Console(stderr=True)
Tell = Callable[[str], None]


def doctor(
    data: Data = DATA,
    database_url: AdminDatabaseUrl = None,
    anchors: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="folder with the anchors, <service>.jsonl each"),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(envvar="HUAXIAO_CONTRACTS_URL", help="of contracts, which verifies seals"),
    ] = None,
    bearer: Annotated[
        str, typer.Option("--token", envvar="HUAXIAO_TOKEN", help="of who may read the contracts")
    ] = "",
    signing_key: Annotated[
        Path | None,
        typer.Option(
            envvar="HUAXIAO_SIGNING_KEY_FILE",
            dir_okay=False,
            help="instead of a token, the key that signs those of people",
        ),
    ] = None,
    token_issuer: Annotated[
        str, typer.Option(envvar="HUAXIAO_TOKEN_ISSUER", help="the `iss` of such tokens")
    ] = TOKEN_ISSUER,
    as_json: AsJson = False,  # noqa: FBT002 - an option of the command
) -> None:
    """Check that what the suite keeps still holds, and say what to do where it does not.

    The audit logs against their anchors, seals, the ledger, feeds, settings and roles of the
    database. Writes nothing. Warnings are not counted as wrong.
    """
    with _told.status("The suite is looked at …") as status:
        found = _examined(
            lambda what: status.update(f"{what} …"),
            data=data,
            database_url=database_url,
            anchors=anchors,
            url=url,
            bearer=bearer,
            signing_key=signing_key,
            token_issuer=token_issuer,
        )
    show(found, as_json=as_json)
    raise held(all_of_it=found.sound)


def _examined(
    tell: Tell,
    *,
    data: Path,
    database_url: str | None,
    anchors: Path | None,
    url: str | None,
    bearer: str,
    signing_key: Path | None,
    token_issuer: str,
) -> Examination:
    try:
        if database_url is None:
            return _of_embedded(data.resolve(), anchors, tell)
        signer = signing_key and Issuer.from_file(signing_key, issuer=token_issuer)
        return asyncio.run(
            examine(
                make_url(database_url),
                anchors=anchors,
                contracts_url=url,
                token=_auditor_of(signer) if signer else lambda _: bearer,
                now=system_clock(),
                tell=tell,
            )
        )
    except (SQLAlchemyError, OSError, NotStartedError) as error:
        raise stopped(
            f"The suite could not be looked at: {error}",
            "Look whether its database runs and the address is right: docs/operate.md#doctor.",
        ) from error


def _of_embedded(data: Path, anchors: Path | None, tell: Tell) -> Examination:
    """Look at the suite of a data directory, whether it runs or not."""
    if not embedded.is_in(data):
        raise stopped(*no_suite(data))
    # Its schemas are left as they are: to bring them up to date would also put grants right.
    postgres = embedded.start(data)
    try:
        return asyncio.run(_served(data, postgres, anchors, tell))
    finally:
        postgres.stop()


async def _served(
    data: Path, postgres: embedded.EmbeddedPostgres, anchors: Path | None, tell: Tell
) -> Examination:
    async with _contracts(data, postgres) as url:
        return await examine(
            postgres.url(embedded.SUPERUSER),
            anchors=anchors or anchor_file(data, "contracts").parent,
            contracts_url=url,
            token=_auditor_of(Keys.under(data).issuer()),
            now=system_clock(),
            tell=tell,
        )


def _auditor_of(issuer: Issuer) -> Callable[[int], str]:
    """Return a source of tokens by which a branch may be looked at, and nothing changed."""
    return lambda branch_id: issuer.token(
        "cli:doctor", roles=[Role.AUDITOR], branch_ids=[branch_id]
    )


@asynccontextmanager
async def _contracts(data: Path, postgres: embedded.EmbeddedPostgres) -> AsyncIterator[str]:
    """Serve the suite for as long as it is looked at; what it does by itself stands still."""
    logging.getLogger("stamina").setLevel(logging.ERROR)
    with listen(_HOST, 0) as bound:
        async with serving(postgres, Keys.under(data), bound, follow=False) as gateway:
            yield f"{gateway}/contracts"
