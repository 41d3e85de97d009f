"""Responsibility fields: drawn, listed, and compared with the villages."""
