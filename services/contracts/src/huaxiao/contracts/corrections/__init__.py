"""Corrections of closed statements: agreed by two people, counted in the next statement."""
