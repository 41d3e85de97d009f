"""Commissions of leads (商机提成): the terms they follow, and who has earned what from which event."""
