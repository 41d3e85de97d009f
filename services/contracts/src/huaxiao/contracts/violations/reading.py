"""What stands against centres: upheld violations, with what each counts as beside the others."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from huaxiao.contracts.domain.violations import Upheld, counted_severities
from huaxiao.contracts.violations import store
from huaxiao.shared.wire.negative_list import Severity


def upheld_of(row: RowMapping) -> Upheld:
    """Return a violation as far as it makes others graver."""
    return Upheld(row["number"], row["entry"], Severity(row["severity"]), row["day"])


async def standing(
    connection: AsyncConnection,
    branch_id: int,
    *,
    centre_ids: Collection[str],
    known_at: datetime | None = None,
) -> Sequence[Mapping[str, Any]]:
    """Return what is upheld against some centres, as known at a moment or now, by number."""
    rows = await store.upheld(connection, branch_id, known_at=known_at, centre_ids=centre_ids)
    of_centre: dict[str, list[Upheld]] = {}
    for row in rows:
        of_centre.setdefault(row["centre_id"], []).append(upheld_of(row))
    counted: dict[int, Severity] = {}
    for upheld in of_centre.values():
        counted |= counted_severities(upheld)
    return [dict(row) | {"counted_as": counted[row["number"]]} for row in rows]


async def counted(
    connection: AsyncConnection, branch_id: int, centre_ids: Collection[str]
) -> dict[int, Severity]:
    """Return what each upheld violation of some centres counts as now."""
    rows = await standing(connection, branch_id, centre_ids=centre_ids)
    return {row["number"]: row["counted_as"] for row in rows}
