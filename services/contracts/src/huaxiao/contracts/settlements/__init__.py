"""Settlements: a contract's period, from drafts that both sides read to a closed statement (R1)."""
