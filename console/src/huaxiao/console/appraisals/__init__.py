"""Appraisals to give, to answer, and to understand."""
