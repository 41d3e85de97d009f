"""What the figures in force come to, for the county and each centre."""
