"""Decisions over values: no I/O, no framework."""
