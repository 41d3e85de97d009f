"""Targets and measures as sheets."""
