"""Contracts as documents that people sign: from a template, with every unit and digest (R1, R21)."""
