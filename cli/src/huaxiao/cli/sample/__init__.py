"""The sample county: real villages, an invented organisation, a generated month."""
