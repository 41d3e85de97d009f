"""The judgement: three targets, computed the same way for everybody."""
