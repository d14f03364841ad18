"""Keeps an eye on what the service needs of the cluster, while it runs.

A topic that is deleted and a right that is taken away show in the client only as silence, or as
an error of something else. So the cluster is asked, every beat of the pulse, and what is missing
is told once, in words, and again when it is back.
"""

import asyncio
from collections.abc import Callable

import structlog
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from jiraiya_events.adapters.kafka.authorization import UNKNOWN, group_rights
from jiraiya_events.adapters.kafka.needs import Lack, Needs, missing_rights, missing_topics
from jiraiya_events.adapters.kafka.topic_facts import TopicFacts, topic_facts

log = structlog.get_logger(__name__)

GROUP_EVERY = 5
"""The group's description carries all its members: it is asked for in every fifth beat."""

GROUP_S = 2.0
"""How long a look waits for the group's coordinator, once its rights were told."""

Changed = Callable[[str], None]
"""Told the name of an input that is not the one it was, or that has more partitions."""


class ClusterWatch:
    """Asks for topics and rights; `lacks` is what was missing in the last two looks.

    One look may meet a broker that has not heard yet of what was just created or granted.
    """

    def __init__(self, needs: Needs, on_replaced: Changed, on_grown: Changed) -> None:
        self._needs = needs
        self._on_replaced = on_replaced
        self._on_grown = on_grown
        self._known: dict[str, TopicFacts] = {}
        self._group_rights = UNKNOWN
        self._looks = 0
        self._seen: tuple[Lack, ...] = ()
        self.lacks: tuple[Lack, ...] = ()

    async def look(self, client: AIOKafkaClient) -> bool:
        """Ask once, and tell whether all is there; bound it with a time-out.

        Raises aiokafka's `KafkaError`.
        """
        facts = await topic_facts(client, self._needs.topics)
        if self._looks % GROUP_EVERY == 0 or self._seen:
            await self._ask_for_group(client)
        self._looks += 1
        rights = {name: known.rights for name, known in facts.items()}
        seen = (
            *missing_topics(self._needs, rights),
            *missing_rights(self._needs, rights, self._group_rights),
        )
        self._tell(tuple(lack for lack in seen if lack in self._seen))
        self._seen = seen
        for name in self._needs.read:
            self._compare(name, facts.get(name))
        return not self._seen

    async def _ask_for_group(self, client: AIOKafkaClient) -> None:
        """Ask the group's coordinator; one that is away hides nothing of what the topics tell."""
        try:
            async with asyncio.timeout(GROUP_S if self._looks else None):
                self._group_rights = await group_rights(client, self._needs.group)
        except (KafkaError, TimeoutError, OSError) as error:
            if not self._looks:
                raise
            log.debug("asking for the rights on the group failed", error=repr(error))

    def _tell(self, lacks: tuple[Lack, ...]) -> None:
        for lack in lacks:
            if lack not in self.lacks:
                log.error("Kafka lacks what the service needs", what=lack.what, mend=lack.mend)
        for lack in self.lacks:
            if lack not in lacks:
                log.warning("Kafka has again what the service needs", what=lack.what)
        self.lacks = lacks

    def _compare(self, name: str, now: TopicFacts | None) -> None:
        """Notice a topic that was replaced, or that grew."""
        if now is None or now.id is None:
            return
        before = self._known.get(name)
        self._known[name] = now
        if before is None:
            return
        if before.id != now.id:
            log.error(
                "the topic was deleted and created again: its requests are gone, beginning anew",
                topic=name,
            )
            self._on_replaced(name)
        elif before.partitions != now.partitions:
            log.warning(
                "the topic has another number of partitions: keys may have moved, so order per "
                "key does not reach across this change",
                topic=name,
                before=before.partitions,
                now=now.partitions,
            )
            self._on_grown(name)
