"""Receipts: money that was taken and has not reached the bank whole (negative list, NL-05)."""
