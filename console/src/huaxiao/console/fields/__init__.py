"""Responsibility fields: whether they cover everything once, as a map-like tree and a list."""
