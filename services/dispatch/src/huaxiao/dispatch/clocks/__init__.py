"""Service clocks: what stops them, what they show, and whom they warn."""
