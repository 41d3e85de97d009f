"""Categories of support tickets: drafted, put in force by a second person (R18)."""
