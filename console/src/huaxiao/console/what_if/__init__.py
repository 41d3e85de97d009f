"""Other rules and fields, tried on past months before anybody lets them decide."""
