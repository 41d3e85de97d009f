"""Where a suite is: options that commands have in common."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path, typer.Option("--data", envvar="HUAXIAO_DATA", help="where the suite keeps its data")
]
DATA = Path(".huaxiao")
"""Of a suite whose place is not named."""
AdminDatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        envvar="HUAXIAO_ADMIN_DATABASE_URL",
        help="postgresql://… as a superuser, for a suite that has a database of its own",
    ),
]
