"""What the integration page tells others to run, run."""

import re
from pathlib import Path
from uuid import uuid4

from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from tests.blackbox.reader import TopicReader

PAGE = Path(__file__).parents[2] / "docs" / "INTEGRATION.md"


def test_the_first_example_publishes_a_request(kafka_bootstrap: str) -> None:
    """The code block runs as it stands, but for the address and the topic's name."""
    code = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    topic = f"docs-{uuid4().hex[:12]}.story.requested"
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap, "log_level": 0})
    for future in admin.create_topics([NewTopic(topic, 1, 1)]).values():
        future.result(20)
    there = code.replace("localhost:9092", kafka_bootstrap).replace(
        '"story.requested"', f'"{topic}"'
    )
    exec(compile(there, PAGE.name, "exec"), {})  # noqa: S102 - it is our own page
    with TopicReader(kafka_bootstrap, [topic]) as reader:
        (record,) = reader.to_the_end(20)
    assert record.key == b"user-42"
    assert record.body["keywords"] == ["lighthouse", "fox"]
    assert record.header("ce_type") == "com.kuybi.story.requested.v1"
