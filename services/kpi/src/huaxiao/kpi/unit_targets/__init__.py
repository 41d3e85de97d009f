"""Targets of the county and its centres as data, and how far each is."""
