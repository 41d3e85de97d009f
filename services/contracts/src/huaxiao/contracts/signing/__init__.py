"""Review and signature: both sides sign one digest, and the second signature seals (R7, R21)."""
