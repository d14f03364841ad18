"""An operator's edited body never gets what another body was given."""

from typing import Any

from jiraiya_events.adapters.store.memory import MemoryStore
from jiraiya_events.contract.envelope import read_envelope
from jiraiya_events.domain.codes import ErrorCode, Stage
from jiraiya_events.domain.identity import RequestIdentity
from jiraiya_events.domain.story import Usage
from jiraiya_events.engine.records import Record
from jiraiya_events.generation.paid import PaidAnswer
from jiraiya_events.generation.prompt import AnswerForm
from jiraiya_events.generation.steps import Rejected
from jiraiya_events.handlers.admission import fingerprint_of
from tests.unit.handlers.test_story_handler import (
    STORY,
    StandingClock,
    body,
    done,
    handler,
    record,
)

ID = RequestIdentity("/unknown", "r-1")
ANSWER = PaidAnswer(
    text="A story about a fox.",
    form=AnswerForm.TEXT,
    finish_reason="stop",
    refusal=None,
    model="m-1",
    provider="openai",
    prompt_version="story.v1",
    attempt=1,
    calls=1,
    usage=Usage(),
    cost_pico_usd=1,
)
UNAVAILABLE = Rejected(ErrorCode.PROVIDER_UNAVAILABLE, "Down.", Stage.GENERATE)


def replayed(*, edited: bool, **fields: Any) -> Record:
    """Return the first replay of `record()`."""
    headers = [("x-replay-count", b"1"), ("x-replay-of", b"0:0")]
    if edited:
        headers.append(("x-replay-edited", b"true"))
    return record(offset=8, headers=headers, **fields)


def new_store() -> MemoryStore:
    return MemoryStore(1_000.0, StandingClock())


async def keep_paid(store: MemoryStore) -> None:
    """Keep an answer for the body that came first."""
    first = record()
    print_ = fingerprint_of(read_envelope(first, max_event_bytes=32_768), first.value)
    await store.save_answer(ID, print_, "ann", ANSWER)


async def test_an_edited_replay_of_a_paid_request_is_a_conflict_and_a_dead_letter() -> None:
    """Neither the other body's answer nor a call: the operator is told."""
    store = new_store()
    await keep_paid(store)
    made, generator = handler(store=store)
    event, letter = await done(made, replayed(edited=True, keywords=["owl"]))
    assert body(event)["error"]["code"] == "duplicate_conflict"
    assert (body(event)["attempt"], body(event)["dead_lettered"]) == (2, True)
    assert letter.topic == "story.requested.dlq"
    assert not generator.asked


async def test_an_edited_replay_of_an_unpaid_request_is_written_anew() -> None:
    """Though another body with its id came first, and failed."""
    store = new_store()
    made, generator = handler(UNAVAILABLE, STORY, store=store)
    await done(made, record())
    (event,) = await done(made, replayed(edited=True, keywords=["owl"]))
    assert event.topic == "story.generated"
    assert generator.asked[-1]["request"].keywords == ["owl"]
    assert generator.asked[-1]["stored"].answer is None


async def test_another_body_without_the_mark_of_an_edit_stays_a_conflict() -> None:
    made, _ = handler(UNAVAILABLE)
    await done(made, record())
    event, _ = await done(made, replayed(edited=False, keywords=["owl"]))
    assert body(event)["error"]["code"] == "duplicate_conflict"


async def test_only_a_replay_can_be_edited() -> None:
    """A requester who sends the header gets nothing for it."""
    made, _ = handler(UNAVAILABLE)
    await done(made, record())
    (event,) = await done(
        made, record(offset=9, keywords=["owl"], headers=[("x-replay-edited", b"true")])
    )
    assert body(event)["error"]["code"] == "duplicate_conflict"


async def test_a_request_that_was_edited_wrongly_can_be_edited_again() -> None:
    """Its second body was refused as well; the third is its own."""
    made, generator = handler(STORY)
    await done(made, record(keywords=[]))
    await done(made, replayed(edited=True, keywords=[""]))
    headers = [("x-replay-count", b"2"), ("x-replay-edited", b"true")]
    (event,) = await done(made, record(offset=9, keywords=["owl"], headers=headers))
    assert body(event)["attempt"] == 3
    assert len(generator.asked) == 1


async def test_a_plain_replay_is_offered_the_paid_answer() -> None:
    store = new_store()
    await keep_paid(store)
    made, generator = handler(STORY, store=store)
    await done(made, replayed(edited=False))
    assert generator.asked[0]["stored"].answer == ANSWER
