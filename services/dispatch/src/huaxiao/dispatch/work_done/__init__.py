"""What settlements need of the work: finished orders by kind, and what the work was worth (R14)."""
