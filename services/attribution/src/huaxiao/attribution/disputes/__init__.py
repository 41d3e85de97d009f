"""Disputes (争议): a centre contests whose a line is, and the county decides."""
