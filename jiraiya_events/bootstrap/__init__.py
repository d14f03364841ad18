"""The one place that knows everybody: settings in, a running service out."""

from jiraiya_events.bootstrap.options import contract_topics, kafka_connection
from jiraiya_events.bootstrap.service import Service
from jiraiya_events.bootstrap.wiring import build_service

__all__ = ["Service", "build_service", "contract_topics", "kafka_connection"]
