"""The reverse appraisal: those who are served rate those who support them (R28)."""
