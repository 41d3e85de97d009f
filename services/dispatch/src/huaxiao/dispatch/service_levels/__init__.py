"""The service levels of a county: drafted, put in force, kept."""
