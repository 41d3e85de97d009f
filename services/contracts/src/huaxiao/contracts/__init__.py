"""Who is who and what is bound: organisation, responsibility fields and their locks, contracts."""
