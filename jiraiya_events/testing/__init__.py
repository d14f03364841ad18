"""Stand-ins that behave, for our tests and those of our users."""
