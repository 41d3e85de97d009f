"""Branches and the statistical divisions they lie in."""
