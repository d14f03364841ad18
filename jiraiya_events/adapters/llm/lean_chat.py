"""`ChatOpenAI` with half the work per call: the response goes from bytes to message at once.

The stock `_agenerate` walks every request through the client's type transformations, builds a
Pydantic object of every response, dumps it to a dictionary again, and makes that into a message
in another thread. Here the request is posted as the dictionary it already is, and the JSON of the
response goes straight into LangChain's own `_create_chat_result`. Errors are the client's, as in
the stock class. The two private methods this relies on are pinned by
`tests/contracts/test_lean_chat.py`, which compares it with the stock class answer by answer.
"""

import json
from typing import Any

import httpx2
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI

PATH = "/chat/completions"


class LeanChatOpenAI(ChatOpenAI):
    """Chat completions without streaming, tools or parsed output."""

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 - LangChain's
        **kwargs: Any,  # noqa: ANN401 - LangChain's
    ) -> ChatResult:
        payload = self._get_request_payload(messages, stop=stop, **kwargs)
        options: dict[str, Any] = {"security": {"bearer_auth": True}}
        if (timeout := payload.pop("timeout", None)) is not None:
            options["timeout"] = timeout
        payload.update(payload.pop("extra_body", None) or {})
        response: httpx2.Response = await self.root_async_client.post(
            PATH, body=payload, cast_to=httpx2.Response, options=options
        )
        # The standard library's parser: providers send lone surrogates, others refuse them.
        answer = json.loads(response.content)
        result = self._create_chat_result(answer, {"headers": dict(response.headers)})
        _keep_refusals(result, answer)
        return result


def _keep_refusals(result: ChatResult, answer: dict[str, Any]) -> None:
    """Put refusals where the stock class puts them; it looks for them on its typed response."""
    for generation, choice in zip(result.generations, answer["choices"], strict=True):
        if refusal := choice["message"].get("refusal"):
            generation.message.additional_kwargs["refusal"] = refusal
