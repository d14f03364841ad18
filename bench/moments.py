"""The moments of the stories that were told, from the topics and from the endpoint's own log.

All clocks are those of one machine. Kafka and the events keep whole milliseconds, cut off, which
is in our disfavour for the request and in our favour for the event: on average it is nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from confluent_kafka import Consumer, Message, TopicPartition

from bench.broker import Topics
from bench.timelines import Timeline
from jiraiya_events.contract.rfc3339 import parse_rfc3339

PATIENCE_S = 30.0


def timelines(
    topics: Topics,
    numbers: Iterable[int],
    times: Mapping[str, Sequence[float]],
    visible: Mapping[int, float],
) -> list[Timeline]:
    """Return the timelines of the requests of these numbers, in their order.

    `times` is the endpoint's: arrival and answer of each call, by its marker. `visible` is when
    each outcome was read, by its request's offset. Topics have one partition each. Raises KeyError
    or ValueError when a request has no story, or took more than one call.
    """
    requested = {
        _id(message): (message.offset() or 0, message.timestamp()[1] / 1000)
        for message in _records(topics, topics.requested)
    }
    ready = {_id(message): _time(message) for message in _records(topics, topics.generated)}
    found = []
    for number in numbers:
        offset, came = requested[f"r-{number}"]
        arrived, answered = times[f"k-{number}"]
        found.append(Timeline(came, arrived, answered, ready[f"r-{number}"], visible[offset]))
    return found


def _records(topics: Topics, topic: str) -> Iterator[Message]:
    """Read a topic of one partition from its beginning to its present end."""
    consumer = Consumer(
        {
            "bootstrap.servers": topics.bootstrap,
            "group.id": f"{topics.name}-moments",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
    )
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        while (message := consumer.poll(PATIENCE_S)) is not None and message.error() is None:
            yield message
    finally:
        consumer.close()


def _id(message: Message) -> str:
    request_id: str = json.loads(message.value() or b"")["request_id"]
    return request_id


def _time(message: Message) -> float:
    text = dict(message.headers() or ())["ce_time"] or b""
    moment = parse_rfc3339(text.decode() if isinstance(text, bytes) else text)
    assert moment is not None
    return moment
