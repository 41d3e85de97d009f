"""Rounds: the patrols that assets ask for, on their cycle."""
