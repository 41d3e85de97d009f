"""Closing (关账): how periods close, what seals them, and whether what was sealed still stands."""
