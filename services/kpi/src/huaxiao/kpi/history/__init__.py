"""What was restated since a moment, by how much, and by which entries."""
