"""Ids and fingerprints are the same everywhere, for ever."""

import json
import uuid

from jiraiya_events.contract.event_types import EventType
from jiraiya_events.contract.ids import NAMESPACE, event_id, fingerprint
from jiraiya_events.domain.identity import RequestIdentity

ONE = RequestIdentity("/kuybi", "r-1", 1)


def test_event_ids_never_change() -> None:
    """These very values stand in consumers' tables."""
    assert str(NAMESPACE) == "ee011974-efe4-56fa-84b2-c9ed03415860"
    assert event_id(ONE, EventType.GENERATED) == "7acb2786-ac24-5113-a396-76e67088e5a2"
    assert event_id(ONE, EventType.FAILED) == "d2b7144c-3144-5245-9d9f-8d1bb2b2abb1"
    assert event_id(ONE, EventType.PROGRESS, 7) == "a51a0e5d-f4bc-5628-84fe-9327be8bc672"
    assert (
        event_id(RequestIdentity("/kuybi", "é", 2), EventType.FAILED, "ab")
        == "185d793e-7e44-54e6-9480-3ce35c9e2518"
    )


def test_an_event_id_can_be_computed_from_the_contract_alone() -> None:
    """UUIDv5 in the namespace UUIDv5(URL, urn:jiraiya) over compact JSON."""
    text = json.dumps(["/kuybi", "r-1", 1, "com.kuybi.story.generated.v1"], separators=(",", ":"))
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, "urn:jiraiya")
    assert event_id(ONE, EventType.GENERATED) == str(uuid.uuid5(namespace, text))


def test_whatever_differs_makes_another_id() -> None:
    """Source, id, attempt, type and suffix all count, and quoting cannot blur them."""
    ids = {
        event_id(RequestIdentity(*parts), kind, suffix)
        for parts in (("a", "b", 1), ("a", "b", 2), ("b", "a", 1), ('a","b', "", 1), ("a", '"b', 1))
        for kind in (EventType.GENERATED, EventType.FAILED)
        for suffix in (None, 0, "0")
    }
    assert len(ids) == 5 * 2 * 3


def test_a_fingerprint_never_changes() -> None:
    """It is stored next to paid answers."""
    assert (
        fingerprint({"user_id": "u", "keywords": ["é"]})
        == "806ba83322d299da605d4a09fd41e4fff49d39785c0567bbb301d27f043a4678"
    )


def test_a_fingerprint_ignores_order_and_what_changes_no_story() -> None:
    """timeout_ms, stream, metadata and correlation_id may differ between resends."""
    resent = {
        "keywords": ["k"], "user_id": "u", "timeout_ms": 1, "stream": True,
        "metadata": {"a": "b"}, "correlation_id": "c",
    }  # fmt: skip
    assert fingerprint(resent) == fingerprint({"user_id": "u", "keywords": ["k"]})


def test_a_fingerprint_sees_every_other_difference() -> None:
    """Unknown fields and the same names further inside included."""
    wishes: tuple[dict[str, object], ...] = (
        {},
        {"user_id": "u"},
        {"genre": None},
        {"x": {"stream": 1}},
        {"x": {}},
        {"x": [1, 2]},
        {"x": [2, 1]},
    )
    assert len({fingerprint(wish) for wish in wishes}) == len(wishes)
