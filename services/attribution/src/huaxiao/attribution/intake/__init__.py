"""Intake: events in, one outcome each."""
