"""A member that joins the group, takes its share of partitions, and leaves: again and again.

It does nothing with them and commits nothing, so all it does is move them. One consumer at a
time: aiokafka's sticky assignor keeps state in its class.
"""

import asyncio
import sys
import time

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor


async def main() -> None:
    """Join and leave for so many seconds, and at least so often; print how often."""
    bootstrap, group, topic, seconds, least = sys.argv[1:]
    times, until = 0, time.monotonic() + float(seconds)
    while times < int(least) or time.monotonic() < until:
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=bootstrap,
            group_id=group,
            enable_auto_commit=False,
            partition_assignment_strategy=(StickyPartitionAssignor,),
            session_timeout_ms=10_000,
            rebalance_timeout_ms=30_000,
        )
        await consumer.start()
        await asyncio.sleep(0.5)
        await consumer.stop()
        times += 1
    print(times)  # noqa: T201 - the answer


if __name__ == "__main__":
    asyncio.run(main())
