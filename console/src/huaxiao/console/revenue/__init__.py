"""Whose revenue is not settled: unresolved lines, rulings and disputes."""
