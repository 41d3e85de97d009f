"""Earnings: what engineers get for the orders they finish (R14)."""
