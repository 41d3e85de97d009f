"""The operating company and its share register (R6)."""
