"""Alerts on transitions: observed, told in the feed and by webhook, acknowledged."""
