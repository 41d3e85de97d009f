"""What the figures mean, and how they are judged; no input or output here."""
