"""Starting, stopping, being asked, and what happens when the surroundings are missing."""

import json
import re
import signal
import socket
from pathlib import Path

import pytest

from jiraiya_events.adapters.embedded import EmbeddedKafka, EmbeddedKafkaOptions
from tests.blackbox.requests import plain
from tests.blackbox.service import free_port
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World


def test_the_sidecar_answers_while_stories_are_written(world: World) -> None:
    """Probes, version, metrics and the AsyncAPI page, with names and forms of the contract."""
    service = world.serve()
    world.publish([plain("one"), plain("two", user_id="")])
    world.outcomes(2, 20)
    for probe in ("live", "startup", "ready"):
        status, headers, body = service.get(f"/health/{probe}")
        assert (status, headers["content-type"]) == (200, "application/json")
        assert json.loads(body)["status"] == "ok"
        assert all({"name", "status"} <= check.keys() for check in json.loads(body)["checks"])
    assert service.json("/version")["version"]
    page = service.get("/asyncapi")[2].decode()
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    assert world.requested in service.get("/asyncapi.yaml")[2].decode()
    assert service.json("/asyncapi.json")["asyncapi"].startswith("3.")
    metrics = service.get("/metrics")[2].decode()
    for name in METRICS:
        assert f"\n# TYPE {name.removesuffix('_total')}" in f"\n{metrics}", name
    assert service.metric("jiraiya_events_completed_total", outcome="failed",
                          code="invalid_event") == 1  # fmt: skip
    assert service.metric("jiraiya_dead_letters_total", code="invalid_event") == 1
    assert service.metric("jiraiya_events_consumed_total", topic=world.requested) == 2
    assert "user-1" not in metrics
    assert service.status("/nothing/here") == 404


def test_sigterm_drains_commits_and_ends_with_0(world: World) -> None:
    """What runs is finished, what waits is given back, and the group's progress is committed."""
    world.endpoint.configure(hold=True)
    service = world.serve(ENGINE__MAX_IN_FLIGHT="5", ENGINE__DRAIN_TIMEOUT_S="60")
    world.publish(plain(f"r{number}", f"user-{number}") for number in range(12))
    wait_until(lambda: world.endpoint.stats()["in_flight"] == 5, 20, "five calls are under way")
    service.send(signal.SIGTERM)
    service.wait_log("draining")
    world.endpoint.configure(hold=False)
    # It waits for what runs, not for the end of its time.
    assert service.wait(40) == 0
    assert world.endpoint.stats()["aborted"] == 0
    assert len(world.outcomes(5, 10)) == 5
    again = world.serve(ENGINE__DRAIN_TIMEOUT_S="60")
    world.outcomes(12, 30)
    assert again.terminate(50) < 40
    found = world.judgement()
    assert not found.problems
    assert world.endpoint.stats()["calls"] == 12
    assert set(world.lag().values()) == {0}


def test_a_second_signal_ends_it_at_once_and_loses_nothing(world: World) -> None:
    """An impatient operator cuts the drain short; the next owner writes what was cut."""
    world.endpoint.configure(hold=True)
    service = world.serve(ENGINE__DRAIN_TIMEOUT_S="60")
    world.publish([plain("one"), plain("two", "user-2")])
    wait_until(lambda: world.endpoint.stats()["in_flight"] == 2, 20, "calls are under way")
    service.send(signal.SIGTERM)
    service.wait_log("draining")
    service.send(signal.SIGINT)
    assert service.wait(30) == 130
    world.endpoint.configure(hold=False)
    world.serve()
    world.outcomes(2, 30)
    assert not world.judgement().problems


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"ENGINE__MAX_IN_FLIGHT": "many"}, ["JIRAIYA_ENGINE__MAX_IN_FLIGHT"]),
        ({"KAFKA__BOOTSTRAP_SERVERS": "nowhere"}, ["JIRAIYA_KAFKA__BOOTSTRAP_SERVERS"]),
        (
            {"HTTP__PORT": "99999", "BREAKER__FAILURE_RATE": "7", "STORE__URL": "mysql://x"},
            ["JIRAIYA_HTTP__PORT", "JIRAIYA_BREAKER__FAILURE_RATE", "JIRAIYA_STORE__URL"],
        ),
        ({"KAFKA__SASL_PASSWORD": "hidden"}, ["JIRAIYA_KAFKA__SASL_PASSWORD"]),
    ],
)
def test_wrong_settings_end_with_2_and_a_readable_line_each(
    tmp_path: Path, settings: dict[str, str], names: list[str]
) -> None:
    """Every wrong value is named, no trace is shown, and no secret is repeated."""
    with World("localhost:1", tmp_path) as world:
        service = world.service(**settings).start()
        assert service.wait(30) == 2
        lines = [line for line in service.log.splitlines() if line.strip()]
        for name in names:
            assert any(name in line for line in lines), service.log
        assert "Traceback" not in service.log
        assert "hidden" not in service.log
        assert len(lines) <= len(names) + 2


def test_a_taken_sidecar_port_ends_with_1_and_names_the_setting(world: World) -> None:
    """The line says what to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        service = world.service(HTTP__PORT=str(taken.getsockname()[1])).start()
        assert service.wait(30) == 1
    assert "JIRAIYA_HTTP__PORT" in service.log
    assert not service.bad_signs()


def test_a_store_that_cannot_be_written_degrades_and_stops_nothing(
    world: World, tmp_path: Path
) -> None:
    """Stories still arrive; readiness says why they might be paid for twice."""
    blocked = tmp_path / "a-file"
    blocked.write_text("not a folder", encoding="utf-8")
    service = world.serve(STORE__URL=f"sqlite:///{blocked / 'outcomes.db'}")
    world.publish(plain(f"r{number}") for number in range(5))
    world.outcomes(5, 20)
    assert len(world.judgement().generated) == 5
    ready = service.json("/health/ready")
    assert (service.status("/health/ready"), ready["status"]) == (200, "degraded")
    assert next(c for c in ready["checks"] if c["name"] == "store")["status"] == "degraded"


async def test_a_broker_that_is_down_at_the_start_is_waited_for(tmp_path: Path) -> None:
    """Live but not ready, one line that names the address; then it works."""
    port = free_port()
    with World(f"127.0.0.1:{port}", tmp_path) as world:
        service = world.service().start()
        service.wait_log("waiting for Kafka")
        assert f"127.0.0.1:{port}" in service.log
        assert service.status("/health/live") == 200
        assert service.status("/health/ready") == 503
        assert service.status("/health/startup") == 503
        options = EmbeddedKafkaOptions(port=port, train_startup_cache=False)
        async with EmbeddedKafka(options):
            world.create_topics()
            service.wait_ready()
            world.publish([plain("first")])
            world.outcomes(1, 20)
            assert not world.judgement().problems
            service.terminate()


METRICS = (
    "jiraiya_events_consumed_total", "jiraiya_events_completed_total",
    "jiraiya_event_duration_seconds", "jiraiya_event_wait_seconds", "jiraiya_overhead_seconds",
    "jiraiya_in_flight", "jiraiya_waiting", "jiraiya_commit_duration_seconds",
    "jiraiya_transactions_total", "jiraiya_rebalances_total", "jiraiya_consumer_lag",
    "jiraiya_llm_requests_total", "jiraiya_llm_request_duration_seconds",
    "jiraiya_llm_tokens_total",
    "jiraiya_llm_cost_usd_total", "jiraiya_circuit_breaker_state",
    "jiraiya_store_lookups_total", "jiraiya_dead_letters_total", "jiraiya_build_info",
)  # fmt: skip
