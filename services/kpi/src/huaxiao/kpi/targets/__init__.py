"""The three targets of a county and its centres."""
