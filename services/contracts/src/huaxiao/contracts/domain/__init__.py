"""Decisions of the contracts service: no I/O, no framework."""
