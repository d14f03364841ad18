"""The yardstick of the `cpu` cell: the stock `ChatOpenAI.ainvoke` in a loop, and nothing else.

The client is the service's own, with every setting that was tuned; prompts are rendered by the
service's own prompt book before anything is measured, and the same structured answer is asked for.
"""

import asyncio
import json
import sys
from collections.abc import Iterator

import uvloop
from langchain_core.messages import HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from bench.broker import KEYS, story_request
from bench.programs.answers import hear, say
from jiraiya_events.adapters.llm.client import client_settings, http_client
from jiraiya_events.adapters.llm.options import LlmOptions
from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.generation.prompt import STORY_SCHEMA
from jiraiya_events.generation.prompt_book import PromptBook

SCHEMA = {"name": "story", "strict": True, "schema": STORY_SCHEMA}
BODY = {"response_format": {"type": "json_schema", "json_schema": SCHEMA}}


async def main() -> None:
    """Make as many calls as each line says, so many at once; answer when they are done."""
    base_url, at_once = sys.argv[1], int(sys.argv[2])
    http = http_client()
    options = LlmOptions(SecretStr("none"), "gpt-4o-mini", base_url)
    chat = ChatOpenAI(**client_settings(options, options.main, http))
    say({"started": True})
    while (question := await hear()) is not None:
        prompts = iter(_prompts(question["first"], question["count"]))
        say({"prepared": True})
        await hear()
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(_calls(chat, prompts))
        say({"done": question["count"]})
    await http.aclose()


async def _calls(chat: ChatOpenAI, prompts: Iterator[tuple[str, str]]) -> None:
    for system, user in prompts:
        messages = [SystemMessage(system), HumanMessage(user)]
        message = await chat.ainvoke(messages, extra_body=BODY)
        assert message.text


def _prompts(first: int, count: int) -> list[tuple[str, str]]:
    book = PromptBook()
    prompts = []
    for number in range(first, first + count):
        payload = json.dumps(story_request(number, f"user-{number % KEYS}"))
        prompt = book.render(StoryRequested.model_validate_json(payload))
        prompts.append((prompt.system_text(), prompt.user))
    return prompts


if __name__ == "__main__":
    uvloop.run(main())
