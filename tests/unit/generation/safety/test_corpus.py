"""How many attacks are caught and how many innocent requests are lost, on a corpus of our own.

The held-out parts were written before the patterns and are not tuned on: when a pattern is
changed because of one of their lines, that line moves to the tuned part. So it is with the
stranger's attacks, by somebody who had not seen the patterns.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from jiraiya_events.domain.request import StoryRequested
from jiraiya_events.generation.safety.input_check import Refused, check_request

CORPUS = Path(__file__).parents[3] / "corpus" / "safety"
PAGE = (Path(__file__).parents[4] / "docs" / "SECURITY.md").read_text(encoding="utf-8")
PARTS = ("tuned", "held_out")


def lines(name: str) -> list[dict[str, Any]]:
    """Return the lines of one file."""
    text = (CORPUS / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def refused(name: str, part: str) -> tuple[int, int]:
    """Return how many requests of a part are refused, and how many there are."""
    requests = [
        StoryRequested(user_id="u", **line["request"])
        for line in lines(name)
        if line["part"] == part
    ]
    return sum(isinstance(check_request(request), Refused) for request in requests), len(requests)


def test_attacks_are_refused_and_innocent_requests_are_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Proves the rates that docs/SECURITY.md states, and prints them."""
    caught = {part: refused("attacks", part) for part in (*PARTS, "stranger")}
    lost = {part: refused("innocent", part) for part in PARTS}
    with capsys.disabled():
        for what, counts in (("attacks refused", caught), ("innocent lost", lost)):
            rates = (f"{part} {n}/{all_} ({n / all_:.1%})" for part, (n, all_) in counts.items())
            sys.stdout.write(f"\n{what}: {', '.join(rates)}")
        sys.stdout.write("\n")
    assert caught["tuned"][0] >= 0.97 * caught["tuned"][1]
    assert caught["held_out"][0] >= 0.90 * caught["held_out"][1]
    assert caught["stranger"][0] >= 0.70 * caught["stranger"][1]
    for lost_in_part, all_in_part in lost.values():
        assert lost_in_part <= 0.01 * all_in_part
    for part, (n, all_) in caught.items():
        assert f"{n} of {all_} ({100 * n / all_:.1f} %)" in PAGE, part
    for part, (n, all_) in lost.items():
        assert f"| {n} of {all_} |" in PAGE, part


@pytest.mark.parametrize("part", PARTS)
def test_what_is_innocent_reaches_the_model_as_it_was_meant(part: str) -> None:
    """Proves that hardly anything is left out of an innocent request either."""
    innocent = [line["request"] for line in lines("innocent") if line["part"] == part]
    harmed = [
        request for request in innocent if words_of(check(request)) != words_of(plain(request))
    ]
    assert len(harmed) <= 0.01 * len(innocent), harmed


def test_the_corpus_is_large_varied_and_without_repetition() -> None:
    """Proves that the rates say something."""
    attacks, innocent = lines("attacks"), lines("innocent")
    assert len(attacks) >= 150
    assert len(innocent) >= 150
    assert sum(line["part"] != "tuned" for line in attacks) >= len(attacks) / 3
    languages, techniques = ({line[of] for line in attacks} for of in ("language", "technique"))
    assert f"attacks are in {len(languages)} languages and use {len(techniques)} techniques" in PAGE
    assert f"requests are in {len({line['language'] for line in innocent})} languages" in PAGE
    everything = [json.dumps(line["request"]) for line in (*attacks, *innocent)]
    assert len(set(everything)) == len(everything)


def plain(request: dict[str, Any]) -> StoryRequested:
    """Return the request as it was written."""
    return StoryRequested(user_id="u", **request)


def check(request: dict[str, Any]) -> StoryRequested:
    """Return the request as the model may see it."""
    checked = check_request(plain(request))
    assert isinstance(checked, StoryRequested)
    return checked


def words_of(request: StoryRequested) -> int:
    """Return how many words the texts have; normalising changes letters, never their number."""
    fields = (request.genre, request.tone, request.title, request.instructions)
    texts = [*request.keywords, *request.characters, *(field for field in fields if field)]
    return sum(len(text.split()) for text in texts)
