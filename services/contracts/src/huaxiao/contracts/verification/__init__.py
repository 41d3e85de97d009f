"""Verification of seals: computed again, and held against every row they stand for (R21)."""
