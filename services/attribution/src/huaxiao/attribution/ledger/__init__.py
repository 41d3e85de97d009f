"""The ledger: entries, balances, periods, and the books against their events."""
