"""What happened: every fen of a county's BSS events has one owner, with the reason."""
