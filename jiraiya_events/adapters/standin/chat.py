"""OpenAI's chat completion bodies: request in, completion, chunks and errors out.

Source: the Chat Completions reference, https://platform.openai.com/docs/api-reference/chat
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from jiraiya_events.adapters.standin.storyteller import tell
from jiraiya_events.adapters.standin.wish import read_wish

DEFAULT_MODEL: Final = "jiraiya-stand-in"
FINGERPRINT: Final = "fp_jiraiya_standin"
# English text runs at about four characters a token.
CHARACTERS_PER_TOKEN: Final = 4
WORDS_PER_CHUNK: Final = 4


class ChatError(Exception):
    """A request the endpoint refuses with 400, in OpenAI's own shape."""

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the refusal."""
        error = {"message": str(self), "type": "invalid_request_error", "param": self.param}
        return {"error": {**error, "code": None}}


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, ready to be sent whole or in pieces."""

    id: str
    model: str
    content: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seed: int

    def whole(self, created: int) -> dict[str, Any]:
        """Return the `chat.completion` object; `created` is in seconds since the epoch."""
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": self.content, "refusal": None},
            "logprobs": None,
            "finish_reason": self.finish_reason,
        }
        return {
            **self._head("chat.completion", created),
            "choices": [choice],
            "usage": self._usage(),
        }

    def chunks(self, created: int, *, usage: bool) -> Iterator[dict[str, Any]]:
        """Yield the `chat.completion.chunk` objects; the usage comes last when asked for."""
        head = self._head("chat.completion.chunk", created)
        yield {**head, "choices": [_delta({"role": "assistant", "content": ""})]}
        for piece in _pieces(self.content):
            yield {**head, "choices": [_delta({"content": piece})]}
        yield {**head, "choices": [_delta({}, self.finish_reason)]}
        if usage:
            yield {**head, "choices": [], "usage": self._usage()}

    def _head(self, kind: str, created: int) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": created,
            "model": self.model,
            "system_fingerprint": FINGERPRINT,
        }

    def _usage(self) -> dict[str, Any]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }


def answer(body: object) -> Answer:
    """Return the stand-in's answer to a chat request.

    Raises:
        ChatError: the body is no chat request.
    """
    request, messages = _checked(body)
    wish = read_wish(messages)
    tale = tell(wish)
    content = f"{tale.title}\n\n{tale.content}"
    if _wants_json(request.get("response_format")):
        content = json.dumps({"title": tale.title, "content": tale.content}, ensure_ascii=False)
    prompt_tokens = _tokens(json.dumps(messages, ensure_ascii=False))
    content, finish_reason = _within(content, _limit(request))
    seed = hashlib.sha256(wish.seed.encode("utf-8", "surrogatepass")).digest()
    return Answer(
        id=f"chatcmpl-{seed.hex()[:24]}",
        model=str(request.get("model") or DEFAULT_MODEL),
        content=content,
        finish_reason=finish_reason,
        prompt_tokens=prompt_tokens,
        completion_tokens=_tokens(content),
        seed=int.from_bytes(seed[:8]),
    )


def _checked(body: object) -> tuple[dict[str, Any], list[Any]]:
    if not isinstance(body, dict):
        msg = "We could not parse the JSON body of your request: expected an object."
        raise ChatError(msg)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        msg = "Missing required parameter: 'messages'."
        raise ChatError(msg, param="messages")
    return body, messages


def _wants_json(response_format: object) -> bool:
    kind = response_format.get("type") if isinstance(response_format, dict) else None
    return kind in ("json_schema", "json_object")


def _limit(request: dict[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        limit = request.get(name)
        if isinstance(limit, int) and limit > 0:
            return limit
    return None


def _within(content: str, limit: int | None) -> tuple[str, str]:
    if limit is None or _tokens(content) <= limit:
        return content, "stop"
    return content[: limit * CHARACTERS_PER_TOKEN], "length"


def _tokens(text: str) -> int:
    return max(1, -(-len(text) // CHARACTERS_PER_TOKEN))


def _pieces(content: str) -> Iterator[str]:
    words = content.split(" ")
    for start in range(0, len(words), WORDS_PER_CHUNK):
        piece = " ".join(words[start : start + WORDS_PER_CHUNK])
        yield piece if start == 0 else f" {piece}"


def _delta(delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
