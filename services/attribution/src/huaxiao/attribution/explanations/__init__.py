"""Explanations: why a subscription belongs where it does."""
