"""Every way to fail, produced for real, ends as the contract's table says."""

import json
import time
from dataclasses import dataclass, replace

from tests.blackbox.requests import Request, binary, plain, structured
from tests.blackbox.world import World

FAST = {
    "ENGINE__RETRY_BASE_S": "0.02",
    "ENGINE__RETRY_CAP_S": "0.1",
    "ENGINE__MAX_TRIES": "3",
    "LLM__MODEL": "main",
    "LLM__ALLOWED_MODELS": "main,keyless,broke,limited",
    # No call is given up for this: the one test of a silent endpoint has a bound of its own.
    "LLM__TIMEOUT_S": "60",
    "LLM__PRICES": json.dumps({"main": {"input": "1", "output": "2"}}),
    # These tests are about single requests; the breaker has tests of its own.
    "BREAKER__CONSECUTIVE_FAILURES": "10000",
    "BREAKER__MINIMUM_CALLS": "10000",
}
LATE_MS = 8_000
"""Long enough for a first call wherever a machine stands still for a while."""

SOME_TIME_MS = 30 * 60 * 1000


@dataclass(frozen=True)
class Case:
    """A request, what its calls meet, and how it must end."""

    request: Request
    code: str
    stage: str
    faults: tuple[str, ...] = ()
    tries: int = 0
    billed: bool | None = False


def late(request_id: str, model: str = "main") -> Request:
    """Return a request whose first call is made in time, and no second one.

    Its time counts from its first look, as its stamp is of the future.
    """
    stamp = round(time.time() * 1000) + SOME_TIME_MS
    return plain(request_id, request_id, timeout_ms=LATE_MS, model=model, timestamp_ms=stamp)


CASES = {
    # What arrives is wrong.
    "no-user": Case(plain("no-user", user_id=None), "invalid_event", "validate"),
    "long-user": Case(plain("long-user", user_id="x" * 129), "invalid_event", "validate"),
    "no-words": Case(plain("no-words", keywords=[]), "invalid_event", "validate"),
    "model": Case(plain("model", model="secret-model"), "invalid_event", "validate"),
    "differs": Case(binary("differs", request_id="other"), "invalid_event", "validate"),
    "type": Case(plain("type", headers=[("ce_type", b"com.kuybi.story.requested.v2")]),
                 "unsupported_schema", "decode"),
    "spec": Case(structured("spec", attributes={"specversion": "0.3"}),
                 "unsupported_schema", "decode"),
    "too-large": Case(binary("too-large", instructions="x" * 40_000),
                      "payload_too_large", "decode"),
    # It comes too late.
    "expired": Case(plain("expired", headers=[("ce_expirytime", b"2020-01-01T00:00:00Z")]),
                    "deadline_exceeded", "generate"),
    "queued": Case(replace(late("queued"), timestamp_ms=1_600_000_000_000),
                   "deadline_exceeded", "generate"),
    "slow": Case(late("slow"), "deadline_exceeded", "generate", ("hang",), 1, None),
    # The provider fails.
    "down": Case(plain("down", "a"), "provider_unavailable", "generate", ("error_503",) * 3, 3),
    "mixed": Case(plain("mixed", "b"), "provider_unavailable", "generate",
                  ("error_500", "error_502", "timeout_408"), 3),
    "cut": Case(plain("cut", "c"), "provider_timeout", "generate",
                ("drop_before_headers",) * 2, 2, None),
    "half": Case(plain("half", "d"), "provider_timeout", "generate",
                 ("drop_after_headers",) * 2, 2, None),
    "limited": Case(late("limited", model="limited"), "provider_rate_limited", "generate",
                    ("rate_limit",), 1),
    "keyless": Case(late("keyless", model="keyless"), "provider_auth", "generate",
                    ("unauthorized_401",), 1),
    "broke": Case(late("broke", model="broke"), "provider_quota", "generate",
                  ("insufficient_quota",), 1),
    "html": Case(plain("html", "f"), "provider_bad_response", "generate", ("html",) * 2, 2, None),
    "no-end": Case(plain("no-end", "g"), "provider_bad_response", "generate",
                   ("no_finish_reason",) * 2, 2, True),
    "bad-json": Case(plain("bad-json", "h"), "provider_bad_response", "check_output",
                     ("invalid_json",) * 2, 2, True),
    "short": Case(plain("short", "i"), "provider_bad_response", "check_output",
                  ("too_short",) * 2, 2, True),
    "long": Case(plain("long", "j"), "provider_bad_response", "check_output",
                 ("too_long",) * 2, 2, True),
    "refused-400": Case(plain("refused-400", "k"), "provider_bad_response", "generate",
                        ("bad_request_400",), 1),
    # The model's limits and refusals.
    "context": Case(plain("context", "l"), "context_too_long", "generate",
                    ("context_length_exceeded",), 1),
    "truncated": Case(plain("truncated", "m"), "output_truncated", "check_output",
                      ("truncated",) * 2, 2, True),
    "refusal": Case(plain("refusal", "n"), "content_blocked", "check_output", ("refusal",), 1,
                    True),
    "filter": Case(plain("filter", "o"), "content_blocked", "check_output",
                   ("content_filter",), 1, True),
    "empty": Case(plain("empty", "p"), "content_blocked", "check_output", ("empty",), 1, True),
}  # fmt: skip


def test_every_failure_ends_with_the_code_of_the_table(world: World) -> None:
    """Code, stage, calls made and what was paid for, of every kind of failure side by side."""
    scripts = {f"k-{name}": case.faults for name, case in CASES.items() if case.faults}
    world.endpoint.configure(script_by_key=scripts, retry_after_s=60)
    world.serve(**FAST)
    world.publish(case.request for case in CASES.values())
    world.outcomes(len(CASES), 60)
    found = world.judgement()
    assert not found.problems
    ended = {name: found.outcome_of(name).body for name in CASES}
    seen = {
        name: (body["error"]["code"], body["error"]["stage"], body["tries"], body["billed"])
        for name, body in ended.items()
    }
    calls = {name: world.endpoint.calls(f"k-{name}") for name in CASES}
    assert seen == {
        name: (case.code, case.stage, case.tries, case.billed) for name, case in CASES.items()
    }
    assert calls == {name: ended[name]["tries"] for name in CASES}
    assert "secret-model" not in ended["model"]["error"]["message"]
    assert "user_id" in ended["no-user"]["error"]["message"]
    assert ended["truncated"]["usage"]["input_tokens"] == 360
    assert float(ended["refusal"]["cost"]["amount"]) > 0
    assert ended["down"]["cost"] is None or float(ended["down"]["cost"]["amount"]) == 0


def test_an_endpoint_that_never_answers_is_asked_twice_and_given_up(world: World) -> None:
    """Each call for as long as the settings say; nobody knows what the provider charges."""
    world.endpoint.configure(default="hang")
    world.serve(**{**FAST, "LLM__TIMEOUT_S": "1.5"})
    world.publish([plain("hang")])
    body = world.outcome(1, 30).body
    assert (body["error"]["code"], body["error"]["stage"]) == ("provider_timeout", "generate")
    assert (body["tries"], body["billed"]) == (2, None)
    assert world.endpoint.calls("k-hang") == 2
    assert not world.judgement().problems


def test_a_failure_that_mends_itself_costs_a_try_and_no_request(world: World) -> None:
    """Tries are counted, usage is summed, later records of the key wait, other keys do not."""
    scripts = {
        "k-rewritten": ("invalid_json", "ok"),
        "k-extended": ("truncated", "ok"),
        "k-retried": ("error_503", "drop_before_headers", "ok"),
        "k-text": ("response_format_400",),
        "k-limited": ("rate_limit",) * 4,  # more than it has tries
    }
    latencies = {"k-retried": 0.3}
    world.endpoint.configure(script_by_key=scripts, latency_by_key=latencies, retry_after_s=0.3)
    world.serve(**FAST)
    world.publish(
        [
            plain("retried", "busy", partition=0),
            plain("behind", "busy", partition=0),
            plain("other", "idle", partition=0),
            plain("rewritten", "x"),
            plain("extended", "y"),
            plain("text", "z"),
            plain("limited", "l", model="limited"),
        ]
    )
    events = sorted(world.outcomes(7, 30), key=lambda event: event.header("ce_time") or "")
    order = [event.header("ce_subject") for event in events]
    found = world.judgement()
    assert not found.problems
    assert len(found.generated) == 7
    tries = {event.header("ce_subject"): event.body["tries"] for event in found.generated}
    assert tries == {
        "retried": 3, "behind": 1, "other": 1, "rewritten": 2, "extended": 2, "text": 1,
        "limited": 5,
    }  # fmt: skip
    assert found.outcome_of("rewritten").body["usage"]["input_tokens"] == 360
    assert order.index("other") < order.index("retried") < order.index("behind")


def test_the_same_id_again_gets_the_stored_outcome_and_is_not_paid_again(world: World) -> None:
    """Also after a restart, failures included; another body under the same id is a conflict."""
    world.endpoint.configure(script_by_key={"k-blocked": ("refusal",) * 9})
    first = world.serve(**FAST)
    again = [binary("story"), binary("blocked"), plain("invalid", user_id="")]
    world.publish([*again, *again])
    world.outcomes(6, 20)
    first.terminate()
    world.serve(**FAST)
    resent = replace(again[0], headers=[*again[0].headers, ("x-again", b"yes")])
    changed = [binary("story", tone="sad"), binary("story", source="/elsewhere", marker="k-else")]
    timing = json.loads(again[0].value or b"") | {"timeout_ms": 5000, "metadata": {"a": "b"}}
    same = replace(again[0], value=json.dumps(timing).encode())
    world.publish([resent, *again[1:], *changed, same])
    world.outcomes(12, 20)
    found = world.judgement()
    assert not found.problems
    stories = [e for e in found.generated if e.header("ce_causationid") == "story"]
    repeated = sorted(e.body["source"] for e in stories)
    assert repeated == ["model", "model", "result_store", "result_store", "result_store"]
    copies = [e for e in stories if "else" not in e.body["story"]["title"]]
    assert len({e.header("ce_id") for e in copies}) == 1
    assert len({e.body["story"]["content"] for e in copies}) == 1
    codes = sorted(e.body["error"]["code"] for e in found.failed)
    assert codes == [*["content_blocked"] * 3, "duplicate_conflict", *["invalid_event"] * 3]
    assert world.endpoint.stats()["calls_by_key"] == {"k-story": 1, "k-blocked": 1, "k-else": 1}
