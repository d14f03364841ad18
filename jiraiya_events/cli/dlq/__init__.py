"""`jiraiya dlq`: dead letters are listed, shown, replayed and discarded."""

from jiraiya_events.cli.dlq.commands import register

__all__ = ["register"]
