"""Appointments with customers, made of the time that people really have."""
