"""Names of customers: seen in full with a purpose, and erased."""
