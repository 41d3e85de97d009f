"""Shifts and leave: when people work."""
