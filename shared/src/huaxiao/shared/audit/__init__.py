"""What is on record: every change made over HTTP, chained by hash, its heads anchored outside."""
