"""The ports' fillings: Kafka, the model, the stores, telemetry."""
