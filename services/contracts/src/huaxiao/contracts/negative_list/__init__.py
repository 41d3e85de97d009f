"""The negative list: its versions, and *May I?* (R5)."""
