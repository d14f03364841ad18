"""What the word means with which a provider ends an answer.

Only a known good end is one: an endpoint that fails in the middle may say so with status 200 and a
word of its own, and half a story must not be published. The words are those of OpenAI and of what
is compatible with it: Anthropic, Bedrock, Cohere, Gemini, Mistral, llama.cpp, TGI, vLLM, watsonx.
"""

from typing import Final

from jiraiya_events.generation.classification import Flaw
from jiraiya_events.generation.paid import ModelAnswer, PaidAnswer

_GOOD: Final = frozenset(
    {
        "complete",
        "completed",
        "end_of_text",
        "end_turn",
        "endoftext",
        "eos",
        "eos_token",
        "finish",
        "finished",
        "normal",
        "stop",
        "stop_sequence",
        "stop_token",
    }
)
_CUT_OFF: Final = frozenset(
    {"length", "limit", "max_length", "max_output_tokens", "max_tokens", "model_length",
     "token_limit"}
)  # fmt: skip
_BLOCKED: Final = frozenset(
    {
        "blocklist",
        "content_filter",
        "content_filtered",
        "error_toxic",
        "guardrail_intervened",
        "prohibited_content",
        "recitation",
        "refusal",
        "safety",
        "sensitive",
        "spii",
    }
)


def flaw_of_end(answer: ModelAnswer | PaidAnswer) -> Flaw | None:
    """Return what the end of an answer makes of it, None when it ended well."""
    # Gemini says `content_filter: RECITATION`, others say it with a hyphen.
    reason = (answer.finish_reason or "").partition(":")[0].strip().lower().replace("-", "_")
    if answer.refusal or reason in _BLOCKED:
        return Flaw.BLOCKED
    if reason in _CUT_OFF:
        return Flaw.TRUNCATED
    return None if reason in _GOOD else Flaw.NO_FINISH_REASON
