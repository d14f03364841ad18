"""From the exceptions of openai, LangChain and aiohttp to one neutral fault.

Under the aiohttp transport a refused connection, a DNS failure and a dropped connection all
surface as a time-out of the OpenAI client: only the chain of causes tells them apart.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import aiohttp
import openai

from jiraiya_events.adapters.llm.provider_words import code_of, fit_for_logs, words_of
from jiraiya_events.generation.faults import Fault, FaultKind
from jiraiya_events.generation.rate_limit_headers import asked_to_wait_s

# The first match in the chain of causes wins; subclasses stand before their parents.
_BY_CLASS: Final[tuple[tuple[type[BaseException], FaultKind], ...]] = (
    (aiohttp.ClientConnectorDNSError, FaultKind.DNS),
    (aiohttp.ClientConnectorError, FaultKind.REFUSED),
    (aiohttp.ConnectionTimeoutError, FaultKind.CONNECT),
    (aiohttp.ServerTimeoutError, FaultKind.TIMEOUT),
    (aiohttp.ClientPayloadError, FaultKind.DROPPED),
    (aiohttp.ClientConnectionError, FaultKind.DROPPED),
    (ConnectionError, FaultKind.DROPPED),
)


def fault_of(error: Exception, private: Iterable[str] = (), key: str = "") -> Fault:
    """Return the fault behind what the client raised.

    Neither the `key` nor pieces of the `private` texts, which were sent, are in it.
    """
    for cause in causes(error):
        if isinstance(cause, openai.APIStatusError):
            return _http_fault(cause, _words(cause, private, key))
        for known, kind in _BY_CLASS:
            if isinstance(cause, known):
                return Fault(kind, detail=type(cause).__name__)
    kind = _kind_without_a_known_cause(error)
    if kind is FaultKind.STREAM_ERROR and isinstance(error, openai.APIError):
        return Fault(kind, provider_code=_code(error), detail=_words(error, private, key))
    return Fault(kind, detail=type(error).__name__)


def _kind_without_a_known_cause(error: Exception) -> FaultKind:
    if isinstance(error, openai.APIResponseValidationError):
        return FaultKind.BAD_BODY
    if isinstance(error, openai.APITimeoutError | TimeoutError):
        return FaultKind.TIMEOUT
    if isinstance(error, openai.APIConnectionError):
        return FaultKind.DROPPED
    if isinstance(error, openai.APIError):
        return FaultKind.STREAM_ERROR
    # The client read a 200 and stumbled over what it said: HTML, an error, no choices.
    return FaultKind.BAD_BODY


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and what led to it, each once."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__


def _http_fault(error: openai.APIStatusError, words: str) -> Fault:
    return Fault(
        FaultKind.HTTP,
        status=error.status_code,
        provider_code=_code(error),
        retry_after_s=_asked_to_wait_s(error),
        detail=f"{error.status_code} {words}".strip(),
    )


def _words(error: openai.APIError, private: Iterable[str], key: str) -> str:
    return fit_for_logs(words_of(error.body), private, key)


def _code(error: openai.APIError) -> str | None:
    return code_of(error.code) or code_of(error.type)


def _asked_to_wait_s(error: openai.APIStatusError) -> float | None:
    """Return the wait the provider names; a 429 may name it by its rate limits alone."""
    headers = error.response.headers
    said_s = _retry_after_s(headers)
    if said_s is None and error.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        return asked_to_wait_s(headers, in_flight=0, tokens=1) or None
    return said_s


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read `retry-after-ms`, else `Retry-After` as seconds or as a date (RFC 9110, 10.2.3)."""
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    text = headers.get("retry-after")
    seconds = _number(text)
    return seconds if seconds is not None or text is None else _until(text)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    # NaN compares unequal to everything, so it is refused here as well.
    return number if 0 <= number < float("inf") else None


def _until(text: str) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
