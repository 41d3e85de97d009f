"""Unresolved lines: what lies in the pool, or carries a flag that somebody should look into."""
