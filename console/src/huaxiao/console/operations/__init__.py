"""How the services do: health, lag of followers, completeness of sources."""
