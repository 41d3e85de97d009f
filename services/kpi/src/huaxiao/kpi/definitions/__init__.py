"""What the figures mean, for whoever asks."""
