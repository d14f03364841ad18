"""Traces join producer, service and consumer, whether or not they are recorded here."""

import re
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from jiraiya_events.adapters.telemetry.otel import OtelTracer
from jiraiya_events.adapters.telemetry.traceparent import continue_trace, inject
from jiraiya_events.adapters.telemetry.tracing import Tracing, open_tracing, tracing_wanted
from jiraiya_events.adapters.telemetry.untraced import Untraced
from jiraiya_events.domain.story import Usage
from jiraiya_events.generation.faults import CallFault, Fault, FaultKind
from jiraiya_events.generation.paid import ModelAnswer
from jiraiya_events.generation.prompt import Prompt

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
VALID = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]")


def _record(
    tracing: Tracing, parent: str | None, state: str | None = None
) -> tuple[str, str | None]:
    with tracing.record_span(
        topic="story.requested", partition=2, offset=7, traceparent=parent, tracestate=state
    ) as span:
        return span.traceparent, span.tracestate


@given(st.one_of(st.none(), st.text(), st.from_regex(VALID, fullmatch=True)))
def test_an_output_always_has_a_valid_traceparent(parent: str | None) -> None:
    """Whatever came in, what goes out is well formed."""
    assert VALID.fullmatch(_record(Untraced(), parent)[0])


@given(st.from_regex(VALID, fullmatch=True))
def test_an_incoming_trace_goes_on_with_a_span_of_our_own(parent: str) -> None:
    """Trace id, sampling and vendors' state stay; the span id is new."""
    out, state = _record(Untraced(), parent, "vendor=1")
    _, trace_id, span_id, flags = parent.split("-")
    assert out.split("-")[1::2] == [trace_id, flags]
    assert out.split("-")[2] != span_id
    assert state == "vendor=1"


@pytest.mark.parametrize("parent", [None, "", "nonsense", f"ff-{TRACE}-00f067aa0ba902b7-01"])
def test_without_a_valid_parent_a_new_unsampled_trace_begins(parent: str | None) -> None:
    """Nobody records it here, so nobody is told that it was; foreign state is dropped."""
    one, other = continue_trace(parent, "vendor=1"), continue_trace(parent)
    assert one.trace_id != other.trace_id
    assert inject(one)[0].endswith("-00")
    assert inject(one)[1] is None


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
    ],
)
def test_tracing_is_on_when_the_standard_variables_ask_for_it(
    environ: dict[str, str], *, wanted: bool
) -> None:
    """An endpoint switches it on; the standard's two switches switch it off."""
    assert tracing_wanted(environ) is wanted


class Model:
    """A model port with one answer or one fault."""

    def __init__(
        self,
        fault: CallFault | None = None,
        usage: Usage | None = Usage(input_tokens=3, output_tokens=5),  # noqa: B008 - frozen
        finish_reason: str | None = "stop",
    ) -> None:
        self.fault = fault
        self.usage = usage
        self.finish_reason = finish_reason

    async def complete(self, prompt: Prompt, *, model: str, **wishes: Any) -> ModelAnswer:
        """Answer, or raise the fault."""
        if self.fault is not None:
            raise self.fault
        return ModelAnswer(
            "the story", self.finish_reason, None, self.usage, f"{model}-2026", "openai"
        )


async def _call(model: object) -> ModelAnswer:
    return await model.complete(  # type: ignore[attr-defined,no-any-return]
        None, model="m", max_output_tokens=None, timeout_s=1
    )


async def test_a_model_call_is_a_span_below_its_record() -> None:
    """The record's span continues the producer's trace; the call's span hangs below it."""
    memory = InMemorySpanExporter()
    tracer = OtelTracer(version="1", group="jiraiya", processor=SimpleSpanProcessor(memory))
    with tracer.record_span(
        topic="story.requested", partition=2, offset=7, traceparent=PARENT, tracestate="v=1"
    ) as span:
        await _call(tracer.traced(Model()))
    await tracer.aclose()
    chat, process = memory.get_finished_spans()
    assert (process.name, process.kind) == ("process story.requested", SpanKind.CONSUMER)
    assert process.parent is not None
    assert f"{process.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert span.traceparent == f"00-{TRACE}-{process.context.span_id:016x}-01"
    assert span.tracestate == "v=1"
    assert chat.parent == process.context
    assert chat.attributes is not None
    assert chat.attributes["gen_ai.response.model"] == "m-2026"
    assert chat.attributes["gen_ai.usage.output_tokens"] == 5
    assert "story" not in str(dict(chat.attributes))


async def test_errors_are_marked_by_code_and_never_quoted() -> None:
    """Spans carry `error.type`; no exception event, no message."""
    memory = InMemorySpanExporter()
    tracer = OtelTracer(version="1", group="g", processor=SimpleSpanProcessor(memory))
    fault = CallFault(Fault(next(iter(FaultKind)), detail="the secret detail"))
    with (
        pytest.raises(CallFault),
        tracer.record_span(topic="t", partition=0, offset=0, traceparent=None, tracestate=None),
    ):
        await _call(tracer.traced(Model(fault)))
    with tracer.record_span(
        topic="t", partition=0, offset=1, traceparent=None, tracestate=None
    ) as span:
        span.set_error("provider_timeout")
    await tracer.aclose()
    chat, crashed, failed = memory.get_finished_spans()
    kinds = [dict(each.attributes or {})["error.type"] for each in (chat, crashed, failed)]
    assert kinds == [str(fault.fault.kind), "CallFault", "provider_timeout"]
    assert not any(each.events for each in (chat, crashed, failed))
    assert not any("secret" in each.to_json() for each in (chat, crashed, failed))


async def test_spans_reach_a_collector_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left is sent on close, under our service name."""
    received: list[ExportTraceServiceRequest] = []

    async def collect(request: web.Request) -> web.Response:
        received.append(ExportTraceServiceRequest.FromString(await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", collect)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    tracing = open_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}, version="9", group="g")
    _record(tracing, PARENT)
    await tracing.aclose()
    await runner.cleanup()
    resource = received[0].resource_spans[0]
    names = {a.key: a.value.string_value for a in resource.resource.attributes}
    assert (names["service.name"], names["service.version"]) == ("jiraiya", "9")
    assert resource.scope_spans[0].spans[0].name == "process story.requested"


async def test_without_an_endpoint_nothing_is_wrapped() -> None:
    """Switched off it costs nothing and closes at once."""
    tracing, model = open_tracing({}, version="1", group="g"), Model()
    assert tracing.traced(model) is model
    with tracing.record_span(
        topic="t", partition=0, offset=0, traceparent=None, tracestate=None
    ) as span:
        span.set_error("internal")
    await tracing.aclose()


async def test_a_name_from_the_environment_wins_over_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """`OTEL_SERVICE_NAME` is the standard's way to rename a service."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "stories")
    memory = InMemorySpanExporter()
    tracer = OtelTracer(version="1", group="g", processor=SimpleSpanProcessor(memory))
    _record(tracer, None)
    await tracer.aclose()
    (span,) = memory.get_finished_spans()
    assert span.resource.attributes["service.name"] == "stories"


async def test_an_answer_without_usage_or_finish_reason_is_described_as_far_as_it_goes() -> None:
    """What the provider did not say is not invented."""
    memory = InMemorySpanExporter()
    tracer = OtelTracer(version="1", group="g", processor=SimpleSpanProcessor(memory))
    await _call(tracer.traced(Model(usage=None, finish_reason=None)))
    await tracer.aclose()
    (span,) = memory.get_finished_spans()
    names = set(span.attributes or {})
    assert "gen_ai.provider.name" in names
    assert not {name for name in names if "usage" in name or "finish" in name}
