"""What operators do: topics, dead letters, checks."""
