"""Where the targets are going, and what is needed to still meet them."""
