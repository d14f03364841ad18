"""Jiraiya Events: a slow, costly, failing model behind Kafka, done properly."""

__version__ = "0.1.0"
