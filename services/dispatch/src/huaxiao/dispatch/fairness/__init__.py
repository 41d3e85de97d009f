"""Marks that deserve the county's look; never shown to those who are bound to a centre."""
