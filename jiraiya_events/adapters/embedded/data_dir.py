"""The broker's data folder: what is there before a JVM sees it.

::

    <data folder>/
    ├── .in-use                locked while a broker runs here
    ├── broker.log             everything the JVM says
    ├── server.properties      written anew at every start
    ├── controller.properties  the controller alone, after a crash
    ├── log4j2.properties      likewise
    └── topics/                Kafka's own; complete once it has a meta.properties

The JVM runs *inside* the folder and is given relative paths only. So neither a comma (Kafka
would read a list of folders) nor a character that the JVM's locale lacks can do harm, and
a folder that was moved still works.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from jiraiya_events.adapters.embedded.ports import HOST
from jiraiya_events.adapters.embedded.properties import render_properties

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_NAME = "broker.log"
LOCK_NAME = ".in-use"
SERVER_PROPERTIES = "server.properties"
CONTROLLER_PROPERTIES = "controller.properties"
LOGGING_PROPERTIES = "log4j2.properties"
FEATURES_FILE = Path(__file__).with_name("kafka-features.b64")
CHECKPOINT = Path("__cluster_metadata-0", "00000000000000000000-0000000000.checkpoint")
NODE_ID = 1

_TOPICS = "topics"
_CLEAN_STOP = ".kafka_cleanshutdown"
_LARGEST_LOG = 16 << 20


def prepare(folder: Path, port: int, controller_port: int, extra: Mapping[str, str]) -> None:
    """Make ``folder`` ready for a start, keeping the topics that are there."""
    folder.mkdir(parents=True, exist_ok=True)
    _keep_log_small(folder / LOG_NAME)
    _format(folder / _TOPICS)
    properties = {**server_properties(port, controller_port), **extra}
    (folder / SERVER_PROPERTIES).write_bytes(render_properties(properties))
    logging = Path(__file__).with_name(LOGGING_PROPERTIES).read_bytes()
    (folder / LOGGING_PROPERTIES).write_bytes(logging)


def has_crashed(folder: Path) -> bool:
    """Whether a broker ran here and did not stop cleanly."""
    topics = folder / _TOPICS
    ran = any((topics / CHECKPOINT).parent.glob("*.log"))
    return ran and not (topics / _CLEAN_STOP).exists()


def prepare_controller(folder: Path, port: int) -> None:
    """Write the settings of the controller alone, in a prepared folder."""
    properties = controller_properties(port)
    (folder / CONTROLLER_PROPERTIES).write_bytes(render_properties(properties))


def controller_properties(port: int) -> dict[str, str]:
    """One node that is a controller, on the loopback interface only."""
    controller = f"CONTROLLER://{HOST}:{port}"
    return {
        "process.roles": "controller",
        "node.id": str(NODE_ID),
        "controller.quorum.voters": f"{NODE_ID}@{HOST}:{port}",
        "listeners": controller,
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": _TOPICS,
    }


def server_properties(port: int, controller_port: int) -> dict[str, str]:
    """One node that is broker and controller, on the loopback interface only."""
    client, controller = f"PLAINTEXT://{HOST}:{port}", controller_properties(controller_port)
    return {
        **controller,
        "process.roles": "broker,controller",
        "listeners": f"{client},{controller['listeners']}",
        "advertised.listeners": client,
        # Our own set-up creates topics, on purpose and with the right settings.
        "auto.create.topics.enable": "false",
        # One node holds every replica; few partitions make the first commit quick.
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "8",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "8",
        # Nobody waits for further members of a group.
        "group.initial.rebalance.delay.ms": "0",
        # A killed producer's transaction blocks readers until its time-out is noticed.
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
        # Nobody could take over from the only broker. Fencing it because a busy machine is late
        # with a heartbeat would only do harm: see `unregister`.
        "broker.session.timeout.ms": "60000",
        # The default takes 128 MiB, a third of our heap.
        "log.cleaner.dedupe.buffer.size": str(4 << 20),
    }


def _format(topics: Path) -> None:
    """Do what ``kafka-storage format`` does, without the seconds of another JVM."""
    meta = topics / "meta.properties"
    if meta.exists():
        return
    # The features a new cluster starts with: without this file it would know neither the
    # consumer group protocol of KIP-848 nor the transactions of KIP-890.
    checkpoint = topics / CHECKPOINT
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.write_bytes(base64.b64decode(FEATURES_FILE.read_bytes()))
    properties = {
        "version": "1",
        "cluster.id": _random_id(),
        "node.id": str(NODE_ID),
        "directory.id": _random_id(),
    }
    # Last and in one step: its presence says that the rest is complete.
    draft = topics / "meta.properties.new"
    draft.write_bytes(render_properties(properties))
    os.replace(draft, meta)  # noqa: PTH105 - the name says that it replaces


def _random_id() -> str:
    """Return an id in Kafka's form: 16 random bytes, base64url without padding."""
    # Kafka's own generator avoids a leading dash too: it looks like an option.
    while (text := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return text


def _keep_log_small(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_name(f"{log.name}.1"))
