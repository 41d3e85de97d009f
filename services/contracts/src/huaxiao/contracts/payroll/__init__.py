"""Pay of own staff, by person and period."""
