"""Why a broker died, in one line."""

from pathlib import Path

import pytest

from jiraiya_events.adapters.embedded.failure import could_not_bind, explain_death, last_errors

START = "2026-11-23T11:15:10,105 INFO  KafkaServer starting\n"
FAULT = """\
2026-11-23T11:15:10,200 ERROR Kafka$ Exiting Kafka due to fatal exception
org.apache.kafka.common.config.ConfigException: Invalid value x for configuration node.id
\tat org.apache.kafka.common.config.ConfigDef.parseType(ConfigDef.java:714)
\t... 12 more
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Name a broker log in a data folder."""
    return tmp_path / "broker.log"


def test_the_last_errors_come_without_stamps_and_stacks() -> None:
    assert last_errors(START + FAULT) == [
        "Exiting Kafka due to fatal exception",
        "org.apache.kafka.common.config.ConfigException: Invalid value x for configuration node.id",
    ]


def test_a_log_without_errors_shows_its_last_lines() -> None:
    assert last_errors(START) == ["starting"]


def test_a_death_is_explained_in_one_line(log: Path) -> None:
    log.write_text(START + FAULT)
    message = str(explain_death(1, log, 0))
    assert "exit code 1" in message
    assert "Invalid value x for configuration node.id" in message
    assert str(log) in message
    assert "\n" not in message


def test_errors_of_an_earlier_start_are_not_blamed(log: Path) -> None:
    log.write_text(FAULT)
    assert "it said nothing" in str(explain_death(1, log, len(FAULT)))


def test_a_missing_log_is_no_second_failure(log: Path) -> None:
    assert "it said nothing" in str(explain_death(1, log, 0))


def test_a_folder_in_use_is_said_so(log: Path) -> None:
    log.write_text("KafkaException: Failed to acquire lock on file .lock in topics\n")
    assert f"Another broker already uses {log.parent}" in str(explain_death(1, log, 0))


def test_too_little_memory_is_said_so(log: Path) -> None:
    log.write_text("Error: Could not reserve enough space for object heap\n")
    assert "out of memory" in str(explain_death(1, log, 0))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Caused by: java.net.BindException: Address already in use\n", True), (FAULT, False)],
)
def test_a_lost_port_is_told_from_other_faults(log: Path, text: str, *, expected: bool) -> None:
    log.write_text(text)
    assert could_not_bind(log, 0) is expected
