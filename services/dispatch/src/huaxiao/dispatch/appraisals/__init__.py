"""Appraisals: centre by centre, then person by centre (R26, R27)."""
