"""The scorecards of a county: drafted, put in force by a second person from a month on."""
