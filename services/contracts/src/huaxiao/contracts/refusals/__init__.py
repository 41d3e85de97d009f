"""Refused changes: every attempt to change what is sealed, kept and shown (R21)."""
