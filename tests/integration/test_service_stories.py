"""Requests become stories: the forms of an event, and what of it comes back."""

import json
from dataclasses import replace
from decimal import Decimal

from tests.blackbox.messages import Seen
from tests.blackbox.requests import binary, plain, structured
from tests.blackbox.waiting import wait_until
from tests.blackbox.world import World

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01".encode()
PRICES = json.dumps({"gpt-4o-mini": {"input": "0.15", "cached_input": "0.075", "output": "0.60"}})


def test_every_form_of_event_becomes_one_story_that_names_its_request(world: World) -> None:
    """Binary, structured and plain events; correlation, trace, `x-` headers and null keys."""
    world.serve(LLM__PRICES=PRICES)
    world.publish(
        [
            binary("binary", headers=[("traceparent", PARENT), ("tracestate", b"kuybi=1")]),
            binary("extension", headers=[("ce_traceparent", PARENT)]),
            structured("structured", attributes={"correlationid": "inside"}),
            plain("plain", metadata={"channel": "app"}),
            plain("header", headers=[("correlation_id", b"from-header")], correlation_id="body"),
            plain("x-header", headers=[("x-correlation-id", b"from-x")], correlation_id="body"),
            plain("body", correlation_id="from-body"),
            plain("all", headers=[("x-correlation-id", b"c"), ("ce_correlationid", b"a"),
                                  ("correlation_id", b"b")]),
            plain("no-key", key=None),
            plain(None, marker="k-anonymous"),
            replace(plain("bytes-key"), key=b"\xff\x00\xfe"),
            plain("x-headers", headers=[
                ("x-tenant", b"kuybi"), ("x-tenant", b"last"), ("x-api-key", b"hidden"),
                ("x-replay-of", b"1:2"), ("x-dlq-topic", b"t"), ("x-long", b"y" * 1025),
                ("authorization", b"hidden"), ("x-bad", b"\xff"), ("x-none", None),
                *((f"x-n{n:02d}", b"v") for n in range(20)),
            ]),
            plain("thai", language="th", keywords=["มังกร", "k-thai"], title="ชื่อ"),
        ]
    )  # fmt: skip
    world.outcomes(13, 30)
    found = world.judgement()
    assert not found.problems
    assert len(found.generated) == 13
    first = found.outcome_of("binary")
    assert first.header("tracestate") == "kuybi=1"
    assert first.header("ce_correlationid") == "binary"
    assert found.outcome_of("header").header("ce_correlationid") == "from-header"
    assert found.outcome_of("x-header").header("ce_correlationid") == "from-x"
    assert found.outcome_of("body").header("ce_correlationid") == "from-body"
    assert found.outcome_of("all").header("ce_correlationid") == "a"
    assert found.outcome_of("plain").body["metadata"] == {"channel": "app"}
    copied = [name for name, _ in found.outcome_of("x-headers").headers if name.startswith("x-")]
    assert "x-tenant" in copied
    assert found.outcome_of("x-headers").header("x-tenant") == "last"
    assert len([name for name in copied if name != "x-request-partition"]) == 16
    body = first.body
    usage = body["usage"]
    pico = Decimal(usage["input_tokens"]) * Decimal("0.15")
    pico += Decimal(usage["output_tokens"]) * Decimal("0.60")
    assert Decimal(body["cost"]["amount"]) == pico / 1_000_000
    assert "E" not in body["cost"]["amount"].upper()
    assert (body["source"], body["attempt"], body["tries"]) == ("model", 1, 1)
    assert body["model"] == "faulty-endpoint"
    assert world.endpoint.stats()["calls"] == 13


def test_keys_of_one_partition_run_side_by_side_and_each_in_order(world: World) -> None:
    """20 keys with two requests each: ten are under way at once, and no key's second one."""
    world.endpoint.configure(hold=True)
    service = world.serve()
    requests = [
        plain(f"{turn}-{key}", f"user-{key}", partition=0) for turn in range(2) for key in range(20)
    ]
    world.publish(requests)
    wait_until(lambda: world.endpoint.stats()["in_flight"] == 10, 30, "ten calls are under way")
    assert all(marker.startswith("k-0-") for marker in world.endpoint.stats()["calls_by_key"])
    world.endpoint.configure(hold=False)
    world.outcomes(40, 30)
    found = world.judgement()
    assert not found.problems
    # Ten at first; the gate lets one more start for each answer while there is more to do.
    assert 10 <= world.endpoint.stats()["max_in_flight"] <= 20
    assert service.metric("jiraiya_events_completed_total", outcome="generated") == 40


def test_the_judge_sees_what_it_is_there_for(world: World) -> None:
    """Tampered topics are found out: a loss, a double, a swap, a foreign id, an odd letter."""
    world.serve()
    world.publish([plain("one"), plain("two"), plain("bad", user_id="")])
    world.outcomes(3, 20)
    records = world.records()
    stories = sorted((r for r in records if r.topic == world.generated), key=lambda r: r.offset)
    first, second = stories
    letter = next(r for r in records if r.topic == world.dlq)
    assert not world.judge(records).problems

    def without(*gone: Seen) -> list[Seen]:
        return [record for record in records if record not in gone]

    swapped = [replace(first, offset=second.offset), replace(second, offset=first.offset)]
    foreign = replace(first, headers=tuple(h for h in second.headers if h[0] == "ce_id"))
    assert world.judge(without(first)).lost == 1
    assert world.judge([*records, replace(first, offset=99)]).doubled == 1
    assert world.judge([*without(*stories), *swapped]).out_of_order == 1
    assert world.judge([*without(first), foreign]).problems
    assert world.judge([*without(first), replace(first, key=b"other")]).problems
    assert world.judge([*without(first), replace(first, value=b"{}")]).problems
    assert world.judge(without(letter)).problems
    assert world.judge([*records, replace(letter, offset=99)]).problems
    assert world.judge([*without(letter), replace(letter, value=b"x")]).problems
