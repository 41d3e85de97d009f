"""Suspensions of contracts (中止): proposed by one, approved by another, ended the same way (R1, R7)."""
