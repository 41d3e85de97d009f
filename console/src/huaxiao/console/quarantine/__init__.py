"""Events that could not be booked, and what is done about them."""
