"""Senders without tokens: registered with a secret, and heard by their signature."""
