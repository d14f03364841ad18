"""`ChatOpenAI` with half the work per call: the response goes from bytes to message at once.

The stock `_agenerate` walks every request through the client's type transformations, builds a
Pydantic object of every response, dumps it to a dictionary again, and makes that into a message
in another thread. Here the request is posted as the dictionary it already is, and the JSON of the
response goes straight into LangChain's own `_create_chat_result`.

The first call goes through the client; the address and the headers it was sent with are those of
every later one, which goes to the transport below. What the client does anew for each call was a
third of the CPU of a call when it was measured. Errors are the client's, as in the stock class.
The private methods this relies on are pinned by `tests/contracts/test_lean_chat.py`, which compares
it with the stock class answer by answer and request by request.
"""

import json
from dataclasses import dataclass
from typing import Any, Final, Self, cast

import httpx2
import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import PrivateAttr, model_validator

from jiraiya_events.adapters.llm.lean_stream import PlainClient, first_choice

PATH: Final = "/chat/completions"


@dataclass(frozen=True, slots=True)
class _Sent:
    """How the client sends a call; it holds the key, so it is never shown."""

    url: httpx2.URL
    headers: httpx2.Headers

    def __repr__(self) -> str:
        return "_Sent()"


class LeanChatOpenAI(ChatOpenAI):
    """Chat completions without tools or parsed output; needs a `http_async_client`.

    Streams go through the stock `_astream`; only their chunks are read another way (`lean_stream`).
    """

    _sent: _Sent | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _read_streams_plainly(self) -> Self:
        # The stock class makes its client by itself, with headers of its own, and takes no other.
        self.root_async_client.__class__ = PlainClient
        return self

    def _convert_chunk_to_generation_chunk(
        self,
        chunk: dict[str, Any],
        default_chunk_class: type,
        base_generation_info: dict[str, Any] | None,
    ) -> ChatGenerationChunk | None:
        first = first_choice(chunk)
        if first is None:
            return None
        return super()._convert_chunk_to_generation_chunk(
            first, default_chunk_class, base_generation_info
        )

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 - LangChain's
        **kwargs: Any,  # noqa: ANN401 - LangChain's
    ) -> ChatResult:
        payload = self._get_request_payload(messages, stop=stop, **kwargs)
        timeout = payload.pop("timeout", self.request_timeout)
        payload.update(payload.pop("extra_body", None) or {})
        response = await self._respond(payload, timeout)
        # The standard library's parser: providers send lone surrogates, others refuse them.
        answer = json.loads(response.content)
        result = self._create_chat_result(answer, {"headers": dict(response.headers)})
        _keep_refusals(result, answer)
        return result

    async def _respond(self, payload: dict[str, Any], timeout: Any) -> httpx2.Response:  # noqa: ANN401, ASYNC109 - the client's
        sent = self._sent
        if sent is None:
            return await self._respond_to_the_first(payload, timeout)
        http = cast("httpx2.AsyncClient", self.http_async_client)
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        request = http.build_request(
            "POST", sent.url, content=body, headers=sent.headers, timeout=timeout
        )
        try:
            response = await http.send(request)
        except httpx2.TimeoutException as error:
            raise openai.APITimeoutError(request=request) from error
        except Exception as error:
            raise openai.APIConnectionError(request=request) from error
        if not response.is_success:
            raise self.root_async_client._make_status_error_from_response(response)  # noqa: SLF001 - pinned, see above
        return response

    async def _respond_to_the_first(
        self,
        payload: dict[str, Any],
        timeout: Any,  # noqa: ANN401, ASYNC109 - the client's
    ) -> httpx2.Response:
        options: dict[str, Any] = {"security": {"bearer_auth": True}, "timeout": timeout}
        response: httpx2.Response = await self.root_async_client.post(
            PATH, body=payload, cast_to=httpx2.Response, options=options
        )
        if not response.history:  # a redirect is asked for anew each time
            headers = response.request.headers.copy()
            del headers["content-length"]
            self._sent = _Sent(response.request.url, headers)
        return response


def _keep_refusals(result: ChatResult, answer: dict[str, Any]) -> None:
    """Put refusals where the stock class puts them; it looks for them on its typed response."""
    for generation, choice in zip(result.generations, answer["choices"], strict=True):
        if refusal := choice["message"].get("refusal"):
            generation.message.additional_kwargs["refusal"] = refusal
