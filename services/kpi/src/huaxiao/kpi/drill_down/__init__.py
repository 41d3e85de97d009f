"""What a measure sums, asked of the service that owns it."""
