"""Personal data of events: seen in full with a purpose, kept no longer than needed, and erased."""
