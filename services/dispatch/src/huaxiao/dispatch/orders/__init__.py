"""Orders: from a request to a confirmed result."""
