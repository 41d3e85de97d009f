"""Settlement statements: read, confirmed, objected to, taken along."""
