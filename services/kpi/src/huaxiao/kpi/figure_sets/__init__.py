"""The figures of a county as data: drafted, put in force by a second person, kept."""
