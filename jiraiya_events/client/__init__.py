"""A small client: publish a request, await its outcome, follow topics.

::

    async with StoryClient({"bootstrap_servers": "localhost:9092"}) as client:
        sent = await client.publish_request(StoryRequested(user_id="u", keywords=["moon"]))
        received = await client.wait_outcome(sent.request_id, timeout_s=60)

It speaks the contract and nothing else, so it is also an example of how to integrate.
"""

from jiraiya_events.client.following import follow
from jiraiya_events.client.received import Received, read_outcome
from jiraiya_events.client.requests import Sent
from jiraiya_events.client.story_client import StoryClient

__all__ = ["Received", "Sent", "StoryClient", "follow", "read_outcome"]
