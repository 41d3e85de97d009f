"""The three targets at a glance, and down to the event behind a fen."""
