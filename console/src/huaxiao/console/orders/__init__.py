"""Orders by engineer and hour, the appointments of a week, and an engineer's own day."""
