"""What the verdicts would be with other measures or other goals; nothing is kept."""
