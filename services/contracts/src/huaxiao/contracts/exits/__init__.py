"""Ends of contracts before their term: by notice, shortfall or a red line (R1)."""
