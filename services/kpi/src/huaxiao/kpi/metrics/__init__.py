"""How the targets stand, for Prometheus."""
