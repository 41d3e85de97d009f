"""Contacts of customers: seen in full with a purpose, kept no longer than needed, and erased."""
