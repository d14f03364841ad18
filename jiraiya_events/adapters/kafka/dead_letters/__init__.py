"""The dead letters in Kafka: read, marked, replayed."""
