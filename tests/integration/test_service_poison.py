"""Whatever bytes arrive: never a crash, a loop or a silent skip."""

import json
from pathlib import Path

from tests.blackbox.requests import Request, payload, plain
from tests.blackbox.world import World

GOOD = json.dumps(payload("p")).encode()
DEEP = b"[" * 30_000 + b"]" * 30
NESTED = b'{"user_id":' + b'{"a":' * 3_000 + b"1" + b"}" * 3_000 + b"}"

POISON = [
    Request(b"k1", b"\xff\xfe{not utf-8"),
    Request(b"k1", b"\x00" * 64),
    Request(b"k1", b""),
    Request(b"k1", b"null"),
    Request(b"k1", b"[]"),
    Request(b"k1", b'"text"'),
    Request(b"k1", b"1e999"),
    Request(b"k2", None),
    Request(None, None),
    Request(b"", b""),
    Request(None, None, [("x-only", b"headers")]),
    Request(b"k2", b'{"user_id": NaN, "keywords": ["a"]}'),
    Request(b"k2", b'{"user_id": "u", "keywords": ["\\ud800"]}'),
    Request(b"k2", b'{"user_id": "\\udfff", "keywords": ["a"], "request_id": "\\ud800"}'),
    Request(b"k2", b'{"user_id": 1, "keywords": "dragon", "request_id": {"a": 1}}'),
    Request(b"k2", b'{"user_id": "u", "keywords": ["a"], "metadata": [1], "timeout_ms": "x"}'),
    Request(b"k2", b'{"user_id": "u", "keywords": ["a"], "timeout_ms": 1e400}'),
    Request(b"k3", DEEP),
    Request(b"k3", NESTED),
    Request(b"k3", b'{"a": ' + b"9" * 10_000 + b"}"),
    Request(b"k3", b"x" * 1_048_576),
    Request(b"k4", GOOD[:-1]),
    Request(b"k4", b'{"specversion": 1.0}', [("content-type", b"application/cloudevents+json")]),
    Request(b"k4", b'{"data_base64": "%%%"}', [("content-type", b"application/cloudevents+json")]),
    Request(b"k4", b"not json", [("ce_id", b"named"), ("authorization", b"Bearer hidden"),
                                 ("x-dlq-topic", b"forged"), ("x-binary", b"\xff\x00")]),
    Request(b"k4", b"not json", [("ce_id", b"\xff\xfe"), ("ce_source", None), ("", b"no name"),
                                 ("content-type", b"\x80"), ("traceparent", b"00-junk")]),
    Request(b"k4", GOOD, [("ce_specversion", b"9.9")]),
    Request(b"k4", GOOD, [("ce_id", b"p"), ("ce_source", b"/b"), ("ce_expirytime", b"tomorrow")]),
]  # fmt: skip

STRANGE_BUT_GOOD = [
    plain("non-utf8-headers", headers=[("x-bad", b"\xff"), ("correlation_id", b"\xfe")]),
    plain("null-headers", headers=[("ce_id", None), ("x-none", None), ("ce_type", b"")]),
    Request(b"k5", b"\xef\xbb\xbf" + json.dumps(payload("bom")).encode()),
    Request(b"k5", json.dumps(payload("extra", surprise={"deep": [1, {}]})).encode("utf-8")),
    plain("reply", headers=[("reply_to", b"elsewhere"), ("correlation_id", b"c" * 900)]),
]


def test_poison_ends_as_a_failure_and_a_dead_letter_with_its_bytes(world: World) -> None:
    """Every poisonous record is answered and kept, and the stories around it are written."""
    service = world.serve()
    around = [plain(f"story-{number}", f"k{number % 5}") for number in range(10)]
    world.publish([*around[:5], *POISON, *STRANGE_BUT_GOOD, *around[5:]])
    good = len(around) + len(STRANGE_BUT_GOOD)
    world.outcomes(good + len(POISON), 40)
    found = world.judgement()
    assert not found.problems
    assert len(found.generated) == good
    assert len(found.dead_letters) == len(POISON)
    assert {event.body["tries"] for event in found.failed} == {0}
    assert {event.body["error"]["code"] for event in found.failed} == {
        "invalid_event", "payload_too_large", "unsupported_schema",
    }  # fmt: skip
    assert service.status("/health/live") == 200
    assert b"hidden" not in service.get("/metrics")[2]
    assert "hidden" not in service.log


def test_a_dead_letter_the_topic_refuses_is_truncated_and_the_partition_goes_on(
    kafka_bootstrap: str, tmp_path: Path
) -> None:
    """A value beyond the dead-letter topic's limit leaves its headers, size and hash."""
    with World(kafka_bootstrap, tmp_path, partitions=1) as world:
        world.create_topics(dlq_bytes=4_000)
        world.serve()
        large = Request(b"big", b"y" * 20_000, [("x-why", b"large")])
        headers = Request(b"big", b"z" * 20_000, [("x-huge", b"h" * 6_000)])
        world.publish([plain("before"), large, plain("same-key", "big"), headers, plain("after")])
        world.outcomes(5, 30)
        found = world.judgement()
        assert not found.problems
        assert len(found.generated) == 3
        first, second = found.dead_letters
        assert first.header("x-dlq-truncated") == "true"
        assert first.header("x-why") == "large"
        assert second.header("x-dlq-headers-dropped") == "true"
