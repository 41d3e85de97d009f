"""How a table says what of it goes on record, in its ``info``."""

from sqlalchemy import Table

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
