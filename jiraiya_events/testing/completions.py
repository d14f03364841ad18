"""Chat completions as bytes, written once and kept: a bench drives hundreds of calls a second."""

import json
from functools import lru_cache
from typing import Any, Final

from jiraiya_events.testing.faults import COMPLETIONS, MARK, REFUSALS, Fault

MODEL: Final = "faulty-endpoint"
WORDS_PER_CHUNK: Final = 10
_SENTENCES: Final = (
    "The lantern by the harbour was lit before anyone had asked for it.",
    "A fox came down to the water and looked at the boats for a while.",
    "Nobody in the village could say why the bell had rung twice.",
    "So they followed the road past the mill and over the second bridge.",
    "In the morning there was bread on the table and a map under the plate.",
)


@lru_cache(maxsize=256)
def completion(fault: Fault, words: int, *, as_json: bool) -> tuple[bytes, bytes]:
    """Return the `chat.completion` body of `fault`, split where the call's marker belongs."""
    made = COMPLETIONS[fault]
    content = _content(fault, words, as_json=as_json)
    message = {"role": "assistant", "content": content, "refusal": None, **made.extra}
    choice = {"index": 0, "message": message, "finish_reason": made.finish_reason}
    body = {
        **_head("chat.completion"),
        "choices": [{**choice, "logprobs": None}],
        "usage": _usage(content),
    }
    before, _, after = json.dumps(body).encode().partition(MARK.encode())
    return before, after


def error_event() -> bytes:
    """Return the server-sent event of an error that comes after the `200`."""
    return _event(json.loads(REFUSALS[Fault.ERROR_500].body))


@lru_cache(maxsize=256)
def chunks(fault: Fault, words: int, *, as_json: bool) -> tuple[bytes, ...]:
    """Return the server-sent events of the same answer, the usage and `[DONE]` last."""
    made = COMPLETIONS[fault]
    content = _content(fault, words, as_json=as_json)
    pieces = content.split(" ")
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", **made.extra}]
    for start in range(0, len(pieces), WORDS_PER_CHUNK):
        piece = " ".join(pieces[start : start + WORDS_PER_CHUNK])
        deltas.append({"content": piece if start == 0 else f" {piece}"})
    head = _head("chat.completion.chunk")
    bodies = [{**head, "choices": [_choice(delta, None)]} for delta in deltas]
    if made.finish_reason is None:
        return tuple(map(_event, bodies))
    bodies.append({**head, "choices": [_choice({}, made.finish_reason)]})
    bodies.append({**head, "choices": [], "usage": _usage(content)})
    return (*map(_event, bodies), b"data: [DONE]\n\n")


def _content(fault: Fault, words: int, *, as_json: bool) -> str:
    made = COMPLETIONS[fault]
    if made.content is not None:
        return made.content
    title, story = f"A Story for {MARK}", _story(made.words or words)
    content = f"{title}\n\n{story}"
    if as_json:
        content = json.dumps({"title": title, "content": story})
    # What is cut off for length ends in the middle, so its JSON is broken as well.
    return content[:-40] if made.finish_reason == "length" else content


def _story(words: int) -> str:
    text: list[str] = []
    for number in range(words):
        sentence = _SENTENCES[number % len(_SENTENCES)]
        text.extend(sentence.split())
        if len(text) >= words:
            break
    return " ".join(text[:words])


def _usage(content: str) -> dict[str, Any]:
    output = max(1, len(content) // 4)
    return {
        "prompt_tokens": 180,
        "completion_tokens": output,
        "total_tokens": 180 + output,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-faulty", "object": kind, "created": 1_700_000_000, "model": MODEL}


def _choice(delta: dict[str, Any], finish_reason: str | None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"
