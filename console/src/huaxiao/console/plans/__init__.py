"""Plans of a centre's day: who goes where and when, what is left out and why, before it is applied."""
