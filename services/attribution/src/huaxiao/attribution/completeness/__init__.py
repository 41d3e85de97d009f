"""Completeness: what each sender's events came to, day by day, and which of its numbers are missing."""
