"""Centres, people and channels."""
