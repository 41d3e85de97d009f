"""The figures that the targets are computed from."""
