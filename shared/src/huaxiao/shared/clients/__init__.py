"""A typed client for each service, and beside it a fake that one conformance suite proves."""
