"""The county as contracts has registered and sealed it."""
