"""Support tickets: what centres ask of the support centre, at one point of entry (R18, R19)."""
