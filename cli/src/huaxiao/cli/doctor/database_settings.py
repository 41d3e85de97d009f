"""The database's settings: whether what was acknowledged is kept, and damage to a page noticed."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.cli.doctor.findings import Finding, Level, unless_found

CHECK = "database settings"
_KEEPS = ("fsync", "full_page_writes", "synchronous_commit")
_CHECKSUMS = "data_checksums"


async def check(connection: AsyncConnection) -> list[Finding]:
    """Ask the server."""
    rows = await connection.execute(
        text("SELECT name, setting FROM pg_settings WHERE name = ANY(:names)"),
        {"names": [*_KEEPS, _CHECKSUMS]},
    )
    settings = {row.name: row.setting for row in rows}
    return unless_found(
        CHECK, setting_findings(settings), f"{', '.join(_KEEPS)} and {_CHECKSUMS} are on"
    )


def setting_findings(settings: Mapping[str, str]) -> list[Finding]:
    """Say which settings are not as they must be."""
    found = [
        Finding(
            CHECK,
            Level.WRONG,
            f"{name} is off: a crash may lose what was acknowledged",
            f"Turn it on (ALTER SYSTEM SET {name} = on, then reload); services refuse to be ready"
            " until it is.",
        )
        for name in _KEEPS
        if settings.get(name) == "off"
    ]
    if settings.get(_CHECKSUMS) != "on":
        found.append(
            Finding(
                CHECK,
                Level.WARNING,
                f"{_CHECKSUMS} is off: a disk that damages pages is not noticed",
                "Stop the server, run pg_checksums --enable, start it again.",
            )
        )
    return found
