"""What other rules or fields would change, before anyone lets them decide."""
