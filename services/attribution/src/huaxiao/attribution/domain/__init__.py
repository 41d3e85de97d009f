"""The rules of attribution: pure decisions over what is known of a line and of the county."""
