"""The HTTP client below LangChain; every setting was measured, none of them is decoration."""

from typing import Any, Final

import httpx2
import openai

from jiraiya_events.adapters.llm.options import Account, LlmOptions

CONNECT_TIMEOUT_S: Final = 10.0


def http_client() -> httpx2.AsyncClient:
    """Return the transport: aiohttp, which halves the CPU of a call, without a cap of its own.

    The concurrency gate is ours; None would leave aiohttp its own cap of 100.
    """
    limits = httpx2.Limits(max_connections=0, max_keepalive_connections=None)
    return openai.DefaultAioHttpClient(limits=limits)


def client_settings(
    options: LlmOptions, account: Account, http: httpx2.AsyncClient
) -> dict[str, Any]:
    """Return the keyword arguments of a `ChatOpenAI` of this account, as they were measured."""
    return {
        "api_key": account.api_key,
        "base_url": account.base_url,
        "model": options.model,
        "max_retries": 0,
        "timeout": timeout(options.timeout_s),
        # Its default waits in a way that can swallow the cancellation by our deadline.
        "stream_chunk_timeout": 0,
        "stream_usage": True,
        "include_response_headers": True,
        "use_responses_api": False,
        "http_async_client": http,
    }


def timeout(seconds: float) -> openai.Timeout:
    """Return the limits of one call: each silence of its connection, and connecting."""
    return openai.Timeout(seconds, connect=min(seconds, CONNECT_TIMEOUT_S))
