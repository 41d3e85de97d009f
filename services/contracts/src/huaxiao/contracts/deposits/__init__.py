"""Risk deposits (R1): what was paid in and paid back, by whom, on which receipt."""
