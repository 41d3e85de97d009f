"""Quarantine: what could not be booked, to be mended and tried again."""
