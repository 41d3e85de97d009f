"""Erasures of personal data: what is listed outside the database is done in it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.cli.doctor.findings import Finding, Level, unless_found
from huaxiao.shared.chained_lines import ChangedFileError
from huaxiao.shared.erased_again import ErasureList, list_beside
from huaxiao.shared.erasing import known_erasures

CHECK = "erasures"


async def check(
    connection: AsyncConnection, modules: Mapping[str, ModuleType], anchors: Path | None
) -> list[Finding]:
    """Compare what each service that erases has listed outside with what its database knows."""
    found: list[Finding] = []
    known = 0
    for service, tables in modules.items():
        if not hasattr(tables, "erasures_done"):
            continue
        every = known_erasures(tables.erasures, tables.erasures_done).add_columns(
            tables.erasures.c.branch_id
        )
        rows = await connection.execute(every)
        done = {
            (row["branch_id"], row["erasure_id"])
            for row in rows.mappings()
            if row["done_at"] is not None
        }
        known += len(done)
        try:
            listed = {one.key for one in _list(anchors, service).erasures()} if anchors else set()
        except ChangedFileError as error:
            found.append(
                Finding(
                    CHECK,
                    Level.WRONG,
                    f"the list of its erasures was changed: {error}",
                    "Put the file back from its last copy; until then nothing is erased again"
                    " after a restore.",
                    service,
                )
            )
            continue
        found += [
            *undone_findings(service, sorted(listed - done)),
            *unlisted_findings(service, sorted(done - listed)),
        ]
    return unless_found(CHECK, found, f"{known} are listed outside the database, and done in it")


def undone_findings(service: str, undone: Sequence[tuple[int, str]]) -> list[Finding]:
    """Say of which erasures the database knows nothing any more, by branch."""
    return [
        Finding(
            CHECK,
            Level.WRONG,
            f"{sum(one[0] == branch_id for one in undone)} that were done are not in the database:"
            " it was restored from before them",
            "Start the service: it erases again what is listed, within a minute or two.",
            service,
            branch_id,
        )
        for branch_id in sorted({one[0] for one in undone})
    ]


def unlisted_findings(service: str, unlisted: Sequence[tuple[int, str]]) -> list[Finding]:
    """Say that erasures are not listed outside, so that a restore would bring back what is gone."""
    if not unlisted:
        return []
    return [
        Finding(
            CHECK,
            Level.WARNING,
            f"{len(unlisted)} are not listed outside the database",
            "The service lists them within a minute, where …_ANCHOR_FILE is set; else see its log.",
            service,
        )
    ]


def _list(anchors: Path, service: str) -> ErasureList:
    """Return the list of a service, in the folder or in one of its own there."""
    beside = list_beside(anchors / "any", service)
    own = list_beside(anchors / service / "any", service)
    return ErasureList(own if own.is_file() else beside, service=service)
