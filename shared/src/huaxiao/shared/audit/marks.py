"""How a table says what of it goes on record, in its ``info``."""

from typing import Any

from sqlalchemy import Table, Text

_MARK = "audit"
DERIVED = {_MARK: "derived"}
"""Not recorded: it follows from other rows (sums, counters, positions, copies of peers' facts)."""
PAY = {_MARK: "pay"}
"""Money, or what pay is worked out from: recorded also when the service changes it by itself."""


def is_derived(table: Table) -> bool:
    """Say whether a table's changes are left out of the record."""
    return table.info.get(_MARK) == DERIVED[_MARK]


def is_pay(table: Table) -> bool:
    """Say whether a table's changes are recorded though nobody asked for them over HTTP."""
    return table.info.get(_MARK) == PAY[_MARK]


def erasable(*columns: str) -> dict[str, Any]:
    """Mark columns that are personal data and may be erased, of an append-only table as well.

    Texts among them are on record by their digest: what was erased stands nowhere.
    """
    return {"erasable": columns}


def erasable_columns(table: Table) -> tuple[str, ...]:
    """Return the columns of a table that may be erased."""
    columns: tuple[str, ...] = table.info.get("erasable", ())
    return columns


def told_by_digest(table: Table) -> frozenset[str]:
    """Return the columns of a table of which the record has the digest alone."""
    return frozenset(
        name for name in erasable_columns(table) if isinstance(table.columns[name].type, Text)
    )
