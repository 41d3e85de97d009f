"""Renewals: the next term's contract and fields, drafted from those of this one (R1, R21)."""
