"""Violations of the negative list: reported, heard, decided, appealed (R5)."""
