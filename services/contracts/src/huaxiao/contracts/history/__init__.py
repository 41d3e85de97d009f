"""The history of a contract: every step that both sides took, in order (R1, R7)."""
