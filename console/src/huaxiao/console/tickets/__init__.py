"""Support tickets with their clocks."""
