"""Crews: several people, their vehicle, and whose they are."""
