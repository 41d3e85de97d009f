"""Contracts: drafted and signed."""
