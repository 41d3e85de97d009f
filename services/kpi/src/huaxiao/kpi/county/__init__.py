"""The county as the contracts service tells it: centres, people, contracts, closed months."""
