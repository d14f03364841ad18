"""The jar lock that ships with the package, and its form."""

from pathlib import Path

import pytest

from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError
from jiraiya_events.adapters.embedded.lock import KAFKA_VERSION, Jar, parse_lock, read_lock

HASH = "0123456789abcdef" * 4


def test_the_lock_has_the_broker_and_what_makes_it_log() -> None:
    locked = {jar.artifact: jar for jar in read_lock()}
    assert locked["kafka_2.13"].version == KAFKA_VERSION
    assert locked["log4j-slf4j-impl"].version == locked["log4j-core"].version


def test_no_two_locked_jars_share_a_file_name() -> None:
    names = [jar.file_name for jar in read_lock()]
    assert len(set(names)) == len(names)


def test_every_jar_survives_being_written_and_read() -> None:
    jars = read_lock()
    assert parse_lock("\n".join(jar.lock_line for jar in jars)) == jars


def test_a_jar_lies_where_maven_repositories_put_it() -> None:
    jar = Jar("org.apache.kafka", "kafka_2.13", "4.4.0", HASH, 1)
    assert jar.repository_path == "org/apache/kafka/kafka_2.13/4.4.0/kafka_2.13-4.4.0.jar"


@pytest.mark.parametrize(
    "line",
    [
        "g:a:1",
        f"g:a {HASH} 1",
        f"g:a:1 {HASH[:-1]} 1",
        f"g:a:1 {HASH} 0",
        f"g:../../evil:1 {HASH} 1",
        f"g:a:1 {HASH} 1 more",
    ],
)
def test_a_line_that_is_no_jar_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 3 "):
        parse_lock(f"# a comment\n\n{line}\n")


def test_an_empty_lock_is_refused() -> None:
    with pytest.raises(ValueError, match="no jar"):
        parse_lock("# nothing\n")


def test_a_damaged_lock_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "kafka-jars.lock"
    path.write_text("rubbish\n")
    with pytest.raises(EmbeddedKafkaError, match=r"line 1 .*install jiraiya-events again"):
        read_lock(path)
