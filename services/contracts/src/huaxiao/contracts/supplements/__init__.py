"""Supplements to signed contracts: numbered, signed by both sides, and never over a seal (R1)."""
