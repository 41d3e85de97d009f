"""Re-organisations: planned, previewed as a difference, applied by a second person (R20)."""
