"""The sidecar's paths as the contract states them."""

import json
import re
from collections.abc import AsyncIterator

import pytest
import yaml
from fastapi import FastAPI, HTTPException
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient

from jiraiya_events.sidecar.health import Check, Status, overall

OPEN_PATHS = [
    "/health/live",
    "/health/startup",
    "/health/ready",
    "/version",
    "/metrics",
    "/asyncapi",
    "/asyncapi.json",
    "/asyncapi.yaml",
    "/assets/asyncapi.css",
]


@pytest.mark.parametrize("probe", ["live", "startup", "ready"])
@pytest.mark.parametrize(
    ("statuses", "status", "code"),
    [
        ([], "ok", 200),
        ([Status.OK, Status.OK], "ok", 200),
        ([Status.OK, Status.DEGRADED], "degraded", 200),
        ([Status.FAILING, Status.DEGRADED], "failing", 503),
    ],
)
def test_only_a_failing_check_turns_a_probe_red(
    http: TestClient,
    checks: list[Check],
    probe: str,
    statuses: list[Status],
    status: str,
    code: int,
) -> None:
    """The worst check decides; degraded still takes traffic."""
    checks += [Check(str(number), each) for number, each in enumerate(statuses)]
    answer = http.get(f"/health/{probe}")
    assert (answer.status_code, answer.json()["status"]) == (code, status)
    assert answer.headers["cache-control"] == "no-store"


def test_a_check_tells_its_age_and_latency(http: TestClient, checks: list[Check]) -> None:
    """Age in seconds, latency in milliseconds, null where nothing was measured."""
    checks += [
        Check("broker", Status.OK, "3 brokers", observed_at=97.5, latency_s=0.0123),
        Check("draining", Status.OK),
    ]
    broker, draining = http.get("/health/ready").json()["checks"]
    assert broker == {
        "name": "broker",
        "status": "ok",
        "detail": "3 brokers",
        "age_s": 2.5,
        "latency_ms": 12.3,
    }
    assert (draining["age_s"], draining["latency_ms"]) == (None, None)


def test_the_worst_status_wins() -> None:
    """Without a check nothing is wrong."""
    assert overall([]) is Status.OK


def test_version_says_what_is_running(http: TestClient) -> None:
    """The build facts as they were given."""
    assert http.get("/version").json() == {"version": "1.2.3"}


@pytest.mark.parametrize(
    ("accept", "content_type", "ends"),
    [
        ("", "text/plain; version=0.0.4", b"\n"),
        ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text", b"# EOF\n"),
    ],
)
def test_metrics_come_in_the_form_the_scraper_reads(
    http: TestClient, accept: str, content_type: str, ends: bytes
) -> None:
    """Prometheus' own text unless OpenMetrics is asked for."""
    answer = http.get("/metrics", headers={"accept": accept})
    assert answer.headers["content-type"].startswith(content_type)
    assert answer.content.endswith(ends)
    assert b"jiraiya_build_info{" in answer.content
    assert b'version="1.2.3"' in answer.content


@pytest.mark.parametrize("path", OPEN_PATHS)
def test_head_is_get_without_the_body(http: TestClient, path: str) -> None:
    """Whatever can be got can be asked about."""
    got, asked = http.get(path), http.head(path)
    assert got.status_code == asked.status_code == 200
    assert asked.content == b""
    assert asked.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize("path", [*OPEN_PATHS, "/nothing"])
def test_every_answer_carries_the_security_headers(http: TestClient, path: str) -> None:
    """Nothing is loaded from elsewhere, framed or guessed, on errors neither."""
    headers = http.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "server" not in headers


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/docs", 404, "not_found"),
        ("GET", "/redoc", 404, "not_found"),
        ("POST", "/version", 405, "method_not_allowed"),
        ("GET", "/crash", 500, "internal"),
        ("POST", "/typed", 422, "invalid_request"),
    ],
)
def test_errors_are_problem_details(
    app: FastAPI, http: TestClient, method: str, path: str, status: int, code: str
) -> None:
    """RFC 9457, with a code for programs and the correlation id for people."""

    @app.get("/crash")
    async def crash() -> None:
        msg = "the database password is hunter2"
        raise RuntimeError(msg)

    @app.post("/typed")
    async def typed(number: int) -> int:
        return number

    answer = http.request(
        method, path, headers={"x-correlation-id": "c-1"}, params={"number": "secret"}
    )
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["correlation_id"] == answer.headers["x-correlation-id"] == "c-1"
    assert "hunter2" not in answer.text
    assert "secret" not in answer.text


def test_405_says_what_is_allowed(http: TestClient) -> None:
    """The standard asks for the Allow header."""
    assert "GET" in http.post("/version").headers["allow"]


@pytest.mark.parametrize("given", ["", "two words", "x" * 129, "<script>"])
def test_a_strange_correlation_id_is_replaced(http: TestClient, given: str) -> None:
    """What goes into logs and answers is an id or it is ours."""
    found = http.get("/version", headers={"x-correlation-id": given}).headers["x-correlation-id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", found)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-length": "1048577"}, 413),
        ({"content-length": "-1"}, 413),
        ({"transfer-encoding": "chunked"}, 411),
    ],
)
def test_bodies_are_limited(http: TestClient, headers: dict[str, str], status: int) -> None:
    """Too large, nonsensical or endless is refused before anything is read."""
    assert http.get("/version", headers=headers).status_code == status


def test_the_contract_is_the_same_in_both_forms(http: TestClient) -> None:
    """JSON and YAML hold one document."""
    as_json = json.loads(http.get("/asyncapi.json").content)
    assert as_json["asyncapi"] == "3.0.0"
    assert yaml.safe_load(http.get("/asyncapi.yaml").content) == as_json


def test_the_page_shows_every_topic_and_loads_only_our_own_sheet(http: TestClient) -> None:
    """No script, no CDN, no form: the style sheet is all that is fetched."""
    page = http.get("/asyncapi").text
    for topic in ("story.requested", "story.generated", "story.failed", "story.requested.dlq"):
        assert topic in page
    assert re.findall(r'(?:src|rel="stylesheet" href)="([^"]+)"', page) == ["/assets/asyncapi.css"]
    assert not re.search(r"<(script|iframe|form|img|style)\b", page)


def test_a_crash_after_the_first_byte_breaks_the_answer_off(app: FastAPI) -> None:
    """Half an answer is never completed by an error page."""

    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        msg = "broken"
        raise RuntimeError(msg)

    @app.get("/half")
    async def stream() -> StreamingResponse:
        return StreamingResponse(half())

    client = TestClient(app)
    with pytest.raises(RuntimeError, match="broken"):
        client.get("/half")


def test_a_reason_given_by_a_route_is_what_the_problem_says(app: FastAPI, http: TestClient) -> None:
    """Routes explain themselves; statuses we have no word for get a plain one."""

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "I am a teapot")

    body = http.get("/teapot").json()
    assert (body["detail"], body["code"]) == ("I am a teapot", "error")
