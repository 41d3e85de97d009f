"""Units side by side: the year before, the month before, places, and what fields would have brought."""
