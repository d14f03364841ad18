"""A model port with a span around every call."""

from collections.abc import Callable

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from jiraiya_events.generation.faults import CallFault
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.ports import ModelPort
from jiraiya_events.generation.prompt import Prompt


class TracedModel:
    """Opens `chat <model>` around the call of another port; never notes prompt or answer."""

    def __init__(self, inner: ModelPort, tracer: Tracer) -> None:
        self._inner = inner
        self._tracer = tracer

    async def complete(
        self,
        prompt: Prompt,
        *,
        model: str,
        max_output_tokens: int | None,
        timeout_s: float,
        on_text: Callable[[str], None] | None = None,
    ) -> ModelAnswer:
        """Make the call of the inner port under a span."""
        with self._tracer.start_as_current_span(
            f"chat {model}",
            kind=SpanKind.CLIENT,
            attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": model},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                answer = await self._inner.complete(
                    prompt,
                    model=model,
                    max_output_tokens=max_output_tokens,
                    timeout_s=timeout_s,
                    on_text=on_text,
                )
            except CallFault as fault:
                span.set_attribute("error.type", str(fault.fault.kind))
                span.set_status(Status(StatusCode.ERROR))
                raise
            _describe(span, answer)
            return answer


def _describe(span: Span, answer: ModelAnswer) -> None:
    span.set_attribute("gen_ai.provider.name", answer.provider)
    span.set_attribute("gen_ai.response.model", answer.model)
    if answer.finish_reason is not None:
        span.set_attribute("gen_ai.response.finish_reasons", (answer.finish_reason,))
    if answer.usage is not None:
        span.set_attribute("gen_ai.usage.input_tokens", answer.usage.input_tokens)
        span.set_attribute("gen_ai.usage.output_tokens", answer.usage.output_tokens)
