"""Apache Kafka behind the engine's ports: FastStream reads, aiokafka writes transactions."""
