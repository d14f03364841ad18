"""A world of one's own inside a shared broker: topics, a group, a store, services."""

import contextlib
import signal
import socket
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from tests.blackbox.endpoint import EndpointThread
from tests.blackbox.judge import Judgement, judge
from tests.blackbox.messages import Seen
from tests.blackbox.reader import TopicReader
from tests.blackbox.requests import Request
from tests.blackbox.service import ServiceProcess
from tests.blackbox.waiting import wait_until

LARGEST = "2097152"
HEADROOM = 64 * 1024
_PATIENCE_S = 40.0
_GOODBYE_S = 10.0


class World:
    """Everything a black-box test touches; leaving it ends whatever still runs."""

    def __init__(
        self, bootstrap: str, folder: Path, partitions: int = 6, replicas: int = 1
    ) -> None:
        self.bootstrap = bootstrap
        self.folder = folder
        self.name = f"t{uuid4().hex[:12]}"
        self.group = f"group.{self.name}"
        self.requested = f"{self.name}.requested"
        self.generated = f"{self.name}.generated"
        self.failed = f"{self.name}.failed"
        self.dlq = f"{self.name}.dlq"
        self.cancelled = f"{self.name}.cancelled"
        self.partitions = partitions
        self.replicas = replicas
        self.services: list[ServiceProcess] = []
        self.endpoint = EndpointThread()
        self._undelivered: list[str] = []
        self._exit = contextlib.ExitStack()
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "linger.ms": 1,
                "enable.idempotence": True,
                "message.max.bytes": int(LARGEST) * 2,
                "log_level": 0,
            }
        )
        self._reader: TopicReader | None = None

    def __enter__(self) -> Self:
        """Start the endpoint."""
        self._exit.enter_context(self.endpoint)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """End every service; one that does not go in peace fails a test that had passed."""
        try:
            complaints = self._end_services(gently=kind is None)
        finally:
            self._exit.close()
            self._delete_topics()
        if kind is None and complaints:
            raise AssertionError("\n".join(complaints))

    # The broker's side.

    def create_topics(
        self, *, largest: str = LARGEST, dlq_bytes: int | None = None, cancelled: bool = True
    ) -> None:
        """Create the topics in use, wide enough for the largest record most tests send."""
        dlq = str(int(largest) + HEADROOM if dlq_bytes is None else dlq_bytes)
        sizes = {self.requested: largest, self.generated: largest, self.failed: largest}
        topics = [
            NewTopic(name, self.partitions, self.replicas, config={"max.message.bytes": size})
            for name, size in {**sizes, self.dlq: dlq}.items()
        ]
        self._create(topics)
        if cancelled:
            self.create_cancelled()

    def create_cancelled(self) -> None:
        """Create the topic of cancellations."""
        self._create([NewTopic(self.cancelled, self.partitions, self.replicas)])

    def _create(self, topics: list[NewTopic]) -> None:
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        created: dict[str, Future[None]] = admin.create_topics(topics)
        for future in created.values():
            future.result(20)

        def told() -> bool:
            return created.keys() <= admin.list_topics(timeout=20).topics.keys()

        # The controller has them; brokers tell of them a moment later.
        wait_until(told, 20, "the broker tells of the new topics")

    def _delete_topics(self) -> None:
        """Leave nothing to a broker that others go on using; one that is gone is no error."""
        host, _, port = self.bootstrap.split(",")[0].rpartition(":")
        with contextlib.suppress(OSError, KafkaException):
            socket.create_connection((host, int(port)), timeout=1).close()
            admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
            topics = admin.list_topics(timeout=_GOODBYE_S).topics
            own = [name for name in topics if name.startswith(f"{self.name}.")]
            for future in admin.delete_topics(own).values() if own else ():
                future.result(_GOODBYE_S)

    def publish(self, requests: Iterable[Request]) -> None:
        """Produce the requests in order and wait until the broker has them."""
        for request in requests:
            self.produce(request)
        self.flush()

    def cancel(self, *cancels: Request) -> None:
        """Produce cancellations in order and wait until the broker has them."""
        for cancel in cancels:
            self.produce(cancel, self.cancelled)
        self.flush()

    def produce(self, request: Request, topic: str = "") -> None:
        """Hand one request to the producer; `flush` tells whether it arrived."""
        options: dict[str, Any] = {}
        if request.partition >= 0:
            options["partition"] = request.partition
        if request.timestamp_ms:
            options["timestamp"] = request.timestamp_ms
        self._producer.produce(
            topic or self.requested,
            key=request.key,
            value=request.value,
            headers=list(request.headers),
            on_delivery=self._delivered,
            **options,
        )
        self._producer.poll(0)

    def flush(self) -> None:
        """Wait until the broker has everything; raises AssertionError when it has not."""
        left = self._producer.flush(_PATIENCE_S)
        if left or self._undelivered:
            msg = f"{left} requests were not delivered: {self._undelivered[:3]}"
            raise AssertionError(msg)

    def _delivered(self, error: object, _: object) -> None:
        if error is not None:
            self._undelivered.append(str(error))

    def lag(self) -> dict[int, int]:
        """Return for each partition how far the group's committed offset is from the end."""
        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        wanted = ConsumerGroupTopicPartitions(self.group)
        answer = admin.list_consumer_group_offsets([wanted])[self.group].result(20)
        committed = {p.partition: p.offset for p in answer.topic_partitions}
        with TopicReader(self.bootstrap, [self.requested]) as reader:
            ends = reader.ends(self.requested)
        return {p: end - max(0, committed.get(p, 0)) for p, end in ends.items()}

    # The service's side.

    def settings(self, **changes: str) -> dict[str, str]:
        """Return a service's environment; `changes` are names without `JIRAIYA_`."""
        chosen = {
            "KAFKA__BOOTSTRAP_SERVERS": self.bootstrap,
            "KAFKA__GROUP_ID": self.group,
            "TOPICS__REQUESTED": self.requested,
            "TOPICS__GENERATED": self.generated,
            "TOPICS__FAILED": self.failed,
            "TOPICS__DLQ": self.dlq,
            "TOPICS__MARKS": f"{self.name}.marks",
            "TOPICS__CANCELLED": self.cancelled,
            "TOPICS__PROGRESS": f"{self.name}.progress",
            "TOPICS__AUTO_CREATE": "false",
            "LLM__BASE_URL": self.endpoint.base_url,
            "LLM__API_KEY": "not-a-secret",
            "STORE__URL": f"sqlite:///{self.folder / 'outcomes.db'}",
            "DATA_DIR": str(self.folder),
            "LOG__FORMAT": "json",
            **changes,
        }
        return {f"JIRAIYA_{name}": value for name, value in chosen.items()}

    def service(self, name: str = "", **changes: str) -> ServiceProcess:
        """Return a service that has not been started yet."""
        name = name or f"service-{len(self.services)}"
        process = ServiceProcess(self.settings(**changes), self.folder, name)
        self.services.append(process)
        # Whatever happens to the test, and to ending the others: this one is gone afterwards.
        self._exit.callback(process.end)
        return process

    def serve(self, **changes: str) -> ServiceProcess:
        """Return a service that is ready."""
        return self.service(**changes).start().wait_ready()

    # The examiner's side.

    def outcomes(self, count: int, timeout_s: float) -> list[Seen]:
        """Return the terminal events as soon as there are `count`; raises AssertionError."""
        if self._reader is None:
            topics = [self.generated, self.failed]
            self._reader = self._exit.enter_context(TopicReader(self.bootstrap, topics))
        if not self._reader.until(lambda records: len(records) >= count, timeout_s):
            arrived = len(self._reader.records)
            said = "\n".join(service.state() + service.log[-1500:] for service in self.services)
            msg = f"{arrived} of {count} terminal events within {timeout_s:g} s\n{said}"
            raise AssertionError(msg)
        return list(self._reader.records)

    def outcome(self, count: int = 1, timeout_s: float = 20) -> Seen:
        """Return the last of `count` terminal events."""
        return self.outcomes(count, timeout_s)[-1]

    def judgement(self, timeout_s: float = 30) -> Judgement:
        """Read all four topics anew, from the beginning to their ends, and judge them."""
        return self.judge(self.records(timeout_s))

    def records(self, timeout_s: float = 30) -> list[Seen]:
        """Read all four topics anew, from the beginning to their ends."""
        topics = [self.requested, self.generated, self.failed, self.dlq]
        with TopicReader(self.bootstrap, topics) as reader:
            return reader.to_the_end(timeout_s)

    def judge(self, records: list[Seen]) -> Judgement:
        """Judge records of this world's topics."""
        return judge(
            records,
            requested=self.requested,
            generated=self.generated,
            failed=self.failed,
            dlq=self.dlq,
        )

    def _end_services(self, *, gently: bool) -> list[str]:
        complaints: list[str] = []
        running = [service for service in self.services if service.alive]
        for service in running:
            service.send(signal.SIGCONT)
            service.send(signal.SIGTERM if gently else signal.SIGKILL)
        for service in running:
            try:
                code = service.wait(40)
                if gently and code != 0:
                    complaints.append(f"{service.name} exited with {code}:\n{service.log[-2000:]}")
            except AssertionError as error:
                complaints.append(str(error))
            finally:
                service.end()
        for service in self.services:
            if not service.expected_to_end_badly:
                signs = service.bad_signs()
                complaints.extend(f"{service.name} wrote: {line[:2000]}" for line in signs)
        return complaints
