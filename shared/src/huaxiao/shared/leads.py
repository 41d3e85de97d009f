"""How leads are counted, alike where they are registered and where their lines are booked (R16)."""

from datetime import timedelta

LEAD_HOLDS = timedelta(days=90)
"""How long after its approval a lead may still become a line; never on the day itself."""
WHOLE = 10_000
"""Basis points of a whole: what the shares of a lead's people add up to."""
