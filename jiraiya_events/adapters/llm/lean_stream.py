"""Reading a stream without a Pydantic object for each of its chunks, and as SSE says.

The client makes a typed object of each chunk, and LangChain a dictionary of that again; content
in parts, which some endpoints send, then prints a warning with the story's text in it. Here the
chunks stay the dictionaries they are. Pinned by `tests/contracts/test_lean_chat.py`.
"""

from typing import Any, TypeVar, cast

import httpx2
import openai
from openai._streaming import ServerSentEvent, SSEDecoder
from openai.types.chat import ChatCompletionChunk

_T = TypeVar("_T")


class PlainClient(openai.AsyncOpenAI):
    """The client, for which a chunk is the dictionary its JSON says."""

    @property
    def user_agent(self) -> str:
        """Return the client's own; it has the name of the class in it."""
        return super().user_agent.replace(type(self).__name__, openai.AsyncOpenAI.__name__)

    def _make_sse_decoder(self) -> SSEDecoder:
        return _Decoder()

    def _process_response_data(
        self, *, data: object, cast_to: type[_T], response: httpx2.Response
    ) -> _T:
        if cast_to is ChatCompletionChunk:
            return cast("_T", data)
        return super()._process_response_data(data=data, cast_to=cast_to, response=response)


class _Decoder(SSEDecoder):
    """Skips the byte order mark a stream may start with, as the specification of SSE says."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = False

    def decode(self, line: str) -> ServerSentEvent | None:
        if not self._begun:
            self._begun = True
            line = line.removeprefix("\ufeff")
        return super().decode(line)


def first_choice(chunk: dict[str, Any]) -> dict[str, Any] | None:
    """Return the chunk with its first choice alone, None when there is nothing of that in it."""
    choices = [one for one in chunk.get("choices") or () if not one.get("index")]
    if chunk.get("choices") and not choices and not chunk.get("usage"):
        return None
    # A last choice may have its reason and no delta.
    return {**chunk, "choices": [{**one, "delta": one.get("delta") or {}} for one in choices]}
