"""A log in memory that keeps the promises the engine relies on: the reference for its ports."""
